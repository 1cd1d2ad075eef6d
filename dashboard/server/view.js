// @ts-check
/** The Server page's parts put together: drawn from the feed, moved by the pointer. */

import { readPalette } from "../charts/colours.js";
import { gridOf, nearest } from "../charts/history.js";
import { createSync } from "../charts/sync.js";
import * as format from "../format.js";
import { boundsOf, clock as clockText, selectionWindow, timestamp, windowPhrase, windowWords } from "../timescale.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import { createCores } from "./cores.js";
import { createCustomCards } from "./custom-cards.js";
import { deleteMenu } from "./delete.js";
import { serverHead } from "./header.js";
import { kpiSkeleton, kpiStrip } from "./kpi-strip.js";
import { kpis } from "./kpis.js";
import { createPanel } from "./panel.js";
import { PLOTS } from "./plots.js";
import { rangePicker } from "./ranges.js";
import { emptyNotice, missingServer, notReported, pageFrame, tables } from "./page-parts.js";

/** @typedef {{start: number, end: number}} Bounds */

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
  const actions = { onLegend, onPick: state.choose, fileName };
  const builtIn = PLOTS.map((definition) => createPanel(definition, actions));
  const cores = createCores();
  const custom = createCustomCards(part("custom"), actions, join);
  const panels = () => [...builtIn, ...custom.panels()];
  const charts = () => [...panels(), cores];
  /** By key, for browser tests and for a look from the console. @type {Record<string, any>} */
  const handles = {};
  part("charts").append(...builtIn.map((panel) => panel.element), cores.element);
  /** What is on the screen now; while the pointer reads it, newer data waits. */
  const drawn = { bounds: { start: 0, end: 0 }, grid: { xs: [], index: [] }, step: 5000, pointing: false, waiting: false, current: false };
  const folds = { disks: false, networks: false };
  let palette = readPalette();
  /** Why the server could not be deleted. */
  let refused = "";

  const sync = createSync({
    bounds: () => drawn.bounds, now: () => clock.now(),
    neighbour, onCursor, onSelect, onSlide,
    onZoom: ({ start, end }) => zoomTo(selectionWindow(start, end, drawn.step)),
    onMove: ({ start, end }) => zoomTo(selectionWindow(start, end, 0)),
    onBack: () => state.back(),
  });
  charts().forEach(join);

  /** @param {ReturnType<typeof createPanel> | typeof cores} chart */
  function join(chart) {
    sync.add(chart.surface, signal);
    handles[chart.key] = chart.handle;
  }

  /** @param {import("../timescale.js").Window | null} window */
  const zoomTo = (window) => (window ? state.setWindow(window) : drawCharts());

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

  /** @param {boolean} pointing */
  function setPointing(pointing) {
    if (pointing === drawn.pointing) return;
    drawn.pointing = pointing;
    if (state.window.kind === "live") live.setLabel(pointing ? "Paused while hovering" : "");
    if (!pointing && drawn.waiting) drawCharts();
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

  /** @param {string} chart @param {string} series @param {boolean} alone */
  function onLegend(chart, series, alone) {
    const others = panels().find((panel) => panel.key === chart)?.handle.series.filter((one) => one.colour && one.key !== series) ?? [];
    const hidden = new Set(state.hidden);
    const isAlone = others.every((one) => hidden.has(`${chart}.${one.key}`));
    if (alone) others.forEach((one) => (isAlone ? hidden.delete(`${chart}.${one.key}`) : hidden.add(`${chart}.${one.key}`)));
    if (alone || hidden.has(`${chart}.${series}`)) hidden.delete(`${chart}.${series}`);
    else hidden.add(`${chart}.${series}`);
    state.hide(hidden);
  }

  function fileName() {
    const compact = (ms) => new Date(ms).toISOString().slice(0, 16).replace(/[-:]/g, "") + "Z";
    return `${feed.data.row?.hostname ?? id}_${compact(drawn.bounds.start)}_${compact(drawn.bounds.end)}`;
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
    const more = feed.data.row ? deleteMenu({ name: feed.data.row.hostname, problem: refused }, deleteServer) : nothing;
    render(serverHead(id, feed.data.row, clock.now(), html`<div class="ranges">${controls}${more}</div>`), part("head"));
  }

  async function deleteServer() {
    try {
      await context.api.remove(id);
      router.go("/");
    } catch (error) {
      refused = /** @type {Error} */ (error).message;
      drawHead();
    }
  }

  function drawCharts() {
    const { history } = feed.data;
    const isLive = state.window.kind === "live";
    const end = Math.ceil(history.end / history.step) * history.step;
    const span = history.end - history.start;
    const bounds = isLive ? boundsOf(state.window, end) : boundsOf(state.window, 0);
    Object.assign(drawn, { bounds: span > 0 ? bounds : boundsOf(state.window, clock.now()), grid: gridOf(history), step: history.step, waiting: false });
    const frame = {
      grid: drawn.grid, bounds: drawn.bounds, zone: state.zone, palette, words: windowWords(state.window, state.zone), phrase: windowPhrase(state.window, state.zone), live: isLive, hidden: state.hidden,
    };
    const source = { history, catalogue: store.get().catalogue, sizes: sizes(), choice: state.choice };
    for (const panel of builtIn) panel.draw(source, frame);
    cores.draw(history, frame);
    custom.draw(feed.data.custom, source, frame);
    drawWords(history);
  }

  /** @param {import("../charts/history.js").History} history */
  function drawWords(history) {
    const missing = history.series.length ? builtIn.filter((panel) => panel.element.hidden).map((panel) => panel.missing) : [];
    render(notReported(missing), part("missing"));
    const newest = feed.data.row?.time;
    const goThere = () => newest && state.setWindow({ kind: "fixed", from: newest - 3_600_000, to: newest + 1000 });
    const words = windowPhrase(state.window, state.zone);
    render(emptyNotice(history.times.length > 0, { words, newest: newest && timestamp(newest, state.zone), goThere }), part("empty"));
  }

  function drawNumbers() {
    const { row, history, latest } = feed.data;
    if (!row) return;
    const { catalogue } = store.get();
    const isLive = state.window.kind === "live";
    const at = isLive || !drawn.current ? "" : clockText(history.end, state.zone);
    const situation = { row, history, catalogue, sizes: sizes(), live: isLive, at };
    render(kpiStrip(kpis(situation), showChart), part("kpis"));
    const fold = (name) => () => { folds[name] = !folds[name]; drawNumbers(); };
    render(tables({ row, latest, history, catalogue, zone: state.zone, words: windowPhrase(state.window, state.zone), folds, fold }), part("tables"));
  }

  /** @param {string} key */
  function showChart(key) {
    const panel = panels().find((one) => one.key === key);
    if (!panel || panel.element.hidden) return;
    panel.element.scrollIntoView({ block: "center", behavior: "smooth" });
    panel.surface.element.focus({ preventScroll: true });
  }

  function draw() {
    drawHead();
    if (!feed.data.loaded) return;
    drawNumbers();
    if (drawn.pointing && state.window.kind === "live" && drawn.current) drawn.waiting = true;
    else if (drawn.current) drawCharts();
  }

  function showLoading() {
    drawn.current = false;
    root.firstElementChild?.toggleAttribute("data-loading", true);
    drawHead();
    if (!feed.data.loaded) render(kpiSkeleton(), part("kpis"));
  }

  const onTheme = () => {
    palette = readPalette();
    if (drawn.current) drawCharts();
  };
  document.documentElement.addEventListener("themechange", onTheme, { signal });

  return {
    handles,
    draw,
    /** The answer to the window is here. */
    show() {
      if (!drawn.current) sync.leave(); // a pointer that rests on a chart must not hold back a new window
      drawn.current = true;
      root.firstElementChild?.removeAttribute("data-loading");
      part("charts").removeAttribute("data-first");
      draw();
    },
    drawHead,
    showLoading,
    isCurrent: () => drawn.current,
    cancel: () => sync.cancel(),
    expandFocused() {
      const focused = panels().find((panel) => panel.element.contains(document.activeElement)) ?? panels().find((panel) => panel.isWide());
      focused?.toggleWide();
    },
    showMissing() {
      for (const chart of charts()) chart.destroy();
      live.stop();
      render(missingServer(id, () => router.go("/")), root);
    },
    destroy() {
      for (const chart of charts()) chart.destroy();
      Object.assign(/** @type {any} */ (globalThis).hostpulse, { charts: {} });
    },
  };
}
