import assert from "node:assert/strict";
import { test } from "node:test";

import { chosen, customPlot, MAX_CARDS, present, reported, stored } from "../../dashboard/server/custom.js";

const series = (metric, instance, mean) => ({ metric, instance, unit: "", mean, min: mean, max: mean });
const names = (count) => Array.from({ length: count }, (_, n) => `custom.n${n}`);

function draw(metric, list) {
  const history = { start: 0, end: 5000, step: 5000, raw: true, times: [0, 5000], series: list };
  return customPlot(metric).draw({ history, catalogue: new Map(), sizes: {}, choice: { nic: "", disk: "" } });
}

test("what a report has under custom is known by name, whatever shape it has", () => {
  assert.deepEqual(reported({ custom: { depth: 4, workers: { mail: 3 }, bad: "x", none: null } }), ["custom.depth", "custom.workers"]);
  for (const report of [null, undefined, {}, { custom: null }, { custom: 7 }]) assert.deepEqual(reported(report), []);
  assert.deepEqual(reported(JSON.parse('{"custom": {"__proto__": 1}}')), ["custom.__proto__"]);
});

test("of a server's series only the custom ones count", () => {
  assert.deepEqual(stored([{ metric: "cpu_percent_total" }, { metric: "custom.depth" }]), ["custom.depth"]);
});

test("the first by name get a card, each once, the rest is counted", () => {
  assert.deepEqual(chosen(["custom.b", "custom.a", "custom.b"]), { asked: ["custom.a", "custom.b"], others: 0 });
  const { asked, others } = chosen(names(40));
  assert.deepEqual([asked.length, asked[2], others], [MAX_CARDS, "custom.n2", 40 - MAX_CARDS]);
});

test("a name that the question cannot carry is counted, not asked for", () => {
  assert.deepEqual(chosen(["custom.a,b", "custom.a", "custom.a ", "custom. b"]), { asked: ["custom. b", "custom.a"], others: 2 });
});

test("names as long as they can be leave the address short enough", () => {
  const { asked, others } = chosen(Array.from({ length: 24 }, (_, n) => `custom.${"\u{1F4A5}".repeat(60)}${n}`));
  assert.ok(asked.length > 0 && new URLSearchParams({ metrics: asked.join() }).toString().length < 6000);
  assert.equal(asked.length + others, 24);
  assert.equal(chosen(["custom.\ud800"]).asked.length, 1);
});

test("only metrics with a value in the window get a card", () => {
  const history = { series: [series("custom.a", "", [null, 1]), series("custom.b", "", [null, null])] };
  assert.deepEqual(present(["custom.a", "custom.b", "custom.c"], history), ["custom.a"]);
});

test("a number is one line, an object one for each instance", () => {
  const depth = draw("custom.depth", [series("custom.depth", "", [4, 5])]);
  assert.deepEqual([depth.subtitle, depth.axis.kind, depth.series.map((one) => [one.label, one.mean])], ["", "number", [["value", [4, 5]]]]);
  const workers = draw("custom.workers", [series("custom.workers", "web", [8, 8]), series("custom.workers", "mail", [3, 3])]);
  assert.deepEqual([workers.subtitle, workers.series.map((one) => one.label)], ["2 instances", ["mail", "web"]]);
  assert.equal(draw("custom.gone", []), null);
});

test("of many instances the six with the highest mean are drawn, also those seen for a short time", () => {
  const many = Array.from({ length: 9 }, (_, n) => series("custom.q", `q${n}`, n === 8 ? [null, 8] : [n, n]));
  const plot = draw("custom.q", many);
  assert.deepEqual(plot.series.map((one) => one.key), ["q3", "q4", "q5", "q6", "q7", "q8"]);
  assert.equal(plot.subtitle, "the 6 highest, other 3 not shown");
});

test("a metric that became an object keeps its lines apart, whatever its instances are called", () => {
  const plot = draw("custom.w", [series("custom.w", "", [1, null]), series("custom.w", "value", [null, 2]), series("custom.w", "instance", [null, 3])]);
  assert.equal(new Set(plot.series.map((one) => one.key)).size, 3);
});

test("the card is known by the metric's whole name and shows its own", () => {
  assert.deepEqual([customPlot("custom.a.b").key, customPlot("custom.a.b").title], ["custom.a.b", "a.b"]);
});
