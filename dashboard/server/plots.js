// @ts-check
/** The charts of the Server page: for each what it draws of a history, or null when nothing was sent. */

import { findSeries, hasValue, instancesOf, sumSeries } from "../charts/history.js";
import * as format from "../format.js";

/** @typedef {import("../charts/plan.js").Plot} Plot */
/** @typedef {import("../charts/plan.js").PlotSeries} PlotSeries */
/** @typedef {import("../charts/history.js").Series} Series */
/**
 * @typedef {object} Source
 * @property {import("../charts/history.js").History} history
 * @property {Map<string, import("../decode.js").Metric>} catalogue
 * @property {{cores?: number, memory_total?: number, swap_total?: number}} sizes
 * @property {{nic: string, disk: string}} choice an instance, "" for the server's total
 */
/** @typedef {{key: string, title: string, missing: string, draw: (source: Source) => Plot | null, picks?: "nic" | "disk", level?: number}} Definition `level` of its heading, 2 if not set */

const COLOURS = ["s1", "s2", "s3", "s4", "s5", "s6"];
const MAX_LINES = 6;
const FAULTS = ["errin_per_sec", "errout_per_sec", "dropin_per_sec", "dropout_per_sec"];

/**
 * @param {string} key @param {string} label @param {string} colour
 * @param {Series | undefined} series
 * @param {Partial<PlotSeries>} [more]
 * @returns {PlotSeries[]} empty when there is no such series
 */
function line(key, label, colour, series, more = {}) {
  if (!series) return [];
  const { unit, mean, min, max } = series;
  return [{ key, label, colour, unit, mean, min, max, ...more }];
}

/**
 * The catalogue's lines for a metric; `scale` turns a percentage into what the axis shows.
 * @param {Source} source @param {string} metric
 * @param {{scale?: (value: number) => number, words?: (value: number) => string}} [as]
 */
function thresholds({ catalogue }, metric, { scale = (value) => value, words = format.percent } = {}) {
  const { warning, critical } = catalogue.get(metric) ?? {};
  const line = (value, level) => (format.isNumber(value) ? [{ value: scale(value), level, label: words(value) }] : []);
  return [...line(warning, "warn"), ...line(critical, "crit")];
}

/** @param {Source} source @param {string} metric @param {string} [instance] */
const find = (source, metric, instance = "") => findSeries(source.history, metric, instance);

/** @param {Source} source @returns {Plot | null} */
function cpu(source) {
  const total = find(source, "cpu_percent_total");
  const other = sumSeries([find(source, "cpu_percent_irq"), find(source, "cpu_percent_nice")], source.history.raw);
  const modes = [
    ...line("user", "user", "s1", find(source, "cpu_percent_user")),
    ...line("system", "system", "s2", find(source, "cpu_percent_system")),
    ...line("iowait", "iowait", "s3", find(source, "cpu_percent_iowait")),
    ...line("steal", "steal", "s4", find(source, "cpu_percent_steal")),
    ...line("other", "other", "s5", other),
  ];
  const { cores } = source.sizes;
  const series = modes.length
    ? [...modes, ...line("total", "total", "", total)]
    : line("total", "total", "s1", total);
  if (!series.length) return null;
  return {
    subtitle: cores ? `% of ${format.plural(cores, "core")}` : "% of all cores",
    layout: "stack", band: "total", axis: { kind: "percent", fixed: 100 }, series, thresholds: thresholds(source, "cpu_percent_total"),
  };
}

/** @param {Source} source @returns {Plot | null} */
function memory(source) {
  const total = source.sizes.memory_total;
  const cache = sumSeries([find(source, "memory_cached"), find(source, "memory_buffers")], source.history.raw);
  const series = [
    ...line("used", "used", "s1", find(source, "memory_used")),
    ...line("cache", "cache + buffers", "s3", cache, { area: 0.4 }),
    ...line("arc", "ZFS cache", "s6", find(source, "memory_zfs_arc"), { area: 0.4 }),
  ];
  if (!series.length) return null;
  const lines = total ? thresholds(source, "memory_percent", { scale: (percent) => (percent / 100) * total }) : [];
  return {
    subtitle: total ? `of ${format.bytes(total)}` : "",
    layout: "stack", band: "used", axis: { kind: "bytes", fixed: total }, series,
    thresholds: lines.filter((one) => one.level === "warn"),
  };
}

