import assert from "node:assert/strict";
import { test } from "node:test";

import * as status from "../../dashboard/status.js";

process.env.TZ = "UTC";
const NOW = Date.parse("2026-11-23T08:26:04Z");
const server = (changes) => ({ id: "a", hostname: "db-1", status: "up", tags: [], flags: [], interval_seconds: 5, last_seen: NOW - 2000, ...changes });

const WORDS = [
  [{ status: "up" }, "Up", "Last sample 2 s ago, expected every 5 s."],
  [{ status: "late", last_seen: NOW - 23_000 }, "Late 23 s", "No sample for 23 s. Expected every 5 s. Goes Down at 60 s."],
  [{ status: "late", last_seen: NOW - 90_000, interval_seconds: 30 }, "Late 1 min", "No sample for 1 min. Expected every 30 s. Goes Down at 360 s."],
  [{ status: "down", last_seen: NOW - 840_000 }, "Down 14 min", "No sample since 2026-11-23 08:12:04 (14 min)."],
  [{ status: "waiting", last_seen: undefined }, "Waiting", "Waiting for the first sample. Run the install command on this server."],
  [{ status: "paused" }, "Paused", "Paused. Samples are stored, alerts are not sent."],
];
for (const [changes, word, title] of WORDS) {
  test(`a ${changes.status} server reads "${word}"`, () => {
    assert.equal(status.statusText(server(changes), NOW), word);
    assert.equal(status.statusTitle(server(changes), NOW), title);
  });
}

test("no sentence names a moment after the newest sample was taken", () => {
  const taken = NOW - 845_000;
  const down = server({ status: "down", last_seen: NOW - 840_000, time: taken });
  assert.equal(status.statusTitle(down, NOW), "No sample since 2026-11-23 08:11:59 (14 min).");
  assert.equal(status.sampleTime(down), taken);
  assert.equal(status.sampleTime({ ...down, time: NOW }), NOW - 840_000, "its own clock is ahead");
  assert.equal(status.sampleTime(server({ last_seen: undefined })), undefined);
});

test("a clock that runs ahead of ours makes no negative age", () => {
  assert.equal(status.statusText(server({ status: "late", last_seen: NOW + 9000 }), NOW), "Late 0 s");
});

test("only a server that reports has values to show", () => {
  assert.deepEqual(
    ["up", "late", "down", "waiting", "paused"].map((word) => status.hasValues(server({ status: word }))),
    [true, true, false, false, false],
  );
});

test("a clock wrong by more than 30 s is said in words", () => {
  assert.equal(status.clockBadge(server({ clock_offset_ms: -125_000 })), "Clock 2 min off");
  assert.equal(status.clockBadge(server({ clock_offset_ms: 30_000 })), "");
  assert.equal(status.clockBadge(server({ flags: ["clock_ahead"] })), "Clock ahead");
});

test("a value is as bad as the catalogue's lines say, and of no level without them", () => {
  const metric = { name: "cpu", group: "", unit: "percent", label: "", warning: 80, critical: 95 };
  assert.deepEqual([79.9, 80, 95, undefined].map((value) => status.level(metric, value)), ["", "warning", "critical", ""]);
  assert.equal(status.level(undefined, 99), "");
  assert.equal(status.level({ ...metric, warning: undefined, critical: undefined }, 99), "");
});

test("the title counts the servers that are down", () => {
  assert.deepEqual([0, 2].map(status.titlePrefix), ["", "(2 down) "]);
});

test("news name the first server that went down or came back, and how many are down now", () => {
  const list = (...states) => new Map(states.map((state, index) => [`${index}`, server({ id: `${index}`, hostname: `db-${index}`, status: state })]));
  assert.equal(status.statusNews(list("up", "down"), list("down", "down")), "db-0 is down. 2 servers down.");
  assert.equal(status.statusNews(list("down", "down"), list("up", "up")), "db-0 is up and 1 more changed. 0 servers down.");
  assert.equal(status.statusNews(list("late", "down"), list("down", "up")), "db-0 is down and 1 more changed. 1 server down.");
  assert.equal(status.statusNews(list("up"), list("late")), "");
  assert.equal(status.statusNews(new Map(), list("down")), "", "the first answer is no news");
});
