// @ts-check
/** What to draw for a plot: planes of a stack, lines with their min–max bands, areas below zero. */

import { fade } from "./colours.js";
import { gapSpans, onGrid, stackPlanes } from "./history.js";

/** @typedef {import("./history.js").Values} Values */
/** @typedef {import("./history.js").History} History */
/** @typedef {import("./history.js").Grid} Grid */
/** @typedef {import("./axis.js").AxisKind} AxisKind */
/**
 * @typedef {object} PlotSeries
 * @property {string} key
 * @property {string} label
 * @property {string} colour a series colour, `s1` to `s6`; "" when only the legend shows it
 * @property {string} unit
 * @property {Values} mean
 * @property {Values} min
 * @property {Values} max
 * @property {number} [area] opacity of the area down to zero
 * @property {boolean} [below] drawn below zero
 * @property {"right"} [axis] drawn against the percent axis on the right
 */
/** @typedef {{value: number, level: "warn" | "crit" | "note", label: string}} Threshold */
/**
 * @typedef {object} Plot
 * @property {string} subtitle
 * @property {"stack" | "lines"} layout
 * @property {string} [band] the one series of a stack whose extremes are shown: they do not stack
 * @property {{kind: AxisKind, fixed?: number, mirrored?: boolean}} axis
 * @property {PlotSeries[]} series
 * @property {Threshold[]} [thresholds]
 * @property {number[]} [marks] instants with errors, as ticks on the baseline
 */
/** @typedef {{x: number, y: number | null}} Point */
/**
 * @typedef {object} Layer
 * @property {string} key
 * @property {Point[]} data
 * @property {string} line "" for none
 * @property {number} width
 * @property {string} fill "" for none
 * @property {"origin" | "-1"} to what the fill reaches down to
 * @property {"y" | "right"} axis
 */

const STACK_OPACITY = 0.55;
const BAND_OPACITY = 0.22;
/** A band of one short peak is hardly a pixel wide; its upper edge keeps it in sight. */
const BAND_EDGE_OPACITY = 0.6;
/** Of a series that has no colour of its own. */
const BAND_COLOUR = "text-3";

/** @param {PlotSeries} series @param {ReadonlySet<string>} hidden */
const isDrawn = (series, hidden) => series.colour !== "" && !hidden.has(series.key);

/** @param {Plot} plot @param {ReadonlySet<string>} hidden */
export const drawnSeries = (plot, hidden) => plot.series.filter((series) => isDrawn(series, hidden));

/** @param {Plot} plot @param {PlotSeries[]} drawn */
const isStacked = (plot, drawn) => plot.layout === "stack" && drawn.length > 1;

/** The series whose extremes are told: all, but of planes that stand on each other one. @param {Plot} plot */
export const bandSeries = (plot) =>
  (isStacked(plot, drawnSeries(plot, new Set())) ? plot.series.filter((one) => one.key === plot.band) : plot.series);

/** @param {number[]} xs @param {Values} values @returns {Point[]} */
const points = (xs, values, sign = 1) =>
  xs.map((x, i) => ({ x, y: values[i] === null ? null : sign * /** @type {number} */ (values[i]) }));

/**
 * The layers of a plot, the one in front first.
 * @param {Plot} plot
 * @param {{grid: Grid, raw: boolean, hidden: ReadonlySet<string>, palette: Record<string, string>}} view
 * @returns {Layer[]}
 */
export function planLayers(plot, { grid, raw, hidden, palette }) {
  const series = drawnSeries(plot, hidden);
  const area = plot.layout === "stack" ? STACK_OPACITY : 0;
  const lines = isStacked(plot, series)
    ? stackLayers(series, grid, palette)
    : series.map((one) => lineLayer({ area, ...one }, grid, palette));
  return raw ? lines : [...lines, ...bandsOf(plot, hidden).flatMap((one) => bandLayers(one, grid, palette))];
}

