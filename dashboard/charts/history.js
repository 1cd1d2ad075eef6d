// @ts-check
/** The answer of the history question as something to draw: series, a time grid, gaps, statistics. */

/** @typedef {(number | null)[]} Values */
/** @typedef {{metric: string, instance: string, unit: string, mean: Values, min: Values, max: Values}} Series */
/** @typedef {{start: number, end: number, step: number, raw: boolean, times: number[], series: Series[], interval?: number}} History `interval`: of the server's samples, where it is known */
/** @typedef {{start: number, end: number}} Span */
/** @typedef {{xs: number[], index: number[]}} Grid `index` points into the history, -1 where a gap is */

/** A hole is a gap when two samples are further apart than this many steps. */
const GAP_STEPS = 2;
/** A bucket as long as this holds several samples, so that a single empty one is a hole. */
const LONG_STEP_MS = 60_000;

const HOUR_MS = 3_600_000;
/** A smaller part of a window that is missing at its start is only hatched. */
const LEAST_MISSING = 0.05;

/**
 * Two instants further apart than this have a gap between them; a slow server leaves buckets empty.
 * @param {{step: number, raw: boolean, interval?: number}} history
 */
export const gapAfter = ({ step, raw, interval = 0 }) =>
  Math.max(raw || step < LONG_STEP_MS ? GAP_STEPS * step : step, GAP_STEPS * interval);

/** @param {Series} series */
const keyOf = (series) => `${series.metric}\n${series.instance}`;

/** @returns {History} */
export const emptyHistory = (start = 0, end = 0) => ({ start, end, step: 5000, raw: true, times: [], series: [] });

/** The series of a metric, if it has a value in the window. @param {History} history @param {string} metric */
export const findSeries = (history, metric, instance = "") =>
  history.series.find((series) => series.metric === metric && series.instance === instance && hasValue(series.mean));

/** Instances of a metric that have a value in the window. @param {History} history @param {string} metric */
export const instancesOf = (history, metric) =>
  history.series.filter((one) => one.metric === metric && hasValue(one.mean)).map((one) => one.instance);

/** @param {Values} values */
export const hasValue = (values) => values.some((value) => value !== null);

/** @param {Values} values */
export function lastValue(values) {
  for (let i = values.length - 1; i >= 0; i -= 1) if (values[i] !== null) return values[i];
  return null;
}

/**
 * Join the newest part to a history of the same step: the part replaces what it covers.
 * @param {History} whole
 * @param {History} tail
 * @param {number} start the first instant to keep
 * @returns {History | null} null when the two do not fit together
 */
export function mergeTail(whole, tail, start) {
  if (whole.step !== tail.step || whole.raw !== tail.raw) return null;
  const from = tail.times[0] ?? tail.start;
  const keep = indicesBetween(whole.times, start, from);
  const times = [...keep.map((i) => whole.times[i]), ...tail.times];
  const parts = new Map(tail.series.map((one) => [keyOf(one), one]));
  const known = new Set(whole.series.map(keyOf));
  const join = (series, part) => joinSeries(series, part, keep, tail.times.length);
  const series = whole.series.map((one) => join(one, parts.get(keyOf(one))));
  const fresh = tail.series.filter((one) => !known.has(keyOf(one))).map((one) => join(null, one));
  return { ...whole, start, end: tail.end, times, series: [...series, ...fresh] };
}

/** @param {number[]} times @param {number} start @param {number} end */
function indicesBetween(times, start, end) {
  const indices = [];
  times.forEach((time, i) => { if (time >= start && time < end) indices.push(i); });
  return indices;
}

/**
 * @param {Series | null} series
 * @param {Series | undefined} part
 * @param {number[]} keep
 * @param {number} count
 * @returns {Series}
 */
function joinSeries(series, part, keep, count) {
  const known = /** @type {Series} */ (series ?? part);
  const missing = Array(count).fill(null);
  const column = (name) => [
    ...keep.map((i) => (series ? series[name][i] : null)),
    ...(part ? part[name] : missing),
  ];
  return { ...known, mean: column("mean"), min: column("min"), max: column("max") };
}

/**
 * Add series point by point; an instant where one part is missing counts the others only. Of buckets
 * only the mean is known: the parts need not have had their extremes at the same time.
 * @param {(Series | undefined)[]} parts
 * @param {boolean} raw
 * @returns {Series | undefined}
 */