/** @param {Source} source @returns {Plot | null} */
function load(source) {
  const series = [
    ...line("1m", "1 min", "s1", find(source, "load_average", "1m")),
    ...line("5m", "5 min", "s2", find(source, "load_average", "5m")),
    ...line("15m", "15 min", "s3", find(source, "load_average", "15m")),
  ];
  if (!series.length) return null;
  const { cores } = source.sizes;
  const words = cores ? format.plural(cores, "core") : "";
  return {
    subtitle: words, layout: "lines", axis: { kind: "load" }, series,
    thresholds: cores ? [{ value: cores, level: "note", label: words }] : [],
  };
}

/** @param {Source} source @returns {Plot | null} */
function network(source) {
  const { nic } = source.choice;
  const series = [
    ...line("in", "in", "s1", find(source, "bytes_recv_per_sec", nic), { area: 0.16 }),
    ...line("out", "out", "s2", find(source, "bytes_sent_per_sec", nic), { area: 0.16, below: true }),
  ];
  if (!series.length) return null;
  return {
    subtitle: "in above, out below", layout: "lines", axis: { kind: "rate", mirrored: true }, series,
    marks: faults(source, nic),
  };
}

/** Instants at which an interface lost packets. @param {Source} source @param {string} nic */
function faults({ history }, nic) {
  const columns = history.series.filter((one) => FAULTS.includes(one.metric) && (!nic || one.instance === nic));
  return history.times.filter((_, i) => columns.some((one) => (one.max[i] ?? 0) > 0));
}

/** @param {Source} source @returns {Plot | null} */
function throughput(source) {
  const { disk } = source.choice;
  const series = [
    ...line("read", "read", "s1", find(source, "read_bytes_per_sec", disk), { area: 0.16 }),
    ...line("write", "write", "s2", find(source, "write_bytes_per_sec", disk), { area: 0.16, below: true }),
  ];
  if (!series.length) return null;
  return { subtitle: "read above, write below", layout: "lines", axis: { kind: "rate", mirrored: true }, series };
}

/** @param {Source} source @returns {Plot | null} */
function busy(source) {
  const disk = source.choice.disk || busiestDisk(source);
  const wait = find(source, "disk_await_ms", disk);
  const share = find(source, "disk_busy_percent", disk);
  const series = [
    ...line("await", "latency", "s1", wait),
    ...line("busy", "busy", "s6", share, { area: 0.18, axis: wait ? "right" : undefined }),
  ];
  if (!series.length) return null;
  return {
    subtitle: wait && share ? `${disk} · latency left, busy 0–100%` : disk,
    layout: "lines", axis: wait ? { kind: "ms" } : { kind: "percent", fixed: 100 }, series,
  };
}

/** @param {(number | null)[]} values */
function average(values) {
  const numbers = /** @type {number[]} */ (values.filter((value) => value !== null));
  return numbers.reduce((sum, value) => sum + value, 0) / (numbers.length || 1);
}

/** The disk that was busiest; the server has no total of a percentage. @param {Source} source */
function busiestDisk({ history }) {
  const disks = history.series.filter((one) => one.metric === "disk_busy_percent" && hasValue(one.mean));
  disks.sort((a, b) => average(b.mean) - average(a.mean) || a.instance.localeCompare(b.instance));
  return disks[0]?.instance ?? instancesOf(history, "disk_await_ms")[0] ?? "";
}

/**
 * One line for each of the highest instances, the rest only counted. They stand by name, so that
 * no line changes its colour when one overtakes another.
 * @param {Source} source @param {string} metric @param {string} noun
 */
