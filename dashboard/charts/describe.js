// @ts-check
/** A chart in words: legend values, the label for screen readers, the rows of its table. */

import * as format from "../format.js";
import { clock, timestamp } from "../timescale.js";
import { statsOf } from "./history.js";

/** @typedef {import("./plan.js").Plot} Plot */
/** @typedef {import("./plan.js").PlotSeries} PlotSeries */
/** @typedef {import("../timescale.js").Zone} Zone */

export const NO_DATA = "no data";
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

/**
 * The texts of a legend; where there is nothing at all it is said once, so that no legend grows.
 * @param {PlotSeries[]} series @param {number} index -1 for none @param {boolean} raw
 */
export function legendTexts(series, index, raw) {
  const texts = series.map((one) => legendText(one, index, raw));
  const nothing = texts.every((text) => text === NO_DATA);
  return nothing ? texts.map((text, i) => (i === 0 ? text : format.MISSING)) : texts;
}

/**
 * The value of a series at an index of the history; in buckets an invisible one adds its maximum.
 * @param {PlotSeries} series @param {number} index -1 for none @param {boolean} raw
 */
function legendText(series, index, raw) {
  const text = valueText(series.mean[index], series.unit);
  const peak = valueText(series.max[index], series.unit);
  const told = !raw && series.colour === "" && peak !== text;
  return told ? `${text} (max ${peak})` : text;
}

/** `avg per 10 s, band = min–max`; nothing for samples as they came. @param {Plot} plot @param {{raw: boolean, step: number}} history */
export function stepWords(plot, { raw, step }) {
  if (raw) return "";
  const per = `avg per ${format.duration(step / 1000)}`;
  return plot.layout === "stack" && plot.series.length > 1 ? per : `${per}, band = min–max`;
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
  const name = plot.series.length > 1 ? `${main.label} ` : "";
  return `${title}, ${words}: ${name}${live ? "now" : "last"} ${text(stats.last)}, min ${text(stats.min)}, `
    + `max ${text(stats.max)} at ${clock(stats.maxAt, zone)}, ${gapWords(gaps)}`;
}

/** @typedef {{label: string, min: string, avg: string, max: string, last: string}} StatsRow */

/** @param {Plot} plot @param {number[]} times @returns {StatsRow[]} */
export function statsRows(plot, times) {
  return plot.series.map((series) => {
    const stats = statsOf(times, series);
    const text = (value) => valueText(value, series.unit);
    return { label: series.label, min: text(stats?.min), avg: text(stats?.avg), max: text(stats?.max), last: text(stats?.last) };
  });
}

/**
 * The newest first: a time and one text per series.
 * @param {Plot} plot
 * @param {{xs: number[], index: number[]}} grid
 * @param {Zone} zone
 */
export function tableRows(plot, grid, zone) {
  const rows = grid.xs.map((time, k) => {
    const i = grid.index[k];
    return { time: i < 0 ? "gap" : timestamp(time, zone), values: plot.series.map((one) => valueText(one.mean[i], one.unit)) };
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
