import assert from "node:assert/strict";
import { test } from "node:test";

import * as scale from "../../dashboard/timescale.js";

const NOW = Date.parse("2026-11-23T08:43:07Z");
const HOUR = 3_600_000;
const query = (text) => new URLSearchParams(text);

function inZone(name, run) {
  const before = process.env.TZ;
  process.env.TZ = name;
  try {
    run();
  } finally {
    process.env.TZ = before ?? "UTC";
  }
}

const labels = (from, to, most, zone = "local") =>
  scale.timeTicks({ start: Date.parse(from), end: Date.parse(to) }, most, zone).map((t) => t.label);

test("an address without a window means the last hour, live", () => {
  assert.deepEqual(scale.windowFromQuery(query("")), { kind: "live", range: "1h" });
  assert.deepEqual(scale.windowFromQuery(query("range=5m")), { kind: "live", range: "5m" });
});

test("a senseless window in the address is the default, never an error", () => {
  for (const text of ["range=9y", "from=x&to=y", "from=2026-11-23T08:00:00Z", "to=2026-11-23T07:00:00Z&from=2026-11-23T08:00:00Z"]) {
    assert.deepEqual(scale.windowFromQuery(query(text)), scale.liveWindow(), text);
  }
});

test("a window survives the address", () => {
  const fixed = { kind: "fixed", from: NOW - HOUR, to: NOW };
  for (const window of [fixed, scale.liveWindow("15m"), scale.liveWindow()]) {
    const fields = Object.entries(scale.windowFields(window)).filter(([, value]) => value !== null);
    assert.deepEqual(scale.windowFromQuery(new URLSearchParams(fields)), window);
  }
  assert.deepEqual(scale.windowFields(fixed), { range: null, from: "2026-11-23T07:43:07Z", to: "2026-11-23T08:43:07Z" });
  assert.deepEqual(scale.windowFields(scale.liveWindow()), { range: null, from: null, to: null });
});

test("windows are equal by what they show", () => {
  const fixed = { kind: "fixed", from: 1, to: 2 };
  assert.ok(scale.sameWindow(fixed, { ...fixed }));
  assert.ok(!scale.sameWindow(fixed, { ...fixed, to: 3 }));
  assert.ok(!scale.sameWindow(fixed, scale.liveWindow()));
  assert.ok(!scale.sameWindow(scale.liveWindow(), fixed));
  assert.ok(scale.sameWindow(scale.liveWindow("5m"), scale.liveWindow("5m")));
  assert.ok(!scale.sameWindow(scale.liveWindow("5m"), scale.liveWindow("15m")));
});

test("a live window ends now, a fixed one stays", () => {
  assert.deepEqual(scale.boundsOf(scale.liveWindow("5m"), NOW), { start: NOW - 300_000, end: NOW });
  assert.deepEqual(scale.boundsOf({ kind: "live", range: "?" }, NOW), { start: NOW - HOUR, end: NOW });
  assert.deepEqual(scale.boundsOf({ kind: "fixed", from: 1, to: 2 }, NOW), { start: 1, end: 2 });
});

test("the step is the smallest that fits an answer", () => {
  assert.equal(scale.stepFor(15 * 60_000), 5_000);
  assert.equal(scale.stepFor(HOUR), 10_000);
  assert.equal(scale.stepFor(6 * HOUR), 60_000);
  assert.equal(scale.stepFor(90 * 24 * HOUR), 6 * HOUR);
  assert.equal(scale.stepFor(720 * 24 * HOUR), 2 * 24 * HOUR);
});

test("shifting moves by whole windows and stops at now", () => {
  const bounds = { start: NOW - HOUR, end: NOW };
  assert.deepEqual(scale.shiftWindow(bounds, -1, NOW), { kind: "fixed", from: NOW - 2 * HOUR, to: NOW - HOUR });
  assert.deepEqual(scale.shiftWindow(bounds, 1, NOW), { kind: "fixed", from: NOW - HOUR, to: NOW });
});

test("widening doubles around the middle and stops at now", () => {
  const past = scale.widenWindow({ start: NOW - 4 * HOUR, end: NOW - 3 * HOUR }, NOW);
  assert.deepEqual(past, { kind: "fixed", from: NOW - 4.5 * HOUR, to: NOW - 2.5 * HOUR });
  const recent = scale.widenWindow({ start: NOW - HOUR, end: NOW }, NOW);
  assert.deepEqual(recent, { kind: "fixed", from: NOW - 2 * HOUR, to: NOW });
  let { from, to } = recent;
  for (let i = 0; i < 40; i += 1) ({ from, to } = scale.widenWindow({ start: from, end: to }, NOW));
  assert.ok(to === NOW && from > 0, "widening ends at two years");
});

test("a selection needs six steps, in either direction", () => {
  assert.equal(scale.selectionWindow(NOW, NOW + 59_000, 10_000), null);
  assert.deepEqual(scale.selectionWindow(NOW + 60_000, NOW, 10_000), { kind: "fixed", from: NOW, to: NOW + 60_000 });
});

test("ticks stand on round minutes of the wall clock", () => {
  assert.deepEqual(labels("2026-11-23T07:47:00Z", "2026-11-23T08:47:00Z", 6, "utc"), ["07:50", "08:00", "08:10", "08:20", "08:30", "08:40"]);
  assert.deepEqual(labels("2026-11-23T08:00:03Z", "2026-11-23T08:00:43Z", 3, "utc"), ["08:00:15", "08:00:30"]);
  assert.deepEqual(labels("2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z", 6, "utc"), []);
});