/** The bands that are drawn; that of a total only around all its planes. @param {Plot} plot @param {ReadonlySet<string>} hidden */
function bandsOf(plot, hidden) {
  const drawn = drawnSeries(plot, hidden);
  if (!isStacked(plot, drawn)) return drawn;
  return bandSeries(plot).filter((one) => isDrawn(one, hidden) || (one.colour === "" && !hidden.size));
}

/** @param {PlotSeries[]} series @param {Grid} grid @param {Record<string, string>} palette @returns {Layer[]} */
function stackLayers(series, grid, palette) {
  const planes = stackPlanes(series.map((one) => onGrid(grid, one.mean)));
  return series.map((one, i) => ({
    key: one.key,
    data: points(grid.xs, planes[i]),
    line: palette[one.colour],
    width: 1.25,
    fill: fade(palette[one.colour], one.area ?? STACK_OPACITY),
    to: i === 0 ? "origin" : "-1",
    axis: "y",
  }));
}

/** @param {PlotSeries} one @param {Grid} grid @param {Record<string, string>} palette @returns {Layer} */
function lineLayer(one, grid, palette) {
  return {
    key: one.key,
    data: points(grid.xs, onGrid(grid, one.mean), one.below ? -1 : 1),
    line: palette[one.colour],
    width: 1.5,
    fill: one.area ? fade(palette[one.colour], one.area) : "",
    to: "origin",
    axis: one.axis ?? "y",
  };
}

/** @param {PlotSeries} one @param {Grid} grid @param {Record<string, string>} palette @returns {Layer[]} */
function bandLayers(one, grid, palette) {
  const colour = palette[one.colour || BAND_COLOUR];
  /** @returns {Layer} */
  const edge = (name, values, line, fill) => ({
    key: `${one.key}:${name}`,
    data: points(grid.xs, onGrid(grid, values), one.below ? -1 : 1),
    line, width: line ? 0.75 : 0, fill, to: /** @type {const} */ ("-1"), axis: one.axis ?? "y",
  });
  return [edge("min", one.min, "", ""), edge("max", one.max, fade(colour, BAND_EDGE_OPACITY), fade(colour, BAND_OPACITY))];
}

/**
 * The highest value the axis must show; a stack is as high as its sum, a band as its maximum.
 * @param {Plot} plot
 * @param {{grid: Grid, raw: boolean, hidden: ReadonlySet<string>}} view
 */
export function highestOf(plot, { grid, raw, hidden }) {
  const series = drawnSeries(plot, hidden).filter((one) => one.axis !== "right");
  const lines = isStacked(plot, series) ? stackPlanes(series.map((one) => onGrid(grid, one.mean))) : series.map((one) => one.mean);
  const bands = raw ? [] : bandsOf(plot, hidden).filter((one) => one.axis !== "right").map((one) => one.max);
  const columns = [...lines, ...bands];
  return columns.reduce((top, column) => column.reduce((high, value) => Math.max(high, value ?? 0), top), 0);
}

/**
 * The lowest value the axis must show, at most zero.
 * @param {Plot} plot
 * @param {{raw: boolean, hidden: ReadonlySet<string>}} view
 */
export function lowestOf(plot, { raw, hidden }) {
  const columns = drawnSeries(plot, hidden).filter((one) => one.axis !== "right").flatMap((one) => (raw ? [one.mean] : [one.mean, one.min]));
  return columns.reduce((bottom, column) => column.reduce((low, value) => Math.min(low, value ?? 0), bottom), 0);
}

/**
 * Where this plot has no data at all.
 * @param {Plot} plot
 * @param {Grid} grid
 * @param {{step: number, raw: boolean, interval?: number}} history
 * @param {{start: number, end: number}} bounds
 */
export function gapsOf(plot, grid, history, bounds) {
  const present = (i) => grid.index[i] >= 0 && plot.series.some((one) => one.mean[grid.index[i]] !== null);
  return gapSpans(grid.xs, present, history, bounds);
}

/** Points that no line would show, as both their neighbours are missing. @param {Point[]} data */
export function lonePoints(data) {
  const missing = (i) => data[i] === undefined || data[i].y === null;
  return data.map((point, i) => point.y !== null && missing(i - 1) && missing(i + 1));
}
