// @ts-check
/** Numbers of people's own: which of them are asked for, and the chart that each gets. */

import { hasValue } from "../charts/history.js";
import { highest } from "./plots.js";

/** @typedef {import("./plots.js").Definition} Definition */
/** @typedef {import("./plots.js").Source} Source */

const PREFIX = "custom.";
export const MAX_CARDS = 24;
/** All names stand in one address; what lies between us and the server may cut it at 8 kB. */
const MAX_ADDRESS = 5000;

/** The question separates names by commas, and spaces around them do not count. @param {string} metric */
const canBeAsked = (metric) => !metric.includes(",") && metric.trim() === metric;

/** @param {unknown} value */
const isEntry = (value) => typeof value === "number" || (typeof value === "object" && value !== null);

/** The custom metrics of a report as received. @param {any} report @returns {string[]} */
export const reported = (report) =>
  Object.entries(report?.custom ?? {}).filter(([, value]) => isEntry(value)).map(([name]) => PREFIX + name);

/** The custom metrics among the series that a server has. @param {{metric: string}[]} series */
export const stored = (series) => series.map((one) => one.metric).filter((metric) => metric.startsWith(PREFIX));

/**
 * The first metrics by name, as many as get a card; the rest only counted.
 * @param {Iterable<string>} known
 * @returns {{asked: string[], others: number}}
 */
export function chosen(known) {
  const all = [...new Set(known)].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  let room = MAX_ADDRESS;
  const fits = (/** @type {string} */ metric) => (room -= new URLSearchParams({ "": `${metric},` }).toString().length) >= 0;
  const asked = all.filter(canBeAsked).slice(0, MAX_CARDS).filter(fits);
  return { asked, others: all.length - asked.length };
}

/** @param {string} metric @param {Source} source @returns {import("../charts/plan.js").Plot | null} */
function draw(metric, source) {
  const { series, words } = highest(source, metric, "instance");
  if (!series.length) return null;
  const alone = series.length === 1 && series[0].key === "";
  return {
    subtitle: alone ? "" : words, layout: "lines", axis: { kind: "number" },
    series: series.map((one) => (one.key ? one : { ...one, label: "value" })),
  };
}

/** The card of a metric. @param {string} metric @returns {Definition} */
export const customPlot = (metric) =>
  ({ key: metric, title: metric.slice(PREFIX.length), level: 3, missing: "", draw: (source) => draw(metric, source) });

/** The metrics that have a value in the window, in their order. @param {string[]} asked @param {import("../charts/history.js").History} history */
export function present(asked, history) {
  const seen = new Set(history.series.filter((one) => hasValue(one.mean)).map((one) => one.metric));
  return asked.filter((metric) => seen.has(metric));
}
