// @ts-check
/** The pointer on the Server page: on whichever chart it is, all of them follow. */

import { nearest } from "../charts/history.js";
import { createSync } from "../charts/sync.js";
import { selectionWindow } from "../timescale.js";

/** @typedef {{start: number, end: number}} Bounds */
/** @typedef {{bounds: Bounds, grid: import("../charts/history.js").Grid, step: number}} Drawn */

/**
 * @param {object} page
 * @param {Drawn} page.drawn what is on the screen now
 * @param {() => import("./chart-set.js").AnyChart[]} page.charts
 * @param {() => void} page.redraw
 * @param {ReturnType<typeof import("./window-state.js").createWindowState>} page.state
 * @param {{clock: {now: () => number}, live: {setLabel: (label: string) => void}}} page.context
 * @param {AbortSignal} page.signal the end of the page
 */
export function createPointer({ drawn, charts, redraw, state, context, signal }) {
  const { clock, live } = context;
  let pointing = false;
  let waiting = false;
  const isLive = () => state.window.kind === "live";

  const sync = createSync({
    bounds: () => drawn.bounds, now: () => clock.now(),
    neighbour, onCursor, onSelect, onSlide,
    onZoom: ({ start, end }) => zoomTo(selectionWindow(start, end, drawn.step)),
    onMove: ({ start, end }) => zoomTo(selectionWindow(start, end, 0)),
    onBack: () => state.back(),
  });

  /** @param {import("../timescale.js").Window | null} window */
  const zoomTo = (window) => (window ? state.setWindow(window) : redraw());

  /** The next sample in that direction; gaps are stepped over. @param {number} time @param {number} by */
  function neighbour(time, by) {
    const { xs, index } = drawn.grid;
    const times = xs.filter((_, k) => index[k] >= 0);
    const next = by < 0 ? times.filter((one) => one < time).pop() : times.find((one) => one > time);
    return next ?? time;
  }

  /** @param {number | null} time @param {{element: HTMLElement} | null} surface */
  function onCursor(time, surface) {
    const k = time === null ? -1 : nearest(drawn.grid, time, drawn.step);
    const at = { time: k < 0 ? time : drawn.grid.xs[k], index: k < 0 ? -1 : drawn.grid.index[k] };
    for (const chart of charts()) chart.point({ ...at, pointed: chart.surface.element === surface?.element });
    setPointing(time !== null);
  }

  /** @param {boolean} next */
  function setPointing(next) {
    if (next === pointing) return;
    pointing = next;
    if (isLive()) live.setLabel(pointing ? "Paused while hovering" : "");
    if (pointing || !waiting) return;
    waiting = false;
    redraw();
  }

  /** @param {Bounds | null} span */
  function onSelect(span) {
    for (const chart of charts()) chart.select(span);
  }

  /** @param {Bounds} bounds */
  function onSlide(bounds) {
    drawn.bounds = bounds;
    for (const chart of charts()) chart.slide(bounds);
  }

  return {
    /** @param {import("./chart-set.js").AnyChart} chart */
    add: (chart) => sync.add(chart.surface, signal),
    leave: sync.leave,
    cancel: sync.cancel,

    /** Newer data must not move what is being read: says so, and draws it afterwards. */
    holdsBack() {
      waiting = pointing && isLive();
      return waiting;
    },
  };
}
