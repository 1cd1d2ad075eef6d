// @ts-check
/** One chart with what belongs to it: title, pick of an instance, legend, table, its words. */

import { createTimeChart } from "../charts/chart.js";
import { createCursor } from "../charts/cursor.js";
import { valueAxis } from "../charts/axis.js";
import { chartLabel, csvText, legendTexts, newestIndex, statsRows, stepWords, tableRows } from "../charts/describe.js";
import { bandSeries, gapsOf, highestOf, lowestOf, planLayers } from "../charts/plan.js";
import { timestamp } from "../timescale.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import { legend, panelHead, seriesTable } from "./panel-parts.js";

/** @typedef {import("./plots.js").Definition} Definition */
/** @typedef {import("./plots.js").Source} Source */
/** @typedef {import("../charts/plan.js").Plot} Plot */
/**
 * @typedef {object} Frame what all charts of the page share in one drawing
 * @property {import("../charts/history.js").Grid} grid
 * @property {{start: number, end: number}} bounds
 * @property {import("../timescale.js").Zone} zone
 * @property {Record<string, string>} palette
 * @property {string} words the window in words
 * @property {string} phrase the same as the end of a sentence
 * @property {(time: number) => string} instant what the crosshair is on, in words
 * @property {boolean} live
 * @property {ReadonlySet<string>} hidden `chart.series`
 */
/**
 * @typedef {object} PanelActions
 * @property {(chart: string, series: string, alone: boolean) => void} onLegend
 * @property {(what: "nic" | "disk", instance: string) => void} onPick
 * @property {() => string} fileName
 */

/** A plot of a window without any sample: the axes of the last one. @param {Plot} plot @returns {Plot} */
const emptied = (plot) => ({ ...plot, marks: [], series: plot.series.map((one) => ({ ...one, mean: [], min: [], max: [] })) });

/**
 * @param {Definition} definition
 * @param {PanelActions} actions
 */
