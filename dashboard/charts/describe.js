// @ts-check
/** A chart in words: legend values, the label for screen readers, the rows of its table. */

import * as format from "../format.js";
import { moment, timestamp } from "../timescale.js";
import { statsOf } from "./history.js";
import { bandSeries } from "./plan.js";

/** @typedef {import("./plan.js").Plot} Plot */
/** @typedef {import("./plan.js").PlotSeries} PlotSeries */
/** @typedef {import("../timescale.js").Zone} Zone */

export const NO_DATA = "no data";
/** Shorter buckets are told by their start alone. */
const LONG_STEP_MS = 60_000;
/** Marks and hatching say enough; a value this far from the end is not called the current one. */
const STALE_STEPS = 3;

/**
 * The index of the newest value of any series that is fresh at `end`, or -1.
 * @param {PlotSeries[]} series @param {{times: number[], step: number}} history @param {number} [end] without it any is fresh
 */
export function newestIndex(series, { times, step }, end = -Infinity) {
  const empty = (i) => series.every((one) => one.mean[i] === null);
  let newest = times.length - 1;
  while (newest >= 0 && empty(newest)) newest -= 1;
  return newest >= 0 && end - times[newest] > STALE_STEPS * step ? -1 : newest;
}

/** @param {number | null | undefined} value @param {string} unit */
export const valueText = (value, unit) => (format.isNumber(value) ? format.inUnit(value, unit) : NO_DATA);

/** `12–100%`, one unit for both where it is the same. @param {number} low @param {number} high @param {string} unit */
export function spanText(low, high, unit) {
  const [from, to] = [valueText(low, unit), valueText(high, unit)];
  const [own, name] = [from, to].map((text) => /\D*$/.exec(text)?.[0] ?? "");
  if (from === to) return to;
  return own === name ? `${from.slice(0, from.length - own.length)}–${to}` : `${from} – ${to}`;
}

/**
 * The texts of a legend; where there is nothing at all it is said once, so that no legend grows.
 * @param {Plot} plot @param {number} index -1 for none @param {boolean} raw
 */
export function legendTexts(plot, index, raw) {
  const told = raw ? [] : bandSeries(plot);
  const texts = plot.series.map((one) => pointText(one, index, told.includes(one)));
  const nothing = texts.every((text) => text === NO_DATA);
  return nothing ? texts.map((text, i) => (i === 0 ? text : format.MISSING)) : texts;
}

/**
 * The value of a series at an index of the history, and of a bucket what it lay between: `40% (12–100%)`.
 * @param {PlotSeries} series @param {number} index -1 for none @param {boolean} withSpan
 */
function pointText({ mean, min, max, unit }, index, withSpan) {
  const text = valueText(mean[index], unit);
  const [low, high] = [min[index], max[index]];
  if (!withSpan || !format.isNumber(low) || !format.isNumber(high)) return text;
  const span = spanText(low, high, unit);
  return span === text ? text : `${text} (${span})`;
}

/** What a point is: `every 5 s`, or `avg per 10 s, band = min–max`. @param {Plot} plot @param {{raw: boolean, step: number}} history */
export function stepWords(plot, { raw, step }) {
  const length = format.every(step / 1000);
  if (raw) return `every ${length}`;
  const told = bandSeries(plot);
  if (!told.length) return `avg per ${length}`;
  const whose = told.length < plot.series.length ? ` of ${told[0].label}` : "";
  return `avg per ${length}, band = min–max${whose}`;
}

/**
 * What the crosshair is on: the instant of a sample, of a longer bucket its beginning and end.
 * @param {number} time @param {{raw: boolean, step: number}} history @param {number} span of the window @param {Zone} zone
 */
export function instantWords(time, { raw, step }, span, zone) {
  if (raw || step < LONG_STEP_MS) return moment(time, span, zone, true);
  return `${moment(time, span, zone)}–${moment(time + step, step, zone)}`;
}

/** @param {{start: number, end: number}[]} gaps */
function gapWords(gaps) {
  if (!gaps.length) return "no gaps";
  const longest = Math.max(...gaps.map((gap) => gap.end - gap.start));
  const words = format.duration(longest / 1000);
  return gaps.length === 1 ? `1 gap of ${words}` : `${gaps.length} gaps, the longest ${words}`;
}

/**
 * `CPU, last hour: now 57%, min 31%, max 100% at 08:28, 1 gap of 6 minutes`.
 * @param {string} title
 * @param {Plot} plot
 * @param {{times: number[], words: string, live: boolean, gaps: {start: number, end: number}[], zone: Zone}} shown
 */
export function chartLabel(title, plot, { times, words, live, gaps, zone }) {
  const main = plot.series.find((series) => series.colour === "") ?? plot.series[0];
  const stats = main ? statsOf(times, main) : null;
  if (!stats) return `${title}, ${words}: no data`;
  const text = (value) => valueText(value, main.unit);
  const maxAt = moment(stats.maxAt, times[times.length - 1] - times[0], zone);
  const name = plot.series.length > 1 ? `${main.label} ` : "";
  return `${title}, ${words}: ${name}${live ? "now" : "last"} ${text(stats.last)}, min ${text(stats.min)}, `
    + `max ${text(stats.max)} at ${maxAt}, ${gapWords(gaps)}`;
}

/** @typedef {{label: string, min: string, avg: string, max: string, last: string}} StatsRow */

/** @param {Plot} plot @param {number[]} times @returns {StatsRow[]} */
export function statsRows(plot, times) {
  return plot.series.map((series) => {
    const stats = statsOf(times, series);
    const text = (value) => (Number.isNaN(value) ? format.MISSING : valueText(value, series.unit));
    return { label: series.label, min: text(stats?.min), avg: text(stats?.avg), max: text(stats?.max), last: text(stats?.last) };
  });
}

/**
 * The newest first: a time and one text per series.
 * @param {Plot} plot
 * @param {{xs: number[], index: number[]}} grid
 * @param {Zone} zone
 * @param {boolean} raw
 */
export function tableRows(plot, grid, zone, raw) {
  const told = raw ? [] : bandSeries(plot);
  const rows = grid.xs.map((time, k) => {
    const i = grid.index[k];
    return { time: i < 0 ? "gap" : timestamp(time, zone), values: plot.series.map((one) => pointText(one, i, told.includes(one))) };
  });
  return rows.reverse();
}

/**
 * The shown values as a CSV file: avg, min and max of every series, gaps as empty cells.
 * @param {Plot} plot
 * @param {{xs: number[], index: number[]}} grid
 */
export function csvText(plot, grid) {
  const head = ["time_iso", ...plot.series.flatMap(({ label }) => [`${label} avg`, `${label} min`, `${label} max`])];
  const rows = grid.xs.map((time, k) => {
    const i = grid.index[k];
    return [new Date(time).toISOString(), ...plot.series.flatMap((one) => [one.mean[i], one.min[i], one.max[i]])];
  });
  return [head, ...rows].map((row) => row.map(format.csvCell).join(",")).join("\r\n") + "\r\n";
}
