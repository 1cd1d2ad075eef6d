import assert from "node:assert/strict";
import { test } from "node:test";

import { panned, pinched, pixelAt, timeAt } from "../../dashboard/charts/gesture.js";
import { heatMap, rowHeight } from "../../dashboard/charts/heat.js";
import { hatchLines, spanPixels, thresholdPlace } from "../../dashboard/charts/overlay.js";

const AREA = { left: 64, right: 564, top: 8, bottom: 188 };
const BOUNDS = { start: 1000, end: 2000 };
const LIMITS = { now: 2000, minSpan: 100 };

test("pixels and instants are each other's inverse, and the plot ends at its edges", () => {
  for (const x of [64, 200, 564]) assert.equal(pixelAt(timeAt(x, AREA, BOUNDS), AREA, BOUNDS), x);
  assert.equal(timeAt(0, AREA, BOUNDS), 1000);
  assert.equal(timeAt(900, AREA, BOUNDS), 2000);
});

test("dragging to the right shows the past; the future is closed", () => {
  assert.deepEqual(panned(BOUNDS, 250, AREA, 2000), { start: 500, end: 1500 });
  assert.deepEqual(panned(BOUNDS, -250, AREA, 2000), BOUNDS);
  assert.deepEqual(panned(BOUNDS, -250, AREA, 2200), { start: 1200, end: 2200 });
});

test("two fingers keep the instants that are under them", () => {
  const before = { start: 0, end: 1000 };
  const after = pinched(before, [164, 264], [114, 314], AREA, { now: 5000, minSpan: 10 });
  assert.equal(after.end - after.start, 500);
  assert.equal(Math.round(timeAt(114, AREA, after)), 200);
  assert.equal(Math.round(timeAt(314, AREA, after)), 400);
});

test("a pinch ends at now and at the smallest window", () => {
  assert.equal(pinched(BOUNDS, [300, 310], [64, 564], AREA, LIMITS).end <= 2000, true);
  const tiny = pinched(BOUNDS, [300, 310], [64, 564], AREA, LIMITS);
  assert.equal(tiny.end - tiny.start, 100);
});

test("a gap is cut to the plot, and one outside leaves nothing", () => {
  const toPixel = (time) => pixelAt(time, AREA, BOUNDS);
  assert.deepEqual(spanPixels({ start: 0, end: 1100 }, toPixel, AREA), { left: 64, right: 114 });
  assert.equal(spanPixels({ start: 2100, end: 2200 }, toPixel, AREA), null);
});

test("hatching covers its box and does not move with it", () => {
  const lines = hatchLines({ left: 100, right: 160, top: 0, bottom: 30 }, 6);
  assert.ok(lines.every(([x1, y1, x2, y2]) => x1 % 6 === 0 && y1 === 30 && y2 === 0 && x2 - x1 === 30));
  assert.ok(lines[0][0] <= 70 && lines.at(-1)[0] >= 154);
});

test("a threshold stands on its value; a note above the top becomes an arrow", () => {
  const axis = { max: 100, toPixel: (value) => 188 - value };
  const line = (value, level) => thresholdPlace({ value, level, label: "8 cores" }, axis, AREA);
  assert.deepEqual(line(80, "warn"), { y: 108, line: true, label: "8 cores" });
  assert.deepEqual(line(120, "note"), { y: 15, line: false, label: "↑ 8 cores" });
  assert.deepEqual(line(120, "crit"), { y: 15, line: false, label: "" });
});

const CORES = [
  { instance: "0", max: [10, 90, null, 30] },
  { instance: "1", max: [null, null, null, null] },
];

test("a cell of the heat map is the maximum of its samples, and empty without any", () => {
  const map = heatMap({ times: [0, 5, 10, 15], step: 5, series: CORES }, { start: 0, end: 20 }, 14);
  assert.deepEqual([map.span, map.columns], [10, 2]);
  assert.deepEqual(map.rows, [{ label: "0", values: [90, 30] }, { label: "1", values: [null, null] }]);
});

test("the columns of a sliding heat map stay whole", () => {
  const at = (start) => heatMap({ times: [], step: 5, series: [] }, { start, end: start + 100 }, 70).start;
  assert.deepEqual([at(100), at(105), at(110)], [100, 100, 110]);
});

test("many cores get thin rows", () => {
  assert.deepEqual([1, 16, 17, 64].map(rowHeight), [16, 16, 6, 6]);
});
