import assert from "node:assert/strict";
import { test } from "node:test";

import * as history from "../../dashboard/charts/history.js";

const series = (metric, mean, more = {}) => ({ metric, instance: "", unit: "percent", mean, min: mean, max: mean, ...more });
const answer = (times, list, more = {}) => ({ start: times[0], end: times.at(-1), step: 5, raw: true, times, series: list, ...more });

test("a series without a value in the window does not exist", () => {
  const found = answer([0, 5], [series("a", [null, null]), series("b", [null, 2], { instance: "x" })]);
  assert.equal(history.findSeries(found, "a"), undefined);
  assert.equal(history.findSeries(found, "b", "x")?.mean[1], 2);
  assert.deepEqual(history.instancesOf(found, "b"), ["x"]);
  assert.equal(history.lastValue([1, 2, null]), 2);
  assert.equal(history.lastValue([null]), null);
});

test("the newest part replaces what it covers, and the oldest leaves", () => {
  const whole = answer([0, 5, 10], [series("a", [1, 2, 3]), series("gone", [9, 9, 9])]);
  const tail = answer([10, 15], [series("a", [30, 4]), series("new", [7, 8])]);
  const merged = history.mergeTail(whole, tail, 5);
  assert.deepEqual(merged.times, [5, 10, 15]);
  assert.deepEqual(history.findSeries(merged, "a").mean, [2, 30, 4]);
  assert.deepEqual(history.findSeries(merged, "gone").max, [9, null, null]);
  assert.deepEqual(history.findSeries(merged, "new").min, [null, 7, 8]);
  assert.equal(merged.end, 15);
});

test("an empty newest part only moves the window", () => {
  const whole = answer([0, 5], [series("a", [1, 2])]);
  const merged = history.mergeTail(whole, { ...answer([], []), start: 10, end: 20 }, 5);
  assert.deepEqual([merged.times, merged.start, merged.end], [[5], 5, 20]);
});

test("parts of another step do not fit together", () => {
  const whole = answer([0], [series("a", [1])]);
  assert.equal(history.mergeTail(whole, answer([5], [], { step: 10 }), 0), null);
  assert.equal(history.mergeTail(whole, answer([5], [], { raw: false }), 0), null);
});

test("a sum counts what is there and is missing only where all is missing", () => {
  const sum = history.sumSeries([series("a", [1, null, null]), undefined, series("b", [2, 3, null])], true);
  assert.deepEqual([sum.mean, sum.max], [[3, 3, null], [3, 3, null]]);
  assert.equal(history.sumSeries([undefined], true), undefined);
});

test("the extremes of a sum of buckets are not known, so they are not told", () => {
  const sum = history.sumSeries([series("a", [10], { max: [90] }), series("b", [20], { max: [80] })], false);
  assert.deepEqual([sum.mean, sum.min, sum.max], [[30], [null], [null]]);
  const { min, avg, max, maxAt } = history.statsOf([0], sum);
  assert.deepEqual([min, avg, max, maxAt], [NaN, 30, NaN, NaN]);
});

test("an empty bucket of a minute or more is a gap, a shorter one may be a late sample", () => {
  const empty = (step) => {
    const times = [0, 1, 2, 3].map((n) => n * step);
    const data = answer(times, [series("a", [1, 1, null, 1])], { step, raw: false });
    const grid = history.gridOf(data);
    return history.gapSpans(grid.xs, (k) => grid.index[k] >= 0, data, { start: 0, end: 4 * step });
  };
  assert.deepEqual(empty(10_000), []);
  assert.equal(history.gapAfter({ step: 60_000, raw: false, interval: 300_000 }), 600_000, "a slow server leaves buckets empty");
  assert.deepEqual(empty(7_200_000), [{ start: 7_200_000, end: 21_600_000 }]);
});

test("the grid has one empty instant in each gap and none for a single missed step", () => {
  const times = [0, 5, 10, 15, 40, 45];
  const grid = history.gridOf(answer(times, [series("a", [1, null, 1, 1, 1, 1])]));
  assert.deepEqual(grid.xs, [0, 10, 15, 27.5, 40, 45]);
  assert.deepEqual(history.onGrid(grid, [1, null, 3, 4, 5, 6]), [1, 3, 4, null, 5, 6]);
});

test("gaps are hatched between samples, before the first and after the last", () => {
  const spans = (xs, start, end) => history.gapSpans(xs, () => true, { step: 5, raw: true }, { start, end });
  assert.deepEqual(spans([0, 5, 65, 70], 0, 75), [{ start: 5, end: 65 }]);
  assert.deepEqual(spans([50, 55], 0, 60), [{ start: 0, end: 50 }]);
  assert.deepEqual(spans([0, 5], 0, 100), [{ start: 5, end: 100 }]);
  assert.deepEqual(spans([], 0, 100), [{ start: 0, end: 100 }]);
  assert.deepEqual(spans([5, 10, 20], 0, 32), [], "two steps are no gap, nor is a sample on its way");
});

test("a gap of one chart is where that chart has nothing", () => {
  const spans = history.gapSpans([0, 5, 10, 15, 20], (i) => i === 0 || i === 4, { step: 5, raw: true }, { start: 0, end: 20 });
  assert.deepEqual(spans, [{ start: 0, end: 20 }]);
});

test("the crosshair takes the nearest sample within a step, or says there is none", () => {
  const grid = history.gridOf(answer([0, 5, 10, 70, 75], [series("a", [1, 1, 1, 1, 1])]));
  assert.equal(grid.xs[history.nearest(grid, 6, 5)], 5);
  assert.equal(grid.xs[history.nearest(grid, 8, 5)], 10);
  assert.equal(history.nearest(grid, 40, 5), -1);
  assert.equal(grid.xs[history.nearest(grid, 66, 5)], 70);
  assert.equal(grid.xs[history.nearest(grid, 78, 5)], 75);
  assert.equal(history.nearest({ xs: [], index: [] }, 1, 5), -1);
  assert.equal(history.nearest({ xs: [3], index: [0] }, 1, 5), 0);
});

test("statistics keep the extremes of the buckets and the mean of the means", () => {
  const stats = history.statsOf([0, 5, 10], { mean: [10, null, 20], min: [1, null, 20], max: [100, null, 30] });
  assert.deepEqual(stats, { min: 1, avg: 15, max: 100, maxAt: 0, last: 20 });
  assert.equal(history.statsOf([0], { mean: [null], min: [null], max: [null] }), null);
});

test("stacked planes end at the sum and stay empty in a gap", () => {
  assert.deepEqual(history.stackPlanes([[1, 2, null], [10, null, null], [5, 5, null]]), [[1, 2, null], [11, null, null], [16, 7, null]]);
});
