// @ts-check
/** One time chart on a canvas: made once, updated in place. The only module that knows Chart.js. */

import { timeTicks } from "../timescale.js";
import { Chart, Filler, LineController, LineElement, LinearScale, PointElement } from "../vendor/chart.js";
import { emptyOverlay, overlayPlugin } from "./overlay.js";
import { lonePoints } from "./plan.js";

Chart.register(LineController, LineElement, PointElement, LinearScale, Filler);

/** @typedef {import("./plan.js").Layer} Layer */
/** @typedef {import("./axis.js").Axis} Axis */
/**
 * @typedef {object} Drawing
 * @property {Layer[]} layers
 * @property {Axis} axis
 * @property {{start: number, end: number}} bounds
 * @property {import("../timescale.js").Zone} zone
 * @property {Omit<import("./overlay.js").Overlay, "palette">} overlay
 * @property {Record<string, string>} palette
 */

/** All plots of a page share these, so that one instant stands above the other. */
export const GUTTER_PX = 64;
export const RIGHT_PX = 8;
const TICK_WIDTH_PX = 72;
/** Dates alone are shorter than times of day. */
const DATE_WIDTH_PX = 54;
const DATES_FROM_MS = 5 * 86_400_000;
/** Nearer to the left edge a tick's words would run into those of the value axis. */
const EDGE_PX = 16;

/** @param {Drawing} drawing */
const xScale = (drawing) => ({
  type: "linear",
  bounds: "data",
  ticks: { callback: (_, i, ticks) => ticks[i].label, maxRotation: 0, autoSkip: false, includeBounds: false },
  border: { display: false },
  grid: { drawTicks: false },
  afterBuildTicks: (scale) => {
    const { min: start, max: end, width } = scale;
    const room = end - start < DATES_FROM_MS ? TICK_WIDTH_PX : DATE_WIDTH_PX;
    const ticks = timeTicks({ start, end }, Math.max(2, Math.floor(width / room)), drawing.zone);
    scale.ticks = ticks.filter(({ value }) => ((value - start) / (end - start)) * width >= EDGE_PX);
  },
});

/** @param {Drawing} drawing */
const yScale = (drawing) => ({
  type: "linear",
  ticks: { callback: (_, i, ticks) => ticks[i].label, autoSkip: false, includeBounds: false, padding: 6 },
  border: { display: false },
  grid: { drawTicks: false },
  afterBuildTicks: (scale) => { scale.ticks = drawing.axis.ticks.map((tick) => ({ ...tick })); },
  afterFit: (scale) => { scale.width = GUTTER_PX; },
});

/** @param {Drawing} drawing */
const options = (drawing) => ({
  animation: false,
  parsing: false,
  normalized: true,
  spanGaps: false,
  events: [],
  maintainAspectRatio: false,
  layout: { padding: { top: 8, right: RIGHT_PX, bottom: 0, left: 0 }, autoPadding: false },
  scales: {
    x: xScale(drawing),
    y: yScale(drawing),
    right: { type: "linear", display: false, position: "right", min: 0, max: 100 },
  },
});

/** @param {Layer} layer */
function datasetOf(layer) {
  const lone = lonePoints(layer.data);
  const dots = layer.line && lone.includes(true);
  return {
    label: layer.key,
    data: layer.data,
    borderColor: layer.line || "transparent",
    borderWidth: layer.width,
    backgroundColor: layer.fill,
    fill: layer.fill ? layer.to : false,
    yAxisID: layer.axis,
    tension: 0,
    spanGaps: false,
    pointRadius: dots ? lone.map((alone) => (alone ? 1.5 : 0)) : 0,
    pointBackgroundColor: layer.line,
  };
}

/**
 * Puts a drawing into the chart's own objects; Chart.js keeps its state with them.
 * @param {any} chart
 * @param {Drawing} drawing
 */
function fill(chart, drawing) {
  const known = new Map(chart.data.datasets.map((dataset) => [dataset.label, dataset]));
  chart.data.datasets = drawing.layers.map((layer) => Object.assign(known.get(layer.key) ?? {}, datasetOf(layer)));
  const { x, y } = chart.options.scales;
  [x.min, x.max, y.min, y.max] = [drawing.bounds.start, drawing.bounds.end, drawing.axis.min, drawing.axis.max];
  for (const scale of [x, y]) {
    scale.ticks.color = drawing.palette["text-3"];
    scale.ticks.font = { family: drawing.palette.font, size: 11 };
    scale.grid.color = drawing.palette.grid;
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Drawing} first
 */
export function createTimeChart(canvas, first) {
  const drawing = { ...first };
  const overlay = { ...emptyOverlay(), ...first.overlay, palette: first.palette };
  const config = { type: "line", data: { datasets: [] }, options: options(drawing), plugins: [overlayPlugin(overlay)] };
  // Filled before the chart exists: what comes later misses the first drawing.
  fill(config, drawing);
  const chart = new Chart(canvas, /** @type {any} */ (config));

  return {
    chart,
    /** @param {Drawing} next */
    draw(next) {
      Object.assign(drawing, next);
      Object.assign(overlay, next.overlay, { palette: next.palette });
      fill(chart, drawing);
      chart.update("none");
    },
    /** Slides the window without new data, as while panning. @param {{start: number, end: number}} bounds */
    slide(bounds) {
      Object.assign(drawing, { bounds });
      Object.assign(chart.options.scales.x, { min: bounds.start, max: bounds.end });
      chart.update("none");
    },
    /** The plot inside the canvas, in CSS pixels. */
    area: () => chart.chartArea,
    resize: () => chart.resize(),
    destroy: () => chart.destroy(),
  };
}