test("a zone half an hour off still gets whole local hours", () => {
  inZone("Asia/Kolkata", () => {
    assert.deepEqual(labels("2026-11-23T06:40:00Z", "2026-11-23T09:40:00Z", 3), ["13:00", "14:00", "15:00"]);
  });
});

test("midnight shows the date", () => {
  assert.deepEqual(labels("2026-11-23T20:00:00Z", "2026-11-24T04:00:00Z", 4, "utc"), ["20:00", "22:00", "24 Nov", "02:00", "04:00"].slice(0, 5));
  assert.deepEqual(labels("2026-01-01T00:00:00Z", "2026-04-10T00:00:00Z", 4, "utc").length <= 5, true);
});

test("ticks stay round over both changes of summer time", () => {
  inZone("Europe/Berlin", () => {
    assert.deepEqual(labels("2026-03-28T22:00:00Z", "2026-03-29T10:00:00Z", 5), ["29 Mar", "03:00", "06:00", "09:00", "12:00"]);
    assert.deepEqual(labels("2026-10-24T21:00:00Z", "2026-10-25T11:00:00Z", 6), ["25 Oct", "03:00", "06:00", "09:00", "12:00"]);
    assert.deepEqual(labels("2026-10-24T12:00:00Z", "2026-10-27T12:00:00Z", 3), ["25 Oct", "26 Oct", "27 Oct"]);
    assert.deepEqual(labels("2026-03-28T12:00:00Z", "2026-03-31T12:00:00Z", 3), ["29 Mar", "30 Mar", "31 Mar"]);
    assert.deepEqual(labels("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", 4), ["02:30", "02:45", "02:00", "02:15", "02:30"]);
  });
});

test("ticks rise, lie inside, and are never many more than asked", () => {
  inZone("America/New_York", () => {
    for (let span = 30_000; span < 400 * 24 * HOUR; span *= 1.7) {
      const bounds = { start: NOW - span, end: NOW };
      const values = scale.timeTicks(bounds, 6).map((tick) => tick.value);
      assert.ok(values.length <= 7, `${span}: ${values.length}`);
      assert.ok(values.every((v, i) => v >= bounds.start && v <= NOW && (i === 0 || v > values[i - 1])));
    }
  });
});

test("a window is told in words a person would use", () => {
  assert.equal(scale.windowWords(scale.liveWindow(), "utc"), "last hour");
  assert.equal(scale.windowWords({ kind: "live", range: "?" }, "utc"), "");
  assert.equal(scale.windowWords({ kind: "fixed", from: NOW - HOUR, to: NOW }, "utc"), "07:43–08:43");
  assert.equal(scale.windowPhrase(scale.liveWindow(), "utc"), "in the last hour");
  assert.equal(scale.windowPhrase({ kind: "fixed", from: NOW - HOUR, to: NOW }, "utc"), "between 07:43 and 08:43");
  assert.equal(scale.boundsLabel({ start: NOW - 60_000, end: NOW }, "utc"), "08:42:07–08:43:07");
  assert.equal(scale.boundsLabel({ start: NOW - 24 * HOUR, end: NOW }, "utc"), "22 Nov 08:43 – 23 Nov 08:43");
  assert.equal(scale.timestamp(NOW, "utc"), "2026-11-23 08:43:07");
});

test("a young server begins with the shortest range that shows all of it", () => {
  assert.deepEqual([0, 299, 301, 899, 901, 7200].map((age) => scale.rangeFor(age * 1000)), ["5m", "5m", "15m", "15m", "1h", "1h"]);
});

test("every range is asked for as the backend reads it, and has a step of its own", () => {
  assert.deepEqual(scale.RANGES.map(({ key }) => key), ["5m", "15m", "1h", "6h", "24h", "7d", "30d", "90d"]);
  const unit = { m: 60_000, h: HOUR, d: 24 * HOUR };
  for (const { key, span } of scale.RANGES) assert.equal(span, parseInt(key, 10) * unit[key.at(-1)], key);
  const minutes = scale.RANGES.map(({ span }) => scale.stepFor(span) / 60_000);
  assert.deepEqual(minutes, [5 / 60, 5 / 60, 10 / 60, 1, 5, 30, 120, 360]);
});

test("a moment has its date where several days are shown", () => {
  assert.equal(scale.moment(NOW, HOUR, "utc"), "08:43");
  assert.equal(scale.moment(NOW, 24 * HOUR, "utc"), "23 Nov 08:43");
  assert.equal(scale.moment(NOW, 7 * 24 * HOUR, "utc", true), "23 Nov 08:43:07");
});

test("days are labelled with dates of the wall clock", () => {
  assert.deepEqual(labels("2026-11-16T08:43:00Z", "2026-11-23T08:43:00Z", 9, "utc"), ["17 Nov", "18 Nov", "19 Nov", "20 Nov", "21 Nov", "22 Nov", "23 Nov"]);
  inZone("America/New_York", () => {
    assert.deepEqual(labels("2026-10-30T16:00:00Z", "2026-11-03T16:00:00Z", 5), ["31 Oct", "1 Nov", "2 Nov", "3 Nov"]);
  });
});
