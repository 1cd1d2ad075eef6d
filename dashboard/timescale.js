// @ts-check
/** Time windows, their place in the address, calendar ticks and the text people type for them. */

/** @typedef {"local"|"utc"} Zone */
/** @typedef {{kind: "live", range: string} | {kind: "fixed", from: number, to: number}} Window */
/** @typedef {{start: number, end: number}} Bounds */
/** @typedef {{value: number, label: string, major: boolean}} TimeTick */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const RANGES = Object.freeze([
  { key: "5m", label: "Live 5m", words: "last 5 minutes", span: 5 * MINUTE },
  { key: "15m", label: "15m", words: "last 15 minutes", span: 15 * MINUTE },
  { key: "1h", label: "1h", words: "last hour", span: HOUR },
  { key: "6h", label: "6h", words: "last 6 hours", span: 6 * HOUR },
  { key: "24h", label: "24h", words: "last 24 hours", span: DAY },
  { key: "7d", label: "7d", words: "last 7 days", span: 7 * DAY },
  { key: "30d", label: "30d", words: "last 30 days", span: 30 * DAY },
  { key: "90d", label: "90d", words: "last 90 days", span: 90 * DAY },
]);
export const DEFAULT_RANGE = "1h";
/** What one answer holds at most; an hour in steps of 10 s is 361 points. */
export const MAX_POINTS = 400;
export const MIN_SPAN = 30 * SECOND;
/** Two years and a day: nothing older is kept. */
const MAX_SPAN = 732 * DAY;

const STEPS = [
  5 * SECOND, 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 6 * HOUR, DAY,
];
const TICK_STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 20 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** @returns {Window} */
export const liveWindow = (range = DEFAULT_RANGE) => ({ kind: "live", range });

/** The shortest range that shows a server whose first sample is so old, at most the default. @param {number} ageMs */
export const rangeFor = (ageMs) => RANGES.find(({ key, span }) => ageMs <= span || key === DEFAULT_RANGE)?.key ?? DEFAULT_RANGE;

/** @param {string} key */
const rangeOf = (key) => RANGES.find((range) => range.key === key);

/**
 * Read the window from the query of a page; anything senseless is the default window.
 * @param {URLSearchParams} query
 * @returns {Window}
 */
export function windowFromQuery(query) {
  const from = Date.parse(query.get("from") ?? "");
  const to = Date.parse(query.get("to") ?? "");
  if (to - from >= SECOND) return { kind: "fixed", from, to };
  const range = query.get("range") ?? "";
  return liveWindow(rangeOf(range) ? range : DEFAULT_RANGE);
}

/**
 * The fields of the query that say the window; null takes a field away, the default needs none.
 * @param {Window} window
 * @returns {{range: string | null, from: string | null, to: string | null}}
 */
export function windowFields(window) {
  if (window.kind === "fixed") return { range: null, from: isoSeconds(window.from), to: isoSeconds(window.to) };
  return { range: window.range === DEFAULT_RANGE ? null : window.range, from: null, to: null };
}

/** @param {number} ms */
const isoSeconds = (ms) => new Date(Math.round(ms / SECOND) * SECOND).toISOString().replace(".000Z", "Z");

/** @param {Window} a @param {Window} b */
export const sameWindow = (a, b) =>
  a.kind === "live"
    ? b.kind === "live" && a.range === b.range
    : b.kind === "fixed" && a.from === b.from && a.to === b.to;

/**
 * @param {Window} window
 * @param {number} now
 * @returns {Bounds}
 */
export function boundsOf(window, now) {
  if (window.kind === "fixed") return { start: window.from, end: window.to };
  const span = rangeOf(window.range)?.span ?? HOUR;
  return { start: now - span, end: now };
}

/**
 * The smallest step that shows a span in at most `points` points.
 * @param {number} span
 */
export function stepFor(span, points = MAX_POINTS) {
  return STEPS.find((step) => span / step <= points) ?? Math.ceil(span / points / DAY) * DAY;
}

/**
 * Move a window by a share of its width, never past `now`.
 * @param {Bounds} bounds
 * @param {number} share
 * @param {number} now
 * @returns {Window}
 */
export function shiftWindow({ start, end }, share, now) {
  const move = Math.min((end - start) * share, Math.max(0, now - end));
  return { kind: "fixed", from: wholeSecond(start + move), to: wholeSecond(end + move) };
}

/**
 * Double the width around the middle, never past `now` and never wider than two years.
 * @param {Bounds} bounds
 * @param {number} now
 * @returns {Window}
 */
export function widenWindow({ start, end }, now) {
  const span = end - start;
  const to = Math.min(end + span / 2, Math.max(now, end));
  const wide = Math.max(span, Math.min(2 * span, MAX_SPAN));
  return { kind: "fixed", from: wholeSecond(to - wide), to: wholeSecond(to) };
}

/** @param {number} ms */
const wholeSecond = (ms) => Math.round(ms / SECOND) * SECOND;

