import assert from "node:assert/strict";
import { test } from "node:test";

import { fullInMs, fullInWords, growthOf, growths } from "../../dashboard/server/forecast.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const GIB = 2 ** 30;
const hours = (count) => Array.from({ length: count + 1 }, (_, hour) => hour * HOUR);
const words = (times, used, free = 100 * GIB) => fullInWords(growthOf(times, used), free);

test("a disk that grows 10 GiB a day and has 100 GiB left is full in 10 days", () => {
  const times = hours(168);
  const growth = growthOf(times, times.map((time) => 500 * GIB + (time / DAY) * 10 * GIB));
  assert.equal(Math.round(fullInMs(growth, 100 * GIB) / DAY), 10);
  assert.equal(fullInWords(growth, 100 * GIB), "10 d");
  assert.equal(fullInWords(growth, 34 * GIB), "3.4 d");
  assert.equal(fullInWords(growth, 4 * GIB), "9 h");
  assert.equal(fullInWords(growth, 5000 * GIB), "> 1 year");
  assert.equal(fullInWords(growth, 0), "1 h");
});

test("less than a day of history says only how far it is", () => {
  const times = hours(18);
  assert.equal(words(times, times.map((_, i) => i * GIB)), "learning (18 h of 24 h)");
  assert.equal(words([], []), "learning (0 h of 24 h)");
  assert.equal(fullInWords(undefined, GIB), "–");
  assert.equal(fullInWords({ learnedMs: DAY, bytesPerMs: 1 }, undefined), "–");
});

test("a disk that stands, shrinks, or only goes up and down does not grow", () => {
  const times = hours(72);
  assert.equal(words(times, times.map(() => 5 * GIB)), "not growing");
  assert.equal(words(times, times.map((_, i) => 500 * GIB - i * GIB)), "not growing");
  assert.equal(words(times, times.map((_, i) => 500 * GIB + (i % 24) * GIB)), "not growing");
  assert.equal(words(times, times.map((_, i) => (i < 36 ? 5 : 6) * GIB)), "not growing", "one step is no slope");
});

test("a few odd hours do not move the forecast", () => {
  const times = hours(96);
  const steady = times.map((time) => 500 * GIB + (time / DAY) * 10 * GIB);
  const odd = steady.map((used, i) => (i % 20 === 7 ? used + 30 * GIB : used));
  const [one, other] = [steady, odd].map((used) => growthOf(times, used).bytesPerMs);
  assert.ok(Math.abs(other / one - 1) < 0.03, `${other / one}`);
});

test("after a clean-up the learning begins anew, and gaps are no growth", () => {
  const times = hours(60);
  const cleaned = times.map((_, i) => (i < 40 ? 500 * GIB + i * GIB : 100 * GIB + i * GIB));
  assert.equal(words(times, cleaned), "learning (20 h of 24 h)");
  const holed = times.map((_, i) => (i > 10 && i < 50 ? null : 500 * GIB + i * GIB));
  assert.equal(growthOf(times, holed).bytesPerMs, GIB / HOUR);
});

test("every mount has a growth of its own", () => {
  const times = hours(30);
  const one = (instance, mean) => ({ metric: "disk_used", instance, unit: "bytes", mean, min: mean, max: mean });
  const found = growths({ start: 0, end: 30 * HOUR, step: HOUR, raw: false, times, series: [one("/", times.map(() => 1)), one("/srv", times)] });
  assert.deepEqual([...found].map(([mount, { bytesPerMs }]) => [mount, bytesPerMs]), [["/", 0], ["/srv", 1]]);
});
