// @ts-check
/** What a pointer means in time: pixels to instants, a drag to a pan, two fingers to a zoom. */

/** @typedef {{start: number, end: number}} Bounds */
/** @typedef {{left: number, right: number}} Track the plot's pixels from side to side */

const MIN_PINCH_PX = 8;

/** @param {number} x @param {Track} track @param {Bounds} bounds */
export function timeAt(x, { left, right }, { start, end }) {
  const share = Math.max(0, Math.min(1, (x - left) / (right - left || 1)));
  return start + share * (end - start);
}

/** @param {number} time @param {Track} track @param {Bounds} bounds */
export const pixelAt = (time, { left, right }, { start, end }) =>
  left + ((time - start) / (end - start || 1)) * (right - left);

/**
 * The window after dragging it by that many pixels, never past `now`.
 * @param {Bounds} bounds
 * @param {number} pixels to the right: into the past
 * @param {Track} track
 * @param {number} now
 * @returns {Bounds}
 */
export function panned({ start, end }, pixels, { left, right }, now) {
  const wanted = (-pixels / (right - left || 1)) * (end - start);
  const move = Math.min(wanted, Math.max(0, now - end));
  return { start: start + move, end: end + move };
}

/**
 * The window in which the instants first under two fingers are under them again.
 * @param {Bounds} bounds as it was when the second finger came
 * @param {[number, number]} from pixels then
 * @param {[number, number]} to pixels now
 * @param {Track} track
 * @param {{now: number, minSpan: number}} limits
 * @returns {Bounds}
 */
export function pinched(bounds, from, to, track, { now, minSpan }) {
  const [a, b] = [...from].sort((p, q) => p - q);
  const [c, d] = [...to].sort((p, q) => p - q);
  const span = bounds.end - bounds.start;
  const factor = Math.max(b - a, MIN_PINCH_PX) / Math.max(d - c, MIN_PINCH_PX);
  const width = Math.max(minSpan, span * factor);
  const middle = timeAt((a + b) / 2, track, bounds);
  const share = ((c + d) / 2 - track.left) / (track.right - track.left || 1);
  const end = Math.min(now, middle - share * width + width);
  return { start: end - width, end };
}
