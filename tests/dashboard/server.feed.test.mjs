import assert from "node:assert/strict";
import { test } from "node:test";

import { createClock } from "../../dashboard/clock.js";
import { createFeed } from "../../dashboard/server/feed.js";
import { createWindowState } from "../../dashboard/server/window-state.js";
import { liveWindow } from "../../dashboard/timescale.js";

const NOW = 1_795_000_000_000;
const LIVE = liveWindow("15m");
const SPANS = { "-15m": 900_000, "-7d": 604_800_000, "-30d": 30 * 86_400_000 };
const { signal } = new AbortController();

/** An API over a row of samples every 5 s, each sample's value its own index. */
function backend(now) {
  const asked = [];
  const state = { now, step: 5000, stored: [], report: {}, metrics: [] };
  const history = async (_, { start, end, points, metrics }) => {
    asked.push("history");
    state.metrics = metrics;
    state.points = points;
    state.start = start;
    const from = typeof start === "string" ? state.now - SPANS[start] : start;
    const to = end === "now" ? state.now : end;
    const step = start === "-7d" ? 3_600_000 : state.step;
    const first = Math.ceil(from / step) * step;
    const times = Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, i) => first + i * step);
    const values = times.map((time) => time / 5000);
    const series = [{ metric: "cpu_percent_total", instance: "", unit: "percent", mean: values, min: values, max: values }];
    return { start: from, end: to, step, raw: step === 5000, times, series };
  };
  const server = async () => (asked.push("server"), { id: "srv_1", hostname: "web-1", status: "up", tags: [], flags: [] });
  const latest = async () => (asked.push("latest"), { report: state.report, time: state.now });
  const series = async () => (asked.push("series"), state.stored.map((metric) => ({ metric, instance: "", unit: "" })));
  return { asked, state, api: { history, server, latest, series } };
}

function feedOver(fake) {
  const clock = createClock(() => fake.state.now);
  return createFeed({ api: fake.api, clock, id: "web-1" });
}

const pass = async (feed, fake, window = LIVE) => {
  fake.asked.length = 0;
  fake.state.now += 5000;
  await feed.refresh(window, signal);
  return fake.asked.length;
};

test("after the first answer a refresh asks two questions, and only for what is new", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  assert.equal(await pass(feed, fake), 3);
  for (let i = 0; i < 30; i += 1) assert.equal(await pass(feed, fake), 2);
});

test("a server is new for as long as its first line may still be missing", async () => {
  const fake = backend(NOW);
  fake.api.server = async () => ({ id: "srv_1", hostname: "web-1", status: "up", first_seen: NOW });
  const feed = feedOver(fake);
  assert.equal(feed.isNew(), false);
  await pass(feed, fake);
  assert.equal(feed.isNew(), true);
  fake.state.now = NOW + 20_000;
  assert.equal(feed.isNew(), false);
});

test("custom metrics of the newest report are asked for with all the others, in the same question", async () => {
  const fake = backend(NOW);
  fake.state.report = { custom: { jobs: 1 } };
  const feed = feedOver(fake);
  await pass(feed, fake);
  assert.ok(fake.state.metrics.includes("cpu_percent_total") && fake.state.metrics.at(-1) === "custom.jobs");
  assert.equal(fake.asked.filter((question) => question === "history").length, 1);
});

test("custom metrics that are sent no more are asked for soon after, with their whole history", async () => {
  const fake = backend(NOW);
  fake.state.stored = ["cpu_percent_total", "custom.jobs"];
  const feed = feedOver(fake);
  for (let i = 0; i < 4; i += 1) await pass(feed, fake);
  assert.equal(fake.state.metrics.at(-1), "custom.jobs");
  assert.equal(fake.state.start, "-15m");
});

test("a custom metric that comes while the page is open is asked for within a minute, at no question more", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  await pass(feed, fake);
  fake.state.report = { custom: { late: 1 } };
  let passes = 0;
  while (!fake.state.metrics.includes("custom.late")) {
    assert.equal(await pass(feed, fake), 2);
    passes += 1;
    assert.ok(passes * 5 <= 60);
  }
});

test("what is put together part by part is what one answer would have been", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  for (let i = 0; i < 9; i += 1) await pass(feed, fake);
  const whole = await fake.api.history("", { start: "-15m", end: "now", points: 400 });
  assert.deepEqual(feed.data.history, whole);
});

test("a part of another step is not mixed in; the next question is for all", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  await pass(feed, fake);
  const before = feed.data.history;
  fake.state.step = 10_000;
  await pass(feed, fake);
  assert.equal(feed.data.history, before);
  await pass(feed, fake);
  assert.equal(feed.data.history.step, 10_000);
});

test("a long window is asked for again when a new bucket can have come; the server itself goes on being asked", async () => {
  const HOURS_2 = 7_200_000;
  const fake = backend(Math.ceil(NOW / HOURS_2) * HOURS_2 + 7_000_000); // 200 s before the bucket ends
  const window = liveWindow("30d");
  const feed = feedOver(fake);
  fake.state.step = HOURS_2;
  await pass(feed, fake, window);
  const asked = [];
  for (let i = 0; i < 60; i += 1) {
    await pass(feed, fake, window);
    asked.push(fake.asked.filter((question) => question === "history" && fake.state.start === "-30d").length);
    assert.ok(fake.asked.length >= 1 && fake.asked.length <= 2);
  }
  assert.equal(asked.reduce((sum, one) => sum + one, 0), 1);
  assert.ok(asked.indexOf(1) * 5000 >= 190_000 && asked.indexOf(1) * 5000 <= 200_000, `${asked}`);
});

