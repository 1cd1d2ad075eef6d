// @ts-check
/** The interfaces of a server: now, and over the shown range. */

import { findSeries, lastValue, statsOf } from "../charts/history.js";
import * as format from "../format.js";
import { isPhysical } from "./names.js";

/**
 * @typedef {object} NetworkRow
 * @property {string} name
 * @property {boolean} physical
 * @property {string} state
 * @property {string} speed
 * @property {Record<"in" | "out", {now: number | null, peak?: number, total: number | null}>} traffic
 * @property {number | null} packets per second, both ways
 * @property {number | null} errors in the range
 * @property {number | null} drops in the range
 * @property {string} addresses
 */

/**
 * How much a rate amounts to over the history; a gap adds nothing, and of the first and the last bucket
 * counts what lies in the window. Null when it was not sent.
 * @param {import("../charts/history.js").History} history
 * @param {import("../charts/history.js").Series | undefined} series
 */
export const amount = (history, series) =>
  series ? series.mean.reduce((sum, value, i) => sum + (value ?? 0) * secondsOf(history, i), 0) : null;

/** @param {import("../charts/history.js").History} history @param {number} i */
function secondsOf({ raw, step, start, end, times }, i) {
  if (raw) return step / 1000;
  return Math.max(0, Math.min(times[i] + step, end) - Math.max(times[i], start)) / 1000;
}

/**
 * @param {any} report as received
 * @param {import("../charts/history.js").History} history
 * @returns {NetworkRow[]}
 */
export function networkRows(report, history) {
  const sent = history.series.filter((one) => one.metric === "bytes_recv_per_sec" && one.instance !== "").map((one) => one.instance);
  const reported = reportedNics(report);
  const names = [...new Set([...Object.keys(reported), ...sent])];
  const rows = names.map((name) => networkRow(name, reported[name] ?? {}, history));
  const order = (row) => (row.traffic.in.total ?? 0) + (row.traffic.out.total ?? 0);
  return rows.sort((a, b) => Number(b.physical) - Number(a.physical) || order(b) - order(a) || a.name.localeCompare(b.name));
}

/** Interfaces of a report; a flat dictionary is the whole server and no interface. @param {any} report @returns {Record<string, any>} */
function reportedNics(report) {
  const network = report?.io?.network;
  if (!network || typeof network !== "object") return {};
  return Object.fromEntries(Object.entries(network).filter(([, one]) => one && typeof one === "object"));
}

/** @param {(number | null)[]} amounts */
const faultCount = (amounts) =>
  amounts.every((one) => one === null) ? null : Math.round(amounts.reduce((sum, one) => Number(sum) + Number(one), 0) ?? 0);

/** @param {string} name @param {any} nic @param {import("../charts/history.js").History} history @returns {NetworkRow} */
function networkRow(name, nic, history) {
  const find = (metric) => findSeries(history, metric, name);
  const way = (metric) => {
    const series = find(metric);
    const stats = series && statsOf(history.times, series);
    return { now: lastValue(series?.mean ?? []), peak: stats?.max, total: amount(history, series) };
  };
  const sum = (...metrics) => faultCount(metrics.map((metric) => amount(history, find(metric))));
  const { packets_recv_per_sec: received, packets_sent_per_sec: sent, addresses } = nic;
  return {
    name, physical: isPhysical(name), state: nic.isup === undefined ? "" : nic.isup ? "up" : "down",
    speed: nic.speed > 0 ? format.inUnit(nic.speed, "mbit_per_sec") : "",
    traffic: { in: way("bytes_recv_per_sec"), out: way("bytes_sent_per_sec") },
    packets: format.isNumber(received) && format.isNumber(sent) ? received + sent : null,
    errors: sum("errin_per_sec", "errout_per_sec"), drops: sum("dropin_per_sec", "dropout_per_sec"),
    addresses: Array.isArray(addresses) ? addresses.filter((one) => typeof one === "string").join(", ") : "",
  };
}

