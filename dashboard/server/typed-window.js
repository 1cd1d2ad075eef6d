// @ts-check
/** Windows as people type them, and the fields they type them into. */

import { liveWindow, MIN_SPAN, RANGES, timestamp } from "../timescale.js";

/** @typedef {import("../timescale.js").Window} Window */
/** @typedef {import("../timescale.js").Zone} Zone */

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/**
 * The text of a `datetime-local` field for an instant.
 * @param {number} ms
 * @param {Zone} zone
 */
export const fieldText = (ms, zone) => timestamp(ms, zone).replace(" ", "T");

/**
 * The instant of a `datetime-local` field's text; NaN when it is not a time.
 * @param {string} text
 * @param {Zone} zone
 */
export const fieldTime = (text, zone) => Date.parse(zone === "utc" ? `${text}Z` : text);

const UNITS = /** @type {Record<string, number>} */ ({ minutes: MINUTE, hours: 60 * MINUTE, days: DAY });

/**
 * `Last [n] [unit]` as a window, or the sentence that says what to change.
 * @param {string} count
 * @param {string} unit
 * @param {number} now
 * @returns {{window: Window} | {error: string}}
 */
export function parseLast(count, unit, now) {
  const span = Number(count) * (UNITS[unit] ?? NaN);
  if (!(span >= MINUTE)) return { error: "Last: enter a number of at least 1." };
  if (span > 366 * DAY) return { error: "Last: enter at most 366 days." };
  const known = RANGES.find((range) => range.span === span);
  if (known) return { window: liveWindow(known.key) };
  return { window: { kind: "fixed", from: Math.round((now - span) / 1000) * 1000, to: Math.round(now / 1000) * 1000 } };
}

/**
 * `From` and `To` fields as a window, or the sentence that says what to change.
 * @param {string} fromText
 * @param {string} toText
 * @param {Zone} zone
 * @returns {{window: Window} | {error: string}}
 */
export function parseFromTo(fromText, toText, zone) {
  const from = fieldTime(fromText, zone);
  const to = fieldTime(toText, zone);
  if (Number.isNaN(from)) return { error: "From: enter a date and a time." };
  if (Number.isNaN(to)) return { error: "To: enter a date and a time." };
  if (to - from < MIN_SPAN) return { error: "To: enter a time at least 30 seconds after From." };
  return { window: { kind: "fixed", from, to } };
}
