import assert from "node:assert/strict";
import { test } from "node:test";

import * as typed from "../../dashboard/server/typed-window.js";
import { liveWindow } from "../../dashboard/timescale.js";

const NOW = Date.parse("2026-11-23T08:43:07Z");
const HOUR = 3_600_000;

function inZone(name, run) {
  const before = process.env.TZ;
  process.env.TZ = name;
  try {
    run();
  } finally {
    process.env.TZ = before ?? "UTC";
  }
}

test("date fields read back the instant they show, in both zones", () => {
  inZone("Europe/Berlin", () => {
    for (const zone of ["local", "utc"]) assert.equal(typed.fieldTime(typed.fieldText(NOW, zone), zone), NOW);
    assert.equal(typed.fieldText(NOW, "local"), "2026-11-23T09:43:07");
  });
});

test("typed windows are taken or refused in a sentence that names the field", () => {
  assert.deepEqual(typed.parseLast("1", "hours", NOW), { window: liveWindow() });
  assert.deepEqual(typed.parseLast("30", "minutes", NOW), { window: { kind: "fixed", from: NOW - HOUR / 2, to: NOW } });
  assert.match(typed.parseLast("", "minutes", NOW).error, /^Last: /);
  assert.match(typed.parseLast("5", "fortnights", NOW).error, /^Last: /);
  assert.match(typed.parseLast("900", "days", NOW).error, /^Last: /);
  assert.match(typed.parseFromTo("", "2026-11-23T08:00", "utc").error, /^From: /);
  assert.match(typed.parseFromTo("2026-11-23T08:00", "", "utc").error, /^To: /);
  assert.match(typed.parseFromTo("2026-11-23T08:00", "2026-11-23T08:00", "utc").error, /^To: /);
  assert.deepEqual(typed.parseFromTo("2026-11-23T07:00", "2026-11-23T08:00", "utc").window, { kind: "fixed", from: Date.parse("2026-11-23T07:00Z"), to: Date.parse("2026-11-23T08:00Z") });
});
