import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { isBackground } from "../../dashboard/background.js";
import { FIRST_REFRESH_MS, HIDDEN_REST_MS, REFRESH_MS, createLive, freshness, retryDelayMs } from "../../dashboard/live.js";
import { bannerWords } from "../../dashboard/shell.js";

process.env.TZ = "UTC";
const NOW = Date.parse("2026-11-23T08:12:04Z");
const state = (changes) => ({ lastDataMs: NOW, failures: 0, error: null, retryAtMs: 0, label: "", paused: false, ...changes });

for (const [changes, laterMs, tone, text] of [
  [{ lastDataMs: null }, 0, "starting", "Connecting…"],
  [{}, 2000, "live", "Live · updated 2 s ago"],
  [{}, -5000, "live", "Live · updated 0 s ago"],
  [{}, 34_000, "stale", "Data is 34 s old."],
  [{ failures: 2 }, 34_000, "stale", "Reconnecting… last data 34 s ago"],
  [{ failures: 9 }, 90_000, "offline", "Offline · last data 08:12:04"],
  [{ failures: 1, lastDataMs: null }, 0, "offline", "Offline · no data yet"],
  [{ label: "Paused · 07:00–08:00", paused: true }, 99_000, "paused", "Paused · 07:00–08:00"],
]) {
  test(`the pill reads "${text}"`, () => {
    assert.deepEqual(freshness(state(changes), NOW + laterMs), { tone, text });
  });
}

test("retries come after 1, 2, 4, 8 and then every 15 s, never later", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 99].map((failures) => retryDelayMs(failures, 1)), [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  assert.ok(retryDelayMs(5, 0) >= 12_000);
});

test("the banner says what is wrong, what is shown and when it tries again", () => {
  const away = Object.assign(new Error("gone"), { unreachable: true });
  const failing = state({ failures: 1, error: away, retryAtMs: 9000 });
  assert.deepEqual(bannerWords(failing, 5100), { reason: "Cannot reach the server. Showing data from 08:12:04.", retry: "Retrying in 4 s." });
  assert.deepEqual(bannerWords(failing, 9500), { reason: "Cannot reach the server. Showing data from 08:12:04.", retry: "Retrying…" });
  const refused = Object.assign(new Error("The storage is full."), { unreachable: false, requestId: "req_7" });
  assert.equal(bannerWords(state({ failures: 1, error: refused, lastDataMs: null }), 0).reason, "The storage is full. (request req_7)");
  assert.equal(bannerWords(state({}), 0), null);
});

/** A page that can be hidden, and a backend that answers as told. */
function stage() {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: NOW });
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const calls = { count: 0, fails: false };
  const live = createLive({ clock: { now: () => Date.now() }, page, random: () => 1 });
  const refresh = async () => {
    calls.count += 1;
    if (calls.fails) throw new Error("away");
  };
  const look = (visibility) => {
    page.visibilityState = visibility;
    page.dispatchEvent(new Event("visibilitychange"));
  };
  return { live, calls, refresh, look };
}

/** Moves the time on, second by second, so that promises settle between timers. */
async function pass(ms) {
  await settle();
  for (let passed = 0; passed < ms; passed += 500) {
    mock.timers.tick(500);
    await settle();
  }
}

async function settle() {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

/** @param {string} name @param {(parts: ReturnType<typeof stage>) => Promise<void>} law */
const law = (name, check) =>
  test(name, async () => {
    const parts = stage();
    try {
      await parts.live.start(parts.refresh);
      await check(parts);
    } finally {
      parts.live.stop();
      mock.timers.reset();
    }
  });

law("a page is asked for at once and then every 5 s", async ({ calls }) => {
  assert.equal(calls.count, 1);
  await pass(4 * REFRESH_MS);
  assert.equal(calls.count, 5);
});

law("a page that waits for its first sample is asked for each second, until it has come", async ({ live, calls, refresh }) => {
  const before = calls.count;
  await live.start(refresh, () => (calls.count - before < 4 ? FIRST_REFRESH_MS : REFRESH_MS));
  await pass(3 * FIRST_REFRESH_MS);
  assert.equal(calls.count - before, 4);
  await pass(REFRESH_MS - 500);
  assert.equal(calls.count - before, 4);
  await pass(500);
  assert.equal(calls.count - before, 5);
});

law("what follows by itself does not keep a session awake, what a person does at the page does", async ({ live }) => {
  const byItself = [];
  await live.start(async (signal) => byItself.push(isBackground(signal)));
  await pass(REFRESH_MS);
  await live.refreshNow();
  assert.deepEqual(byItself, [false, true, false]);
});

law("failures are counted, shown and forgotten with the first answer", async ({ live, calls }) => {
  calls.fails = true;
  await pass(REFRESH_MS);
  assert.equal(live.state.failures, 1);
  assert.equal(live.state.lastDataMs, NOW, "what was there stays");
  await pass(60_000);
  assert.ok(calls.count - 1 <= 8, `${calls.count - 1} attempts in a minute`);
  calls.fails = false;
  await pass(15_000);
  assert.deepEqual([live.state.failures, live.state.error], [0, null]);
});

law("a hidden page rests after a minute and asks once when it is seen again", async ({ calls, look }) => {
  look("hidden");
  await pass(HIDDEN_REST_MS);
  const asked = calls.count;
  await pass(10 * 60_000);
  assert.equal(calls.count, asked, "no request while nobody looks");
  look("visible");
  assert.equal(calls.count, asked + 1);
  await pass(REFRESH_MS);
  assert.equal(calls.count, asked + 2);
});

law("a short look elsewhere changes nothing", async ({ calls, look }) => {
  look("hidden");
  await pass(HIDDEN_REST_MS / 2);
  look("visible");
  const asked = calls.count;
  await pass(REFRESH_MS);
  assert.equal(calls.count, asked + 1);
});

law("a pause asks nothing until it ends", async ({ live, calls, look }) => {
  live.pause("Paused · 07:00–08:00");
  look("hidden");
  await pass(2 * HIDDEN_REST_MS);
  look("visible");
  assert.equal(calls.count, 1);
  await live.resume();
  assert.equal(calls.count, 2);
  assert.equal(live.state.label, "");
});

law("leaving a page aborts its request and counts no failure", async ({ live }) => {
  let aborted = false;
  void live.start((signal) => new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      aborted = true;
      reject(signal.reason);
    });
  }));
  live.stop();
  await pass(REFRESH_MS);
  assert.equal(aborted, true);
  assert.equal(live.state.failures, 0);
});

law("listeners hear of changes until they leave", async ({ live }) => {
  const heard = [];
  const end = live.subscribe(({ label }) => heard.push(label));
  live.setLabel("Paused while hovering");
  live.setLabel("Paused while hovering");
  end();
  live.setLabel("");
  assert.deepEqual(heard, ["Paused while hovering"]);
});