test("a long window without a sample is asked for until there is one", async () => {
  const fake = backend(NOW);
  const { history } = fake.api;
  fake.api.history = async (...question) => ({ ...await history(...question), times: [], series: [] });
  const feed = feedOver(fake);
  for (let i = 0; i < 3; i += 1) {
    await pass(feed, fake, liveWindow("30d"));
    assert.ok(fake.asked.includes("history"));
  }
});

test("how the disks grow is asked for after the first answer, in the place of another question", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  await pass(feed, fake);
  assert.deepEqual([fake.state.metrics.includes("disk_used"), feed.data.growth.size], [false, 0]);
  assert.equal(await pass(feed, fake), 2);
  assert.deepEqual([fake.state.metrics, fake.state.start, feed.data.growth.size], [["disk_used"], "-7d", 1]);
});

test("after a long rest all is asked for again, at once", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  await pass(feed, fake);
  fake.state.now += 3_600_000;
  await pass(feed, fake);
  const whole = await fake.api.history("", { start: "-15m", end: "now", points: 400 });
  assert.deepEqual(feed.data.history, whole);
});

test("a window of the past is asked for as it is", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  await pass(feed, fake, { kind: "fixed", from: NOW - 100_000, to: NOW - 50_000 });
  assert.deepEqual([feed.data.history.start, feed.data.history.end], [NOW - 100_000, NOW - 50_000]);
});

test("a changed window takes nothing over from the one before", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  await pass(feed, fake, { kind: "fixed", from: NOW - 100_000, to: NOW - 50_000 });
  feed.forget();
  await pass(feed, fake);
  assert.equal(feed.data.history.start, fake.state.now - 900_000);
});

test("a server without a report yet has no tables, and that is no failure", async () => {
  const fake = backend(NOW);
  fake.api.latest = async () => { throw Object.assign(new Error("nothing yet"), { status: 404 }); };
  const feed = feedOver(fake);
  await pass(feed, fake);
  assert.equal(feed.data.latest, null);
  assert.ok(feed.data.loaded);
});

test("a failure passes on and leaves what is shown", async () => {
  const fake = backend(NOW);
  const feed = feedOver(fake);
  await pass(feed, fake);
  const before = { ...feed.data };
  fake.api.history = async () => { throw new Error("away"); };
  await assert.rejects(pass(feed, fake), /away/);
  assert.deepEqual(feed.data, before);
});

/** The part of the router that the state uses, over a plain query. */
function address(text = "") {
  const router = {
    query: new URLSearchParams(text),
    pushed: 0,
    setQuery(changes, { push = false } = {}) {
      for (const [name, value] of Object.entries(changes)) value ? router.query.set(name, value) : router.query.delete(name);
      router.pushed += Number(push);
    },
  };
  return router;
}

function stateOver(router) {
  const heard = [];
  const listeners = { now: () => NOW, onWindow: () => heard.push("window"), onLook: () => heard.push("look") };
  return { heard, state: createWindowState(router, listeners) };
}

test("the address says all that a page shows", () => {
  const { state } = stateOver(address("range=5m&tz=utc&nic=eth0&disk=sda&hide=cpu.steal,disk_space.%252Fa%252Cb"));
  assert.deepEqual(state.window, liveWindow("5m"));
  assert.deepEqual([state.zone, state.choice], ["utc", { nic: "eth0", disk: "sda" }]);
  assert.deepEqual([...state.hidden], ["cpu.steal", "disk_space./a,b"]);
});

test("a window goes into the history of the browser, a look does not", () => {
  const router = address();
  const { state, heard } = stateOver(router);
  state.setWindow({ kind: "fixed", from: NOW - 60_000, to: NOW });
  assert.deepEqual([router.pushed, heard], [1, ["window"]]);
  state.setWindow({ kind: "fixed", from: NOW - 60_000, to: NOW });
  state.choose("nic", "eth0");
  state.hide(["cpu.user", "disk_space./a,b"]);
  state.setZone("utc");
  assert.deepEqual([router.pushed, heard], [1, ["window", "look", "look", "look"]]);
  assert.deepEqual([...stateOver(router).state.hidden], ["cpu.user", "disk_space./a,b"]);
  state.choose("nic", "");
  assert.equal(router.query.get("nic"), null);
});

test("Back in the browser shows the window of the address again", () => {
  const router = address();
  const { state, heard } = stateOver(router);
  state.shift(-1);
  router.query = new URLSearchParams();
  state.read();
  assert.deepEqual([state.window, heard], [liveWindow(), ["window", "window"]]);
  state.read();
  assert.deepEqual(heard.at(-1), "look");
});

test("back from an address that was opened with a window means live", () => {
  const { state } = stateOver(address("from=2026-11-23T07:00:00Z&to=2026-11-23T08:00:00Z"));
  state.back();
  assert.deepEqual(state.window, liveWindow());
  state.widen();
  assert.equal(state.window.kind, "fixed");
  state.goLive();
  assert.deepEqual(state.window, liveWindow());
});