export function sumSeries(parts, raw) {
  const present = /** @type {Series[]} */ (parts.filter(Boolean));
  if (present.length < 2) return present[0];
  const mean = present[0].mean.map((_, i) => sumAt(present.map((one) => one.mean[i])));
  const extreme = raw ? mean : mean.map(() => null);
  return { ...present[0], mean, min: extreme, max: extreme };
}

/** @param {Values} values */
function sumAt(values) {
  const numbers = values.filter((value) => value !== null);
  return numbers.length ? numbers.reduce((a, b) => /** @type {number} */ (a) + /** @type {number} */ (b), 0) : null;
}

/**
 * The instants with data, and one instant in the middle of every gap.
 * @param {History} history
 * @returns {Grid}
 */
export function gridOf(history) {
  const xs = [];
  const index = [];
  let last = NaN;
  history.times.forEach((time, i) => {
    if (!history.series.some((series) => series.mean[i] !== null)) return;
    if (time - last > gapAfter(history)) {
      xs.push((last + time) / 2);
      index.push(-1);
    }
    xs.push(time);
    index.push(i);
    last = time;
  });
  return { xs, index };
}

/**
 * Since when there is history, where a long window begins well before it; NaN where it does not.
 * @param {History} history
 * @param {Span} bounds
 */
export function historySince(history, { start, end }) {
  const [first] = gridOf(history).xs;
  return end - start > HOUR_MS && first - start > LEAST_MISSING * (end - start) ? first : NaN;
}

/**
 * Values on the grid, null where there are none.
 * @param {Grid} grid
 * @param {Values} values
 */
export const onGrid = (grid, values) => grid.index.map((i) => (i < 0 ? null : values[i]));

/**
 * The spans of the bounds without data: between samples, before the first and after the last.
 * @param {number[]} xs
 * @param {(i: number) => boolean} present
 * @param {{step: number, raw: boolean, interval?: number}} history
 * @param {Span} bounds
 * @returns {Span[]}
 */
export function gapSpans(xs, present, history, bounds) {
  const { step } = history;
  const seen = xs.filter((_, i) => present(i));
  const spans = [];
  let last = bounds.start - step;
  for (const time of seen) {
    if (time - last > gapAfter(history)) spans.push({ start: Math.max(last, bounds.start), end: time });
    last = time;
  }
  // The newest sample is up to one step old, and one more is on its way.
  if (bounds.end - last > (GAP_STEPS + 1) * step) spans.push({ start: Math.max(last, bounds.start), end: bounds.end });
  return spans;
}

/**
 * The nearest instant with data within one step, or -1.
 * @param {Grid} grid
 * @param {number} time
 * @param {number} step
 */
export function nearest(grid, time, step) {
  let low = 0;
  let high = grid.xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (grid.xs[middle] <= time) low = middle;
    else high = middle;
  }
  const distance = (i) => (grid.index[i] < 0 ? Infinity : Math.abs(grid.xs[i] - time));
  if (high < 0) return -1;
  const best = distance(low) <= distance(high) ? low : high;
  return distance(best) <= step ? best : -1;
}

/** @typedef {{min: number, avg: number, max: number, maxAt: number, last: number}} Stats an extreme that is not known is NaN */

/**
 * What a series did: the extremes of its samples, mean of the means; null without a value.
 * @param {number[]} times
 * @param {{mean: Values, min: Values, max: Values}} series
 * @returns {Stats | null}
 */
export function statsOf(times, series) {
  let [min, max, maxAt, sum, count, last] = [Infinity, -Infinity, NaN, 0, 0, NaN];
  series.mean.forEach((value, i) => {
    if (value === null) return;
    min = Math.min(min, series.min[i] ?? NaN);
    const top = series.max[i] ?? NaN;
    if (top > max) maxAt = times[i];
    max = Math.max(max, top);
    sum += value;
    count += 1;
    last = value;
  });
  return count ? { min, avg: sum / count, max, maxAt, last } : null;
}

/**
 * Stack series upwards: each plane is its own values plus all below; null where it has none.
 * @param {Values[]} planes
 */
export function stackPlanes(planes) {
  /** @type {number[]} */
  let below = [];
  return planes.map((values) => {
    const plane = values.map((value, i) => (value === null ? null : value + (below[i] ?? 0)));
    below = plane.map((value, i) => value ?? below[i] ?? 0);
    return plane;
  });
}
