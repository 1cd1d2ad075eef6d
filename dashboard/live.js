// @ts-check
/** Keeps one page fresh: asks every 5 s (each second for a first sample), backs off when the backend is away, rests while nobody looks. */

import { inBackground } from "./background.js";
import { clockTime, shortDuration } from "./format.js";

export const REFRESH_MS = 5000;
/** While somebody waits for a first sample. */
export const FIRST_REFRESH_MS = 1000;
export const HIDDEN_REST_MS = 60_000;
const OFFLINE_AFTER_MS = 60_000;
const RETRY_SECONDS = [1, 2, 4, 8, 15];

/**
 * @typedef {object} LiveState
 * @property {number | null} lastDataMs server time of the newest answer
 * @property {number} failures in a row
 * @property {Error | null} error the newest failure
 * @property {number} retryAtMs browser time of the next attempt after a failure
 * @property {string} label words that replace the pill's own, "" for none
 * @property {boolean} paused no asking until `resume`
 */
/** @typedef {{tone: "starting" | "live" | "paused" | "stale" | "offline", text: string}} Freshness */
/** @typedef {(signal: AbortSignal) => Promise<unknown>} Refresh */

/** @param {number} failures @param {number} random 0..1 */
export function retryDelayMs(failures, random) {
  const seconds = RETRY_SECONDS[Math.min(failures, RETRY_SECONDS.length) - 1] ?? RETRY_SECONDS[0];
  return Math.round(seconds * 1000 * (0.8 + 0.2 * random)); // jitter only downwards: 15 s is a promise
}

/** @param {LiveState} state @param {number} nowMs server time @returns {Freshness} */
export function freshness(state, nowMs) {
  if (state.label) return { tone: "paused", text: state.label };
  if (state.lastDataMs === null) {
    return state.failures ? { tone: "offline", text: "Offline · no data yet" } : { tone: "starting", text: "Connecting…" };
  }
  const ageMs = Math.max(0, nowMs - state.lastDataMs);
  const age = shortDuration(ageMs / 1000);
  if (state.failures && ageMs >= OFFLINE_AFTER_MS) {
    return { tone: "offline", text: `Offline · last data ${clockTime(state.lastDataMs)}` };
  }
  if (state.failures) return { tone: "stale", text: `Reconnecting… last data ${age} ago` };
  if (ageMs > 3 * REFRESH_MS + 2000) return { tone: "stale", text: `Data is ${age} old.` };
  return { tone: "live", text: `Live · updated ${age} ago` };
}

/**
 * @param {object} seams
 * @param {{now: () => number}} seams.clock the server's clock
 * @param {Document} [seams.page]
 * @param {() => number} [seams.random]
 */
export function createLive({ clock, page = document, random = Math.random }) {
  /** @type {LiveState} */
  let state = { lastDataMs: null, failures: 0, error: null, retryAtMs: 0, label: "", paused: false };
  /** @type {Refresh | null} */
  let refresh = null;
  let everyMs = () => REFRESH_MS;
  /** @type {AbortController | null} */
  let asking = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let nextTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let restTimer;
  let resting = false;
  /** @type {Set<(state: LiveState) => void>} */
  const listeners = new Set();

  /** @param {Partial<LiveState>} changes */
  function change(changes) {
    state = { ...state, ...changes };
    for (const listener of [...listeners]) listener(state);
  }

  function halt() {
    clearTimeout(nextTimer);
    asking?.abort();
    asking = null;
  }

  /** @param {number} delayMs */
  function schedule(delayMs) {
    clearTimeout(nextTimer);
    if (!state.paused && !resting) nextTimer = setTimeout(runByItself, delayMs);
  }

  const runByItself = () => run(true);

  async function run(byItself = false) {
    halt();
    if (!refresh) return;
    const mine = (asking = new AbortController());
    if (byItself) inBackground(mine.signal);
    try {
      await refresh(mine.signal);
      if (asking !== mine) return;
      change({ lastDataMs: clock.now(), failures: 0, error: null });
      schedule(everyMs());
    } catch (error) {
      if (asking !== mine) return; // stopped on purpose: not a failure
      const failures = state.failures + 1;
      const delayMs = retryDelayMs(failures, random());
      change({ failures, error: /** @type {Error} */ (error), retryAtMs: Date.now() + delayMs });
      schedule(delayMs);
    }
  }

  function rest() {
    resting = true;
    halt();
  }

  function visibilityChanged() {
    clearTimeout(restTimer);
    if (page.visibilityState === "hidden") {
      restTimer = setTimeout(rest, HIDDEN_REST_MS);
      return;
    }
    if (!resting) return;
    resting = false;
    if (!state.paused) void runByItself();
  }
  page.addEventListener("visibilitychange", visibilityChanged);

  return {
    get state() {
      return state;
    },

    /**
     * Calls the page's refresh now and then every 5 s; it replaces the one before.
     * @param {Refresh} pageRefresh @param {() => number} [pauseMs] asked after each answer: how long until the next
     */
    start(pageRefresh, pauseMs = () => REFRESH_MS) {
      halt();
      refresh = pageRefresh;
      everyMs = pauseMs;
      change({ label: "", paused: false });
      return run();
    },

    /** Forgets the page's refresh. */
    stop() {
      halt();
      refresh = null;
    },

    /** Stops asking, as for a window of the past. @param {string} label the pill's exact words */
    pause(label) {
      halt();
      change({ label, paused: true });
    },

    /** Goes on after `pause`, with one request at once. */
    resume() {
      change({ label: "", paused: false });
      return run();
    },

    /** Changes only the pill's words; "" gives them back. @param {string} label */
    setLabel(label) {
      if (label !== state.label) change({ label });
    },

    /** Asks now instead of at the planned time. */
    refreshNow: () => run(),

    /** Forgets page and failures, as when nobody is signed in any more. */
    forget() {
      halt();
      refresh = null;
      change({ lastDataMs: null, failures: 0, error: null, label: "", paused: false });
    },

    /** @param {(state: LiveState) => void} listener @returns {() => void} the end of the subscription */
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
