import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = new URL("../../dashboard/", import.meta.url).pathname;
const OTHERS = new Set(["node_modules", "vendor", "dist"]);

function modules(folder = "") {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return OTHERS.has(entry.name) ? [] : modules(path);
    return path.endsWith(".js") ? [{ path, text: readFileSync(join(ROOT, path), "utf8") }] : [];
  });
}

const whoHas = (pattern) => modules().filter(({ text }) => pattern.test(text)).map(({ path }) => path);

test("only the API client fetches", () => {
  assert.deepEqual(whoHas(/\bfetch\(|XMLHttpRequest|EventSource|WebSocket/), ["api.js"]);
});

test("only the chart factory knows Chart.js", () => {
  assert.deepEqual(whoHas(/vendor\/chart\.js/), ["charts/chart.js"]);
});

test("nothing from a server can become markup, script or style", () => {
  assert.deepEqual(whoHas(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|unsafeHTML|\beval\(|new Function| style="/), []);
});

test("the pure modules touch no page", () => {
  const pure = ["timescale.js", "format.js", "query.js", "charts/history.js", "charts/plan.js", "charts/axis.js", "charts/gesture.js",
    "charts/describe.js", "server/plots.js", "server/kpis.js", "server/disks.js", "server/networks.js", "server/feed.js"];
  const touching = whoHas(/\bdocument\.|\bwindow\.(location|document)|getComputedStyle|vendor\//);
  assert.deepEqual(pure.filter((path) => touching.includes(path)), []);
  assert.ok(pure.every((path) => modules().some((module) => module.path === path)));
});
