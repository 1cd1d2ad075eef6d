// @ts-check
/** What the Server page asks: all at first, then what is new at the pace of the window, two questions at a time. */

import { emptyHistory, mergeTail } from "../charts/history.js";
import { boundsOf, MAX_POINTS, stepFor } from "../timescale.js";
import { chosen, reported, stored } from "./custom.js";
import { growths } from "./forecast.js";
import { METRICS } from "./plots.js";

/** @typedef {import("../charts/history.js").History} History */
/** @typedef {import("../timescale.js").Window} Window */

/** The newest buckets were not full when they came; a part reaches back over them. */
const OVERLAP_STEPS = 6;
/** Samples that were sent late lie further back: once a minute all is asked again. */
const WHOLE_EVERY = 12;
const REPORT_EVERY = 6;
/** Which custom metrics there once were: those of the newest report are asked for at once. */
const NAMES_TURN = 2;
/** How the disks grow: not at once, the page has no room for one more question, then once an hour. */
const GROWTH_EVERY = 720;
/** An hour each. */
const GROWTH_POINTS = 200;
/** From this step on a chart is asked for anew when its window has a new bucket, not before. */
const SLOW_STEP_MS = 60_000;
/** After a rest (a hidden tab, a backend away) one answer is simpler than a long part. */
const OLD_MS = 60_000;
const NEW_MS = 20_000;

/**
 * @param {{api: ReturnType<typeof import("../api.js").createApi>, clock: {now: () => number, sync: (now?: number) => void}, id: string}} context
 */
export function createFeed({ api, clock, id }) {
  /** @type {{row: import("../decode.js").Server | null, latest: any, history: History, custom: ReturnType<typeof chosen>, growth: ReturnType<typeof growths>, loaded: boolean}} */
  const data = { row: null, latest: null, history: emptyHistory(), custom: chosen([]), growth: new Map(), loaded: false };
  /** The custom metrics that the server had when the page came; newer ones stand in its reports. @type {string[]} */
  let known = [];
  let turn = 0;
  let whole = true;

  const metrics = () => [...METRICS, ...data.custom.asked];

  /** @param {Window} window @param {AbortSignal} signal */
  async function askWhole(window, signal) {
    const { start, end } = boundsOf(window, clock.now());
    const span = window.kind === "live" ? { start: `-${window.range}`, end: "now" } : { start, end };
    const history = await api.history(id, { metrics: metrics(), ...span, points: MAX_POINTS, signal });
    if (window.kind === "live") clock.sync(history.end);
    return history;
  }

  /** @param {Window} window @param {AbortSignal} signal @returns {Promise<History | null>} null when the part does not fit */
  async function askTail(window, signal) {
    const { history } = data;
    const newest = history.times[history.times.length - 1] ?? history.start;
    const start = newest - OVERLAP_STEPS * history.step;
    const points = Math.ceil((clock.now() - start) / history.step) + (history.raw ? MAX_POINTS / 2 : 1);
    const tail = await api.history(id, { metrics: metrics(), start, end: "now", points: Math.min(points, MAX_POINTS), signal });
    clock.sync(tail.end);
    return mergeTail(history, tail, boundsOf(window, tail.end).start);
  }

  /** The step of a long live window, 0 of any other. @param {Window} window */
  function slowStep(window) {
    const { start, end } = boundsOf(window, clock.now());
    const step = window.kind === "live" ? stepFor(end - start) : 0;
    return step < SLOW_STEP_MS ? 0 : step;
  }

  /** Whether the window has a new bucket since the last answer. @param {Window} window */
  function isDue(window) {
    const step = slowStep(window);
    if (whole || !step || !data.history.times.length) return true;
    return Math.floor(clock.now() / step) > Math.floor(data.history.end / step);
  }

  /** @param {Window} window @param {AbortSignal} signal */
  async function askHistory(window, signal) {
    if (!data.loaded) await askReport(signal); // it names the custom metrics
    data.custom = chosen([...known, ...reported(data.latest?.report), ...stored(data.history.series)]);
    const old = clock.now() - data.history.end > OLD_MS;
    if (window.kind === "fixed" || whole || old || slowStep(window) || turn % WHOLE_EVERY === 0 || !data.history.times.length) {
      return askWhole(window, signal);
    }
    const merged = await askTail(window, signal);
    whole = merged === null;
    return merged ?? data.history;
  }

  /** @param {AbortSignal} signal */
  async function askGrowth(signal) {
    const week = { metrics: ["disk_used"], start: "-7d", end: "now", points: GROWTH_POINTS };
    data.growth = growths(await api.history(id, { ...week, signal }));
  }

  /** @param {AbortSignal} signal */
  async function askNames(signal) {
    known = stored(await api.series(id, { signal }));
    const asked = new Set(data.custom.asked);
    whole ||= chosen(known).asked.some((metric) => !asked.has(metric));
  }

  /** @param {AbortSignal} signal */
  async function askReport(signal) {
    try {
      data.latest = await api.latest(id, { signal });
    } catch (error) {
      if (/** @type {any} */ (error).status !== 404) throw error; // nothing was ever received: the tables stay empty
    }
  }

  return {
    data,

    /** Only just seen: somebody waits for its first line. */
    isNew: () => clock.now() - (data.row?.first_seen ?? 0) < NEW_MS,

    /** The window was changed: what is kept does not belong to it. */
    forget() {
      whole = true;
    },

    /** @param {Window} window @param {AbortSignal} signal */
    async refresh(window, signal) {
      const report = turn % REPORT_EVERY === REPORT_EVERY - 1;
      const growth = turn % GROWTH_EVERY === 1;
      const names = turn === NAMES_TURN;
      const wasWhole = whole;
      const [history, row] = await Promise.all([
        isDue(window) ? askHistory(window, signal) : data.history,
        report || growth || names ? data.row : api.server(id, { signal }),
        report ? askReport(signal) : growth ? askGrowth(signal) : null,
      ]);
      if (wasWhole) whole = false;
      if (names) await askNames(signal);
      const interval = row?.interval_seconds && row.interval_seconds * 1000;
      Object.assign(data, { history: interval ? { ...history, interval } : history, row, loaded: true });
      turn += 1;
    },
  };
}
