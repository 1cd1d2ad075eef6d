// @ts-check
/** The Server page's parts put together: drawn from the feed, moved by the pointer. */

import { readPalette } from "../charts/colours.js";
import { instantWords } from "../charts/describe.js";
import { gridOf } from "../charts/history.js";
import * as format from "../format.js";
import { nameOf } from "../status.js";
import { boundsOf, moment, timestamp, windowPhrase, windowWords } from "../timescale.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import { createChartSet } from "./chart-set.js";
import { fullSoonWords } from "./disks.js";
import { serverHead } from "./header.js";
import { kpiSkeleton, kpiStrip } from "./kpi-strip.js";
import { kpis } from "./kpis.js";
import { serverMenu } from "./menu.js";
import { historyNotice, missingServer, notReported, pageFrame, tables } from "./page-parts.js";
import { createPointer } from "./pointer.js";
import { rangePicker } from "./ranges.js";

const HOUR_MS = 3_600_000;

/**
 * @param {HTMLElement} root
 * @param {object} page
 * @param {string} page.id
 * @param {ReturnType<typeof import("./feed.js").createFeed>} page.feed
 * @param {ReturnType<typeof import("./window-state.js").createWindowState>} page.state
 * @param {import("../app.js").Context} page.context
 * @param {AbortSignal} page.signal
 */
export function createView(root, { id, feed, state, context, signal }) {
  const { clock, live, store, router } = context;
  render(pageFrame(), root);
  const part = (name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
  const drawn = { bounds: { start: 0, end: 0 }, grid: gridOf(feed.data.history), step: feed.data.history.step };
  /** Whether what is drawn answers to the window. */
  let current = false;
  let palette = readPalette();
  const folds = { disks: false, networks: false };
  const pointer = createPointer({ drawn, charts: () => charts.all(), redraw: drawCharts, state, context, signal });
  const charts = createChartSet({ charts: part("charts"), custom: part("custom") }, { state, fileName, onNew: pointer.add });

  const isLive = () => state.window.kind === "live";
  const phrase = () => windowPhrase(state.window, state.zone);

  function fileName() {
    const compact = (ms) => new Date(ms).toISOString().slice(0, 16).replace(/[-:]/g, "") + "Z";
    return `${feed.data.row ? nameOf(feed.data.row) : id}_${compact(drawn.bounds.start)}_${compact(drawn.bounds.end)}`;
  }

  function sizes() {
    const { row, latest } = feed.data;
    const reported = latest?.report?.memory ?? {};
    return {
      cores: row?.cpu_count_logical ?? row?.facts?.cpu_count_logical,
      memory_total: row?.memory_total ?? reported.memory_total,
      swap_total: format.isNumber(reported.swap_total) ? reported.swap_total : undefined,
    };
  }

  function drawHead() {
    const { window, zone } = state;
    const bounds = boundsOf(window, clock.now());
    const controls = rangePicker({ window, bounds, zone }, {
      onWindow: state.setWindow, onShift: state.shift, onWiden: state.widen, onNow: state.goLive, onZone: state.setZone, now: () => clock.now(),
    });
    const { row, latest } = feed.data;
    const more = row ? serverMenu({ row, reported: latest?.report?.tags ?? [] }, { context, onChange: takeRow }) : nothing;
    render(serverHead(id, row, clock.now(), html`<div class="ranges">${controls}${more}</div>`), part("head"));
  }

  /** @param {import("../decode.js").Server} row as it is since somebody changed it */
  function takeRow(row) {
    feed.data.row = row;
    context.setTitle(nameOf(row));
    draw();
  }

  /** A live window moves by whole steps. */
  function windowBounds() {
    const { start, end, step } = feed.data.history;
    if (end <= start) return boundsOf(state.window, clock.now());
    return boundsOf(state.window, Math.ceil(end / step) * step);
  }

  function drawCharts() {
    const { history, custom } = feed.data;
    const { window, zone, hidden } = state;
    Object.assign(drawn, { bounds: windowBounds(), grid: gridOf(history), step: history.step });
    const { grid, bounds } = drawn;
    const instant = (time) => instantWords(time, history, bounds.end - bounds.start, zone);
    const frame = { grid, bounds, zone, palette, words: windowWords(window, zone), phrase: phrase(), instant, live: isLive(), hidden };
    const source = { history, catalogue: store.get().catalogue, sizes: sizes(), choice: state.choice };
    charts.draw(source, frame, custom);
    drawWords();
  }

  function drawWords() {
    const { history, row } = feed.data;
    render(notReported(history.series.length ? charts.missing() : []), part("missing"));
    const newest = row?.time;
    const goThere = () => newest && state.setWindow({ kind: "fixed", from: newest - HOUR_MS, to: newest + 1000 });
    const words = { phrase: phrase(), newest: newest && timestamp(newest, state.zone), goThere, zone: state.zone };
    render(historyNotice(history, drawn.bounds, words), part("empty"));
  }

  function drawNumbers() {
    const { row, history, latest, growth } = feed.data;
    if (!row) return;
    const { catalogue } = store.get();
    const at = isLive() || !current ? "" : moment(history.end, history.end - history.start, state.zone);
    const fullIn = (mount) => fullSoonWords(latest?.report, growth, mount);
    render(kpiStrip(kpis({ row, history, catalogue, sizes: sizes(), live: isLive(), fullIn, at }), charts.show), part("kpis"));
    const fold = (name) => () => { folds[name] = !folds[name]; drawNumbers(); };
    render(tables({ row, latest, history, growth, catalogue, zone: state.zone, words: phrase(), folds, fold }), part("tables"));
  }

  function draw() {
    drawHead();
    if (!feed.data.loaded) return;
    drawNumbers();
    if (current && !pointer.holdsBack()) drawCharts();
  }

  document.documentElement.addEventListener("themechange", () => {
    palette = readPalette();
    if (current) drawCharts();
  }, { signal });

  return {
    handles: charts.handles,
    draw,
    drawHead,
    isCurrent: () => current,
    cancel: pointer.cancel,
    expandFocused: charts.expandFocused,

    /** The answer to the window is here. */
    show() {
      if (!current) pointer.leave(); // a pointer that rests on a chart must not hold back a new window
      current = true;
      root.firstElementChild?.removeAttribute("data-loading");
      part("charts").removeAttribute("data-first");
      draw();
    },

    showLoading() {
      current = false;
      root.firstElementChild?.toggleAttribute("data-loading", true);
      drawHead();
      if (!feed.data.loaded) render(kpiSkeleton(), part("kpis"));
    },

    showMissing() {
      charts.destroy();
      live.stop();
      render(missingServer(id, () => router.go("/")), root);
    },

    destroy() {
      charts.destroy();
      Object.assign(/** @type {any} */ (globalThis).hostpulse, { charts: {} });
    },
  };
}