export function createPanel(definition, actions) {
  const element = document.createElement("section");
  element.className = "panel card";
  element.id = `chart-${definition.key}`;
  element.setAttribute("aria-label", definition.title);
  element.hidden = true;
  render(html`<div class="panel__head"></div><div class="plot" tabindex="0" role="group"
    aria-label=${`${definition.title}: arrow keys read values, Shift and arrow keys select, Enter zooms, Escape goes back`}>
      <canvas role="img"></canvas><p class="plot__empty" hidden></p></div>
    <div class="legend"></div><div class="panel__more"></div>`, element);
  const part = (selector) => /** @type {HTMLElement} */ (element.querySelector(selector));
  const [head, surface, empty, foot, more] = [".panel__head", ".plot", ".plot__empty", ".legend", ".panel__more"].map(part);
  const canvas = /** @type {HTMLCanvasElement} */ (surface.querySelector("canvas"));
  const cursor = createCursor(surface, area);
  /** @type {{chart: ReturnType<typeof createTimeChart> | null, plot: Plot | null, source: Source | null, frame: Frame | null}} */
  const now = { chart: null, plot: null, source: null, frame: null };
  const shown = { table: false, wide: false, index: -1, time: /** @type {number | null} */ (null) };

  function area() {
    return now.chart?.area() ?? { left: 0, right: 0, top: 0, bottom: 0 };
  }

  /** The series hidden in this chart. @param {Frame} frame */
  const hiddenHere = ({ hidden }) =>
    new Set(now.plot?.series.map((one) => one.key).filter((key) => hidden.has(`${definition.key}.${key}`)));

  /** @param {Source} source @param {Frame} frame */
  function draw(source, frame) {
    const fresh = definition.draw(source);
    const plot = fresh ?? (source.history.series.length || !now.plot ? null : emptied(now.plot));
    Object.assign(now, { source, frame, plot: plot ?? now.plot });
    element.hidden = plot === null;
    if (!plot) return;
    drawChart(plot, source, frame);
    drawWords(plot, source, frame);
  }

  /** @param {Plot} plot @param {Source} source @param {Frame} frame */
  function drawChart(plot, { history }, frame) {
    const view = { grid: frame.grid, raw: history.raw, hidden: hiddenHere(frame), palette: frame.palette };
    const gaps = gapsOf(plot, frame.grid, history, frame.bounds);
    const highest = highestOf(plot, view);
    const near = (plot.thresholds ?? []).filter((one) => one.level === "note" && one.value <= 4 * highest);
    const top = Math.max(highest, ...near.map((one) => one.value * 1.05));
    const axis = valueAxis(plot.axis.kind, top, { lowest: lowestOf(plot, view), ...plot.axis });
    const overlay = { gaps, thresholds: plot.thresholds ?? [], marks: plot.marks ?? [] };
    const drawing = { layers: planLayers(plot, view), axis, bounds: frame.bounds, zone: frame.zone, overlay, palette: frame.palette };
    if (now.chart) now.chart.draw(drawing);
    else now.chart = createTimeChart(canvas, drawing);
    const { words, zone } = frame;
    const live = frame.live && freshIndex() >= 0;
    canvas.setAttribute("aria-label", chartLabel(definition.title, plot, { times: history.times, words, live, gaps, zone }));
  }

  /** @param {Plot} plot @param {Source} source @param {Frame} frame */
  function drawWords(plot, source, frame) {
    const step = stepWords(plot, source.history);
    const subtitle = [plot.subtitle, step].filter(Boolean).join(" · ");
    render(panelHead(definition, { subtitle, source, ...shown }, { ...actions, onTable, onWide }), head);
    empty.hidden = source.history.times.length > 0;
    empty.textContent = `No data ${frame.phrase}.`;
    drawLegend();
    drawMore();
  }

  /** The index the legend speaks about: under the crosshair, or the newest while it is fresh. */
  const legendIndex = () => (shown.time === null ? freshIndex() : shown.index);

  function freshIndex() {
    const { plot, source, frame } = now;
    return plot && source ? newestIndex(plot.series, source.history, frame?.live ? frame.bounds.end : undefined) : -1;
  }

  function drawLegend() {
    const { plot, source, frame } = now;
    if (!plot || !source || !frame) return;
    const index = legendIndex();
    const hidden = hiddenHere(frame);
    const texts = legendTexts(plot, index, source.history.raw);
    const told = source.history.raw ? [] : bandSeries(plot);
    const entries = plot.series.map((one, i) => ({ ...one, hidden: hidden.has(one.key), text: texts[i], bucket: told.includes(one) }));
    render(legend(entries, (series, alone) => actions.onLegend(definition.key, series, alone)), foot);
  }

  function drawMore() {
    const { plot, source, frame } = now;
    if (!plot || !source || !frame) return;
    const stats = shown.table || shown.wide ? statsRows(plot, source.history.times) : [];
    const rows = shown.table ? tableRows(plot, frame.grid, frame.zone, source.history.raw) : [];
    render(stats.length ? seriesTable(definition.title, plot, { stats, rows }, download) : nothing, more);
  }

  function download() {
    if (!now.plot || !now.frame) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvText(now.plot, now.frame.grid)], { type: "text/csv" }));
    link.download = `${actions.fileName()}_${definition.key}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function redrawWords() {
    if (now.plot && now.source && now.frame) drawWords(now.plot, now.source, now.frame);
  }

  function onTable() {
    shown.table = !shown.table;
    redrawWords();
  }

  function onWide() {
    shown.wide = !shown.wide;
    element.toggleAttribute("data-wide", shown.wide);
    now.chart?.resize();
    redrawWords();
    if (shown.wide) element.scrollIntoView({ block: "nearest" });
  }

  return {
    key: definition.key,
    title: definition.title,
    missing: definition.missing,
    element,
    surface: { element: surface, area },
    draw,
    toggleWide: onWide,
    isWide: () => shown.wide,

    /** @param {{time: number | null, index: number, pointed: boolean}} at */
    point({ time, index, pointed }) {
      if (!now.frame || element.hidden) return;
      Object.assign(shown, { time, index });
      const words = pointed && time !== null ? now.frame.instant(time) : "";
      cursor.point(time, now.frame.bounds, words);
      drawLegend();
    },

    /** @param {{start: number, end: number} | null} span */
    select(span) {
      if (now.frame) cursor.select(span, now.frame.bounds);
    },

    /** @param {{start: number, end: number}} bounds */
    slide(bounds) {
      if (now.frame) now.frame = { ...now.frame, bounds };
      if (!element.hidden) now.chart?.slide(bounds);
    },

    destroy() {
      now.chart?.destroy();
      now.chart = null;
    },

    /** What browser tests read. */
    handle: {
      get chart() {
        return now.chart?.chart;
      },
      get series() {
        return now.plot?.series ?? [];
      },
      get times() {
        return now.source?.history.times ?? [];
      },
      get legend() {
        return Object.fromEntries([...foot.querySelectorAll("[data-series]")].map((node) =>
          [node.getAttribute("data-series"), node.querySelector(".legend__value")?.textContent?.trim()]));
      },
      get cursorTime() {
        return shown.time;
      },
      /** Page pixels of an instant and a value. @param {number} time @param {number} [value] */
      pixel(time, value = 0) {
        const { left, top } = canvas.getBoundingClientRect();
        const scales = now.chart?.chart.scales;
        return scales ? { x: left + scales.x.getPixelForValue(time), y: top + scales.y.getPixelForValue(value) } : null;
      },
      timeText: (time) => timestamp(time, now.frame?.zone),
    },
  };
}
