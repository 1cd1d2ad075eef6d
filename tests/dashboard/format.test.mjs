import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../dashboard/format.js";

const table = (name, show, rows) =>
  test(name, () => {
    for (const [value, text] of rows) assert.equal(show(value), text, `${name}: ${value}`);
  });

table("percent has one decimal below 10 and none above, and never reads 100.0%", format.percent, [
  [0, "0.0%"], [3.94, "3.9%"], [9.94, "9.9%"], [9.96, "10%"], [57.2, "57%"], [99.7, "100%"], [100, "100%"],
  [null, "–"], [undefined, "–"], [NaN, "–"],
]);

table("capacity is binary with 3 digits", format.bytes, [
  [0, "0 B"], [1023, "1023 B"], [1024, "1.00 KiB"], [16_858_900_000, "15.7 GiB"], [960_000_000_000, "894 GiB"],
  [1_099_511_627_776, "1.00 TiB"], [undefined, "–"],
]);

table("rates are decimal with 3 digits", format.byteRate, [
  [0, "0 B/s"], [346, "346 B/s"], [999.6, "1.00 kB/s"], [6_083_000, "6.08 MB/s"], [41_100_000, "41.1 MB/s"],
  [99_960, "100 kB/s"], [999_960, "1.00 MB/s"], [null, "–"],
]);

table("load has two decimals", format.load, [[0.876, "0.88"], [12, "12.00"], [null, "–"]]);

table("milliseconds turn into seconds above one", format.milliseconds, [
  [0, "0 ms"], [0.42, "0.42 ms"], [0.999, "1.0 ms"], [2.34, "2.3 ms"], [12.3, "12 ms"], [1400, "1.4 s"], [null, "–"],
]);

table("counts are grouped, from 10,000 on shortened", format.count, [
  [0, "0"], [7.25, "7.3"], [0.125, "0.13"], [1234, "1,234"], [12_345, "12.3 k"], [2_500_000, "2.50 M"],
  [1_000_000_000, "1.00 G"], [undefined, "–"],
]);

table("durations name their two largest units", format.duration, [
  [0, "0 s"], [23.9, "23 s"], [59.9, "59 s"], [60, "1 min"], [840, "14 min"], [11_520, "3 h 12 min"], [7200, "2 h"],
  [46 * 86_400 + 3 * 3600 + 59, "46 d 3 h"], [86_400, "1 d"], [-5, "0 s"], [null, "–"],
]);

table("ages name one unit", format.ago, [[2.4, "2 s ago"], [61, "1 min ago"], [11_520, "3 h ago"], [undefined, "–"]]);

table("F86: a CSV cell cannot become a formula and keeps its quotes", format.csvCell, [
  ["=1+1", "'=1+1"], ["+1", "'+1"], ["-x", "'-x"], ["@a", "'@a"], ["\tx", "'\tx"], ["web-1", "web-1"],
  ['say "hi", now', '"say ""hi"", now"'], ["=a,b", "\"'=a,b\""], ["a;=b", "a;'=b"], ["'=b", "''=b"], ["\t=", "'\t'="],
  [-3.5, "-3.5"], [null, ""], [undefined, ""],
]);

test("a number of unknown unit keeps three digits, from tiny to huge", () => {
  const texts = [0, 17, 1234, 9999, 12_300, 4.2e6, 9.2e18, 0.0042, 0.000001, 3.14159, 999.96, -3.5, -1405, -2e9].map(format.number);
  assert.deepEqual(texts, ["0", "17", "1,234", "9,999", "12.3 k", "4.20 M", "9.20 E", "0.0042", "0.000001", "3.14", "1,000", "-3.5", "-1,405", "-2.00 G"]);
  assert.equal(format.inUnit(0.0042, ""), "0.0042");
  assert.equal(format.number(null), format.MISSING);
});

test("each unit of the catalogue has its own words", () => {
  const words = (unit, value) => format.inUnit(value, unit);
  assert.deepEqual(
    ["percent", "bytes", "bytes_per_sec", "count_per_sec", "celsius", "seconds", "ms", "load"].map((unit) => words(unit, 50)),
    ["50%", "50 B", "50 B/s", "50/s", "50 °C", "50 s", "50 ms", "50.00"],
  );
  assert.deepEqual([words("flag", 1), words("flag", 0), words("flag", null)], ["yes", "no", "–"]);
  assert.deepEqual([words("mbit_per_sec", 100), words("mbit_per_sec", 2500), words("mbit_per_sec", null)], ["100 Mb/s", "2.5 Gb/s", "–"]);
  assert.deepEqual([words("", 12), words("count_per_sec", null), words("celsius", null)], ["12", "–", "–"]);
});

test("times of day are local and ISO times carry their zone", () => {
  const before = process.env.TZ;
  try {
    process.env.TZ = "Asia/Kolkata";
    const ms = Date.parse("2026-11-23T08:12:04Z");
    assert.equal(format.clockTime(ms), "13:42:04");
    assert.equal(format.dateTime(ms), "2026-11-23 13:42:04");
    assert.equal(format.isoTime(ms), "2026-11-23T13:42:04+05:30");
    process.env.TZ = "America/New_York";
    assert.equal(format.isoTime(ms), "2026-11-23T03:12:04-05:00");
  } finally {
    process.env.TZ = before ?? "UTC";
  }
});

test("a noun agrees with its number", () => {
  assert.deepEqual([0, 1, 1200].map((n) => format.plural(n, "server")), ["0 servers", "1 server", "1,200 servers"]);
});

test("a rhythm is told exactly", () => {
  assert.deepEqual([5, 60, 100, 300, 7200, 172_800].map(format.every), ["5 s", "1 min", "100 s", "5 min", "2 h", "2 d"]);
});
