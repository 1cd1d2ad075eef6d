import assert from "node:assert/strict";
import { test } from "node:test";

import { roundStep, valueAxis } from "../../dashboard/charts/axis.js";

const labels = (...args) => valueAxis(...args).ticks.map((tick) => tick.label);
const GIB = 2 ** 30;

test("steps are 1, 2 or 5 of a power of ten", () => {
  assert.deepEqual([0.4, 1, 4, 7, 13, 90, 100].map((top) => roundStep(top, 4)), [0.1, 0.5, 1, 2, 5, 50, 50]);
});

test("a percent axis is 0 to 100 whatever the values are", () => {
  assert.deepEqual(labels("percent", 7, { fixed: 100 }), ["0%", "25%", "50%", "75%", "100%"]);
});

test("a memory axis ends at the total, with whole powers of two for ticks", () => {
  const axis = valueAxis("bytes", 0, { fixed: 31.2 * GIB });
  assert.equal(axis.max, 31.2 * GIB);
  assert.deepEqual(axis.ticks.map((tick) => tick.label), ["0", "8 GiB", "16 GiB", "24 GiB"]);
  assert.deepEqual(labels("bytes", 0, { fixed: 512 * 2 ** 20 }), ["0", "128 MiB", "256 MiB", "384 MiB", "512 MiB"]);
});

test("a mirrored axis reaches as far below zero, with positive labels", () => {
  const axis = valueAxis("rate", 17_000_000, { mirrored: true });
  assert.equal(axis.min, -20_000_000);
  assert.deepEqual(axis.ticks.map((tick) => tick.label), ["20 MB/s", "10 MB/s", "0", "10 MB/s", "20 MB/s"]);
});

test("noise around zero does not fill a chart", () => {
  assert.deepEqual(labels("rate", 0, { mirrored: true }), ["1 kB/s", "0.5 kB/s", "0", "0.5 kB/s", "1 kB/s"]);
  assert.equal(valueAxis("load", 0.01).max, 1);
  assert.equal(valueAxis("count", 0).max, 6);
});

test("each kind writes its own unit, one for the whole axis", () => {
  assert.deepEqual(labels("ms", 14), ["0 ms", "5 ms", "10 ms", "15 ms"]);
  assert.deepEqual(labels("ms", 1400), ["0 s", "0.5 s", "1 s", "1.5 s"]);
  assert.deepEqual(labels("celsius", 70), ["0 °C", "20 °C", "40 °C", "60 °C", "80 °C"]);
  assert.deepEqual(labels("load", 11), ["0", "5", "10", "15"]);
  assert.deepEqual(labels("count", 1400), ["0", "0.5 k", "1 k", "1.5 k"]);
  assert.deepEqual(labels("count", 380), ["0", "100", "200", "300", "400"]);
});

test("an axis of unknown numbers goes from zero to their size, however small or large", () => {
  assert.deepEqual(labels("number", 0.0052), ["0", "0.002", "0.004", "0.006"]);
  assert.deepEqual(labels("number", 0), ["0", "0.5", "1"]);
  assert.deepEqual(labels("number", 38_000), ["0", "10 k", "20 k", "30 k", "40 k"]);
  assert.deepEqual(labels("number", 9.2e18), ["0", "5 E", "10 E"]);
});

test("an axis reaches below zero where values do, and only there", () => {
  assert.deepEqual(labels("number", 900, { lowest: -1500 }), ["-2 k", "-1 k", "0", "1 k"]);
  assert.deepEqual(labels("number", 0, { lowest: -3 }), ["-4", "-3", "-2", "-1", "0"]);
  assert.deepEqual(labels("celsius", 12, { lowest: -4 }), ["-5 °C", "0 °C", "5 °C", "10 °C", "15 °C"]);
  assert.equal(valueAxis("percent", 50, { lowest: -1, fixed: 100 }).min, 0);
  for (const [lowest, highest] of [[-2, 1e6], [-7, 3], [-9e18, 9e18], [-0.4, 0.01]]) {
    const { min, max, ticks } = valueAxis("number", highest, { lowest });
    assert.ok(min <= lowest && max >= highest && ticks.length <= 7, `${lowest} ${highest}`);
  }
});

const OPEN_KINDS = ["bytes", "rate", "ms", "load", "count", "celsius", "number"];

test("no value lies on the edge of an open axis and none has more than six ticks", () => {
  const round = [1, 2, 4, 5, 8, 10, 50, 100, 1024, 2 ** 30];
  const odd = Array.from({ length: 27 }, (_, i) => 0.003 * 3.7 ** i);
  for (const kind of OPEN_KINDS) {
    for (const top of [...round, ...odd]) {
      for (const mirrored of [false, true]) {
        const axis = valueAxis(kind, top, { mirrored });
        const room = (axis.max - top) / (axis.max - axis.min);
        assert.ok(room > 0.01 && axis.ticks.length <= 6, `${kind} ${top} ${mirrored}`);
      }
    }
  }
  for (const lowest of [-1, -3, -8, -100]) assert.ok(valueAxis("number", 0, { lowest }).min < lowest, String(lowest));
});