/**
 * A selection as a window: whole steps, or null when it is too narrow to mean anything.
 * @param {number} a
 * @param {number} b
 * @param {number} step
 * @returns {Window | null}
 */
export function selectionWindow(a, b, step) {
  const from = wholeSecond(Math.min(a, b));
  const to = wholeSecond(Math.max(a, b));
  return to - from >= Math.max(6 * step, MIN_SPAN) ? { kind: "fixed", from, to } : null;
}

/**
 * Milliseconds the wall clock is ahead of UTC at that instant.
 * @param {number} ms
 * @param {Zone} zone
 */
const offsetAt = (ms, zone) => (zone === "utc" ? 0 : -new Date(ms).getTimezoneOffset() * MINUTE);

/** @param {number} ms @param {Zone} zone */
const wallClock = (ms, zone) => new Date(ms + offsetAt(ms, zone));

/** @param {number} n */
const two = (n) => String(n).padStart(2, "0");

/** `08:12`, or `08:12:04` with seconds. @param {number} ms @param {Zone} zone */
export function clock(ms, zone = "local", seconds = false) {
  const wall = wallClock(ms, zone);
  const minutes = `${two(wall.getUTCHours())}:${two(wall.getUTCMinutes())}`;
  return seconds ? `${minutes}:${two(wall.getUTCSeconds())}` : minutes;
}

/** `23 Nov`. @param {number} ms @param {Zone} zone */
export function day(ms, zone = "local") {
  const wall = wallClock(ms, zone);
  return `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`;
}

/** `08:12`, where several days are shown `23 Nov 08:12`. @param {number} ms @param {number} span @param {Zone} zone */
export const moment = (ms, span, zone = "local", seconds = false) =>
  span >= DAY ? `${day(ms, zone)} ${clock(ms, zone, seconds)}` : clock(ms, zone, seconds);

/** `2026-11-23 08:12:04`. @param {number} ms @param {Zone} zone */
export const timestamp = (ms, zone = "local") =>
  wallClock(ms, zone).toISOString().slice(0, 19).replace("T", " ");

/**
 * `07:00–08:00`, with seconds below ten minutes and days when it spans midnight.
 * @param {Bounds} bounds
 * @param {Zone} zone
 */
export function boundsLabel({ start, end }, zone = "local") {
  const seconds = end - start < 10 * MINUTE;
  const from = clock(start, zone, seconds);
  const to = clock(end, zone, seconds);
  const [first, last] = [day(start, zone), day(end, zone)];
  return first === last ? `${from}–${to}` : `${first} ${from} – ${last} ${to}`;
}

/** @param {Window} window @param {Zone} zone */
export const windowWords = (window, zone = "local") =>
  window.kind === "live"
    ? (rangeOf(window.range)?.words ?? "")
    : boundsLabel({ start: window.from, end: window.to }, zone);

/** The window as the end of a sentence: `in the last hour`, `between 07:00 and 08:00`. @param {Window} window @param {Zone} zone */
export const windowPhrase = (window, zone = "local") =>
  window.kind === "live" ? `in the ${windowWords(window)}` : `between ${windowWords(window, zone).replace("–", " and ")}`;

/**
 * The next instant after `ms` whose wall clock is a multiple of `step`: over a change to or from
 * summer time the distance is longer or shorter, the label stays round.
 * @param {number} ms
 * @param {number} step
 * @param {Zone} zone
 */
function nextRound(ms, step, zone) {
  const next = ms + step;
  const rest = modulo(next + offsetAt(next, zone), step);
  if (rest === 0) return next;
  const earlier = next - rest;
  return rest <= step / 2 && earlier > ms && isRound(earlier, step, zone) ? earlier : next + step - rest;
}

/** @param {number} ms @param {number} step @param {Zone} zone */
const isRound = (ms, step, zone) => modulo(ms + offsetAt(ms, zone), step) === 0;

/** @param {number} a @param {number} b */
const modulo = (a, b) => ((a % b) + b) % b;

/**
 * Round wall-clock instants within the bounds, at most `most` of them.
 * @param {Bounds} bounds
 * @param {number} most
 * @param {Zone} zone
 * @returns {TimeTick[]}
 */
export function timeTicks({ start, end }, most, zone = "local") {
  const span = end - start;
  if (!(span > 0)) return [];
  const step = TICK_STEPS.find((size) => span / size <= most) ?? Math.ceil(span / most / DAY) * DAY;
  const ticks = [];
  let at = start - modulo(start + offsetAt(start, zone), step);
  for (; at <= end; at = nextRound(at, step, zone)) {
    if (at >= start) ticks.push(timeTick(at, step, zone));
  }
  return ticks;
}

/** @param {number} value @param {number} step @param {Zone} zone @returns {TimeTick} */
function timeTick(value, step, zone) {
  const major = isRound(value, DAY, zone);
  return { value, label: major ? day(value, zone) : clock(value, zone, step < MINUTE), major };
}
