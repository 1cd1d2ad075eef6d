// @ts-check
/** The headline numbers: now, and what they did in the shown range. */

import { findSeries, lastValue, statsOf } from "../charts/history.js";
import * as format from "../format.js";
import { hasValues, level } from "../status.js";

/** @typedef {import("../decode.js").Server} Server */
/** @typedef {{key: string, label: string, value: string, detail: string, range: string, level: string}} Kpi */
/**
 * @typedef {object} Situation
 * @property {Server} row
 * @property {import("../charts/history.js").History} history
 * @property {Map<string, import("../decode.js").Metric>} catalogue
 * @property {{cores?: number, memory_total?: number, swap_total?: number}} sizes
 * @property {boolean} live the window ends now
 * @property {(mount: string) => string} [fullIn] `full in 3.4 d` of a disk that will soon be, else ""
 * @property {string} [at] the end of a window of the past, as a time of day
 */

/** `min 31% · avg 52% · max 91%`, "" without a value. */
function rangeText(history, series, write) {
  const stats = series && statsOf(history.times, series);
  // Rates are long, and a lowest rate says little: there is room for two.
  if (stats && write === format.byteRate) return `avg ${write(stats.avg)} · max ${write(stats.max)}`;
  return stats ? `min ${write(stats.min)} · avg ${write(stats.avg)} · max ${write(stats.max)}` : "";
}

/**
 * The current value: of the row while live, of the window's end in the past, none of a server that is away.
 * @param {Situation} situation @param {number | undefined} current @param {import("../charts/history.js").Series | undefined} series
 */
function shown({ row, live }, current, series) {
  if (!live) return series && lastValue(series.mean);
  return hasValues(row) ? (current ?? (series && lastValue(series.mean))) : undefined;
}

/** @param {Situation} situation @returns {Kpi} */
function cpu(situation) {
  const { row, history, catalogue, sizes } = situation;
  const series = findSeries(history, "cpu_percent_total");
  const value = shown(situation, row.cpu_percent_total, series);
  return {
    key: "cpu", label: "CPU", value: format.percent(value), detail: sizes.cores ? format.plural(sizes.cores, "core") : "",
    range: rangeText(history, series, format.percent), level: level(catalogue.get("cpu_percent_total"), value),
  };
}

/** @param {Situation} situation @param {"memory" | "swap"} what @param {string} label @returns {Kpi} */
function storage(situation, what, label) {
  const { row, history, catalogue, sizes } = situation;
  const series = findSeries(history, `${what}_percent`);
  const percent = shown(situation, row[`${what}_percent`], series);
  const used = shown(situation, undefined, findSeries(history, `${what}_used`));
  const size = sizes[`${what}_total`];
  if (size === 0) return { key: what, label, value: "none", detail: `no ${what} configured`, range: "", level: "" };
  return {
    key: what, label, value: format.isNumber(used) ? format.bytes(used) : format.percent(percent),
    detail: format.isNumber(percent) && size ? `${format.percent(percent)} of ${format.bytes(size)}` : "",
    range: rangeText(history, series, format.percent), level: level(catalogue.get(`${what}_percent`), percent),
  };
}

/** @param {Situation} situation @returns {Kpi} */
function load(situation) {
  const { row, history, sizes } = situation;
  const cores = sizes.cores || 1;
  const series = findSeries(history, "load_average", "1m");
  const last = shown(situation, row.load_per_core === undefined ? undefined : row.load_per_core * cores, series);
  const perCore = (value) => format.load(value / cores);
  return {
    key: "load", label: "Load / core", value: format.isNumber(last) ? perCore(last) : format.MISSING,
    detail: sizes.cores ? `1 min, ${format.plural(sizes.cores, "core")}` : "1 min",
    range: rangeText(history, series, perCore), level: "",
  };
}

/** @param {Situation} situation @returns {Kpi} */
function disk(situation) {
  const { row, history, catalogue } = situation;
  const all = history.series.filter((one) => one.metric === "disk_percent");
  const fullest = all.reduce((best, one) => ((lastValue(one.mean) ?? -1) > (best ? lastValue(best.mean) ?? -1 : -1) ? one : best), undefined);
  const series = situation.live && row.disk_mountpoint ? findSeries(history, "disk_percent", row.disk_mountpoint) : fullest;
  const value = shown(situation, row.disk_percent, series);
  const mount = series?.instance ?? row.disk_mountpoint ?? "";
  const full = (situation.live && situation.fullIn?.(mount)) || "";
  return {
    key: "disk_space", label: "Fullest disk", value: format.percent(value),
    detail: format.isNumber(value) ? [mount, full].filter(Boolean).join(" · ") : "",
    range: rangeText(history, series, format.percent), level: level(catalogue.get("disk_percent"), value),
  };
}

/** @param {Situation} situation @returns {Kpi} */
function network(situation) {
  const { row, history } = situation;
  const inward = findSeries(history, "bytes_recv_per_sec");
  const value = shown(situation, row.bytes_recv_per_sec, inward);
  const out = shown(situation, row.bytes_sent_per_sec, findSeries(history, "bytes_sent_per_sec"));
  return {
    key: "network", label: "Network in", value: format.byteRate(value),
    detail: format.isNumber(out) ? `${format.byteRate(out)} out` : "", range: rangeText(history, inward, format.byteRate), level: "",
  };
}

/** @param {Situation} situation @returns {Kpi[]} */
export const kpis = (situation) => [
  cpu(situation), storage(situation, "memory", "Memory"), storage(situation, "swap", "Swap"),
  load(situation), disk(situation), network(situation),
].map((kpi) => (situation.at ? { ...kpi, label: `${kpi.label} at ${situation.at}` } : kpi));

