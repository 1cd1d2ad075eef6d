// @ts-check
/** Which cores to show, and what they do at one sample. */

import { NO_DATA } from "../charts/describe.js";
import * as format from "../format.js";

/** @typedef {import("../charts/history.js").Series} Series */

/** More cores than this are not shown at once. */
export const FEW = 64;
const SHOWN_OF_MANY = 32;

/** @param {Series} series */
const mean = ({ mean: values }) => values.reduce((sum, value) => sum + (value ?? 0), 0);

/** The cores to show, by number; of very many the busiest. @param {Series[]} cores @param {boolean} all */
export function shownCores(cores, all) {
  const sorted = [...cores].sort((a, b) => Number(a.instance) - Number(b.instance));
  return all || sorted.length <= FEW ? sorted : sorted.sort((a, b) => mean(b) - mean(a)).slice(0, SHOWN_OF_MANY);
}

/**
 * What the crosshair says of the cores at that instant: the highest one, and the mean of all.
 * @param {Series[]} cores @param {number} index
 */
export function coresAt(cores, index) {
  const values = cores.map((core) => ({ core: core.instance, value: core.max[index] })).filter(({ value }) => format.isNumber(value));
  if (!values.length) return NO_DATA;
  const top = values.reduce((best, one) => (Number(one.value) > Number(best.value) ? one : best));
  const sum = cores.reduce((total, core) => total + (core.mean[index] ?? 0), 0);
  return `busiest cpu${top.core} ${format.percent(top.value)} · mean ${format.percent(sum / values.length)}`;
}
