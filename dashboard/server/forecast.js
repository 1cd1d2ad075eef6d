// @ts-check
/** When a disk will be full: from how steadily it grew in its last days, or why nothing can be said. */

import * as format from "../format.js";

/** @typedef {import("../charts/history.js").History} History */
/** @typedef {{learnedMs: number, bytesPerMs: number}} Growth of one disk; 0 bytes where it does not grow steadily */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Sooner than this it stands among the headline numbers. */
const SOON_MS = 14 * DAY_MS;
/** Less history than this says nothing. */
const LEAST_MS = DAY_MS;
/** A disk that was cleaned up by this share begins anew. */
const CLEANED = 0.1;
/** Of all pairs of instants so many more must rise than fall; a single step upwards reaches a half. */
const STEADY = 0.6;

/** How each mount grew. @param {History} history of `disk_used` @returns {Map<string, Growth>} */
export const growths = ({ times, series }) => new Map(series.map((one) => [one.instance, growthOf(times, one.mean)]));

/**
 * The median of the slopes between all pairs of instants: no single odd hour moves it.
 * @param {number[]} times @param {(number | null)[]} used bytes
 * @returns {Growth}
 */
export function growthOf(times, used) {
  const points = sinceCleaned(times.flatMap((time, i) => (used[i] === null ? [] : [{ time, used: Number(used[i]) }])));
  const learnedMs = points.length ? points[points.length - 1].time - points[0].time : 0;
  if (learnedMs < LEAST_MS) return { learnedMs, bytesPerMs: 0 };
  const slopes = points.flatMap((to, i) => points.slice(0, i).map((from) => (to.used - from.used) / (to.time - from.time)));
  const balance = slopes.reduce((sum, slope) => sum + Math.sign(slope), 0) / slopes.length;
  const median = Float64Array.from(slopes).sort()[slopes.length >> 1];
  return { learnedMs, bytesPerMs: balance >= STEADY ? Math.max(median, 0) : 0 };
}

/** @param {{time: number, used: number}[]} points */
function sinceCleaned(points) {
  const last = points.reduce((found, { used }, i) => (i > 0 && used < points[i - 1].used * (1 - CLEANED) ? i : found), 0);
  return points.slice(last);
}

/** Milliseconds until the disk is full; Infinity when it does not grow. @param {Growth} growth @param {number} free bytes */
export const fullInMs = ({ bytesPerMs }, free) => (bytesPerMs > 0 ? free / bytesPerMs : Infinity);

/** @param {Growth | undefined} growth @param {number | undefined} free bytes */
export const isSoon = (growth, free) => growth !== undefined && format.isNumber(free) && fullInMs(growth, free) < SOON_MS;

/** @param {number} ms */
function horizon(ms) {
  const days = ms / DAY_MS;
  if (days < 1) return `${Math.max(1, Math.floor(ms / HOUR_MS))} h`;
  if (days > 365) return "> 1 year";
  return `${days < 10 ? days.toFixed(1) : Math.floor(days)} d`;
}

/**
 * `9 h`, `3.4 d`, `27 d`, `> 1 year`, `not growing`, `learning (18 h of 24 h)`.
 * @param {Growth | undefined} growth @param {number | undefined} free bytes
 */
export function fullInWords(growth, free) {
  if (!growth || !format.isNumber(free)) return format.MISSING;
  if (growth.learnedMs < LEAST_MS) return `learning (${Math.floor(growth.learnedMs / HOUR_MS)} h of 24 h)`;
  const ms = fullInMs(growth, free);
  return Number.isFinite(ms) ? horizon(ms) : "not growing";
}