export function highest(source, metric, noun) {
  const all = source.history.series.filter((one) => one.metric === metric && hasValue(one.mean));
  all.sort((a, b) => average(b.mean) - average(a.mean));
  const shown = all.slice(0, MAX_LINES).sort((a, b) => a.instance.localeCompare(b.instance, "en", { numeric: true }));
  const series = shown.flatMap((one, i) => line(one.instance, one.instance || noun, COLOURS[i], one));
  const others = all.length - shown.length;
  return { series, words: others ? `the ${MAX_LINES} highest, other ${others} not shown` : format.plural(all.length, noun) };
}

/** @param {Source} source @returns {Plot | null} */
function space(source) {
  const { series, words } = highest(source, "disk_percent", "mount");
  if (!series.length) return null;
  return {
    subtitle: `% used · ${words}`, layout: "lines", axis: { kind: "percent", fixed: 100 }, series,
    thresholds: thresholds(source, "disk_percent"),
  };
}

/** @param {Source} source @returns {Plot | null} */
function swap(source) {
  const size = source.sizes.swap_total;
  const used = line("used", "used", "s4", find(source, "swap_used"), { area: 0.4 });
  if (!used.length || size === 0) return null;
  const paging = [
    ...line("in", "swapped in", "", find(source, "swap_in_bytes_per_sec")),
    ...line("out", "swapped out", "", find(source, "swap_out_bytes_per_sec")),
  ];
  return {
    subtitle: size ? `of ${format.bytes(size)}` : "", layout: "lines", axis: { kind: "bytes", fixed: size },
    series: [...used, ...paging],
    thresholds: size ? thresholds(source, "swap_percent", { scale: (percent) => (percent / 100) * size }) : [],
  };
}

/** @param {Source} source @returns {Plot | null} */
function temperature(source) {
  const { series, words } = highest(source, "temperature_celsius", "sensor");
  if (!series.length) return null;
  const lines = thresholds(source, "temperature_celsius", { words: format.celsius });
  return { subtitle: words, layout: "lines", axis: { kind: "celsius" }, series, thresholds: lines };
}

/** @param {Source} source @returns {Plot | null} */
function processes(source) {
  const series = [
    ...line("total", "processes", "s1", find(source, "processes_total")),
    ...line("running", "running", "s2", find(source, "processes_running")),
    ...line("tcp", "TCP established", "s3", find(source, "tcp_established")),
  ];
  return series.length ? { subtitle: "count", layout: "lines", axis: { kind: "count" }, series } : null;
}

/** In the order of the page. @type {readonly Definition[]} */
export const PLOTS = Object.freeze([
  { key: "cpu", title: "CPU", missing: "CPU", draw: cpu },
  { key: "memory", title: "Memory", missing: "memory", draw: memory },
  { key: "load", title: "Load average", missing: "load", draw: load },
  { key: "network", title: "Network", missing: "network", draw: network, picks: "nic" },
  { key: "disk_io", title: "Disk throughput", missing: "disk throughput", draw: throughput, picks: "disk" },
  { key: "disk_busy", title: "Disk busy and latency", missing: "disk latency", draw: busy },
  { key: "disk_space", title: "Disk space", missing: "disk space", draw: space },
  { key: "swap", title: "Swap and paging", missing: "swap", draw: swap },
  { key: "temperature", title: "Temperatures", missing: "temperatures", draw: temperature },
  { key: "processes", title: "Processes and sockets", missing: "processes", draw: processes },
]);

/** All that the page's one question asks for. */
export const METRICS = Object.freeze([
  "cpu_percent_total", "cpu_percent_user", "cpu_percent_system", "cpu_percent_iowait", "cpu_percent_steal",
  "cpu_percent_irq", "cpu_percent_nice", "cpu_percent_per_core", "memory_used", "memory_percent", "memory_cached",
  "memory_buffers", "memory_zfs_arc", "swap_used", "swap_percent", "swap_in_bytes_per_sec", "swap_out_bytes_per_sec",
  "load_average", "bytes_recv_per_sec", "bytes_sent_per_sec", ...FAULTS, "read_bytes_per_sec", "write_bytes_per_sec",
  "disk_busy_percent", "disk_await_ms", "disk_percent", "temperature_celsius", "processes_total", "processes_running",
  "tcp_established",
]);
