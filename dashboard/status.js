// @ts-check
/** What a server's state is called, how bad it is, and how bad a value is. */

import { dateTime, duration, isNumber, shortDuration } from "./format.js";

/** @typedef {import("./decode.js").Server} Server */
/** @typedef {import("./decode.js").Metric} Metric */
/** @typedef {"" | "warning" | "critical"} Level */

const DEFAULT_INTERVAL_SECONDS = 5;
const DOWN_INTERVALS = 12;
const DOWN_FLOOR_SECONDS = 60;
const CLOCK_BADGE_MS = 30_000;

/** Worst first: the default order of the list. @type {Record<Server["status"], number>} */
export const SEVERITY = { down: 0, late: 1, waiting: 2, up: 3, paused: 4 };

/** @type {Record<Server["status"], string>} */
export const STATUS_WORDS = { down: "Down", late: "Late", waiting: "Waiting", up: "Up", paused: "Paused" };

/** What people call it, or what it calls itself. @param {Server} server */
export const nameOf = (server) => server.name || server.hostname;

/** @param {Server} server */
const interval = (server) => server.interval_seconds ?? DEFAULT_INTERVAL_SECONDS;

/** @param {Server} server @param {number} nowMs server time @returns {number | undefined} */
export const ageSeconds = (server, nowMs) =>
  isNumber(server.last_seen) ? Math.max(0, (nowMs - server.last_seen) / 1000) : undefined;

/**
 * When the newest sample was taken, as far as that is before it arrived: no word about a sample
 * names a later moment. @param {Server} server @returns {number | undefined}
 */
export const sampleTime = (server) =>
  isNumber(server.last_seen) ? Math.min(server.last_seen, server.time ?? server.last_seen) : undefined;

/** Values of a server that is down, paused or waiting are not shown: they are of another time. @param {Server} server */
export const hasValues = (server) => server.status === "up" || server.status === "late";

/** `Up`, `Late 23 s`, `Down 14 min`. @param {Server} server @param {number} nowMs */
export function statusText(server, nowMs) {
  const word = STATUS_WORDS[server.status];
  const age = ageSeconds(server, nowMs);
  const aged = server.status === "late" || server.status === "down";
  return aged && age !== undefined ? `${word} ${shortDuration(age)}` : word;
}

/** @param {Server} server @param {number} nowMs */
export function statusTitle(server, nowMs) {
  const age = ageSeconds(server, nowMs);
  const every = `${interval(server)} s`;
  if (server.status === "paused") return "Paused. Samples are stored, alerts are not sent.";
  if (server.status === "waiting" || age === undefined) {
    return "Waiting for the first sample. Run the install command on this server.";
  }
  if (server.status === "up") return `Last sample ${shortDuration(age)} ago, expected every ${every}.`;
  if (server.status === "late") {
    const downAt = Math.max(DOWN_INTERVALS * interval(server), DOWN_FLOOR_SECONDS);
    return `No sample for ${shortDuration(age)}. Expected every ${every}. Goes Down at ${downAt} s.`;
  }
  return `No sample since ${dateTime(Number(sampleTime(server)))} (${duration(age)}).`;
}

/** `Clock 2 min off` when the server's own clock is wrong by more than 30 s, else "". @param {Server} server */
export function clockBadge(server) {
  const offsetMs = Math.abs(server.clock_offset_ms ?? 0);
  if (offsetMs > CLOCK_BADGE_MS) return `Clock ${shortDuration(offsetMs / 1000)} off`;
  return server.flags.includes("clock_ahead") ? "Clock ahead" : "";
}

/** What is odd about a server, in a word and in a sentence. @param {Server} server @returns {{words: string, title: string}[]} */
export function oddities(server) {
  const clock = clockBadge(server);
  return [
    ...(server.flags.includes("cloned") ? [{
      words: "Cloned", title: "Two machines report with the key of this server; their values mix. Enrol one of them anew: hostpulse-agent enrol --again.",
    }] : []),
    ...(server.flags.includes("no_key") ? [{
      words: "No key", title: "It reports without a key of its own: whoever has an ingest key may send in its name. Enrol its agent to change that.",
    }] : []),
    ...(clock ? [{ words: clock, title: "The clock of this server is wrong; its samples are set to this server's time where that is known." }] : []),
  ];
}

/** How bad a value is by the catalogue's own lines. @param {Metric | undefined} metric @param {number | null | undefined} value @returns {Level} */
export function level(metric, value) {
  if (!metric || !isNumber(value)) return "";
  if (isNumber(metric.critical) && value >= metric.critical) return "critical";
  return isNumber(metric.warning) && value >= metric.warning ? "warning" : "";
}

/** `(2 down) ` before a page's title, "" when nothing is. @param {number} down */
export const titlePrefix = (down) => (down ? `(${down} down) ` : "");

/**
 * One sentence about what changed for the worse or the better, "" if nothing did.
 * @param {Map<string, Server>} before @param {Map<string, Server>} after
 */
export function statusNews(before, after) {
  const changed = [...after.values()].filter((server) => {
    const old = before.get(server.id);
    return old && old.status !== server.status && (old.status === "down" || server.status === "down");
  });
  if (!changed.length) return "";
  const [first] = changed;
  const others = changed.length > 1 ? ` and ${changed.length - 1} more changed` : "";
  const down = [...after.values()].filter((server) => server.status === "down").length;
  return `${nameOf(first)} is ${STATUS_WORDS[first.status].toLowerCase()}${others}. ${down} ${down === 1 ? "server" : "servers"} down.`;
}
