import assert from "node:assert/strict";
import { test } from "node:test";

import * as describe from "../../dashboard/charts/describe.js";
import { fade, heatStep } from "../../dashboard/charts/colours.js";
import { gridOf } from "../../dashboard/charts/history.js";
import { gapsOf, highestOf, lonePoints, lowestOf, planLayers } from "../../dashboard/charts/plan.js";

const PALETTE = { s1: "#0080D6", s2: "#99520A", s3: "#02685A", "text-3": "#5A6472" };
const one = (key, colour, mean, more = {}) => ({ key, label: key, colour, unit: "percent", mean, min: mean, max: mean, ...more });
const plot = (layout, series) => ({ subtitle: "", layout, axis: { kind: "percent", fixed: 100 }, series });
const seconds = (...list) => list.map((second) => second * 1000);

function view(times, series, { raw = true, hidden = [] } = {}) {
  const history = { start: times[0], end: times.at(-1), step: 5000, raw, times, series: series.map((s) => ({ metric: s.key, instance: "", ...s })) };
  return { grid: gridOf(history), raw, hidden: new Set(hidden), palette: PALETTE };
}

test("a stack is drawn as planes, each filled down to the one below", () => {
  const series = [one("user", "s1", [10, 20]), one("system", "s2", [1, 2]), one("total", "", [11, 22])];
  const layers = planLayers(plot("stack", series), view(seconds(0, 5), series));
  assert.deepEqual(layers.map((l) => [l.key, l.to, l.data.map((p) => p.y)]), [["user", "origin", [10, 20]], ["system", "-1", [11, 22]]]);
});

test("hiding a plane lowers what stood on it", () => {
  const series = [one("user", "s1", [10]), one("system", "s2", [1]), one("iowait", "s3", [5])];
  const shown = view(seconds(0), series, { hidden: ["user"] });
  const layers = planLayers(plot("stack", series), shown);
  assert.deepEqual(layers.map((l) => [l.key, l.to, l.data[0].y]), [["system", "origin", 1], ["iowait", "-1", 6]]);
  assert.equal(highestOf(plot("stack", series), shown), 6);
});

test("the newest value is called current only while it is fresh, however many empty buckets follow", () => {
  const series = [one("user", "s1", [1, null, null, null, null, null]), one("system", "s2", [1, 2, null, null, null, null])];
  const history = { times: seconds(0, 10, 20, 30, 40, 50), step: 10_000 };
  assert.equal(describe.newestIndex(series, history, 40_000), 1);
  assert.equal(describe.newestIndex(series, history, 41_000), -1);
  assert.equal(describe.newestIndex(series, history), 1);
  assert.equal(describe.newestIndex([one("user", "s1", [null])], { times: [0], step: 10_000 }, 0), -1);
});

test("a gap is an empty point, for lines and for planes", () => {
  const series = [one("user", "s1", [1, 1, 1, 1]), one("system", "s2", [1, 1, 1, 1])];
  for (const layout of ["stack", "lines"]) {
    for (const layer of planLayers(plot(layout, series), view(seconds(0, 5, 65, 70), series))) {
      assert.deepEqual(layer.data.map((p) => p.y === null), [false, false, true, false, false], layout);
      assert.equal(layer.data[2].x, 35_000);
    }
  }
});

test("buckets carry their extremes as a band behind the line, samples do not", () => {
  const series = [one("load", "s1", [10], { min: [2], max: [100] })];
  const keys = (raw) => planLayers(plot("lines", series), view(seconds(0), series, { raw })).map((l) => [l.key, l.data[0].y, l.to]);
  assert.deepEqual(keys(true), [["load", 10, "origin"]]);
  assert.deepEqual(keys(false), [["load", 10, "origin"], ["load:min", 2, "-1"], ["load:max", 100, "-1"]]);
  assert.equal(highestOf(plot("lines", series), view(seconds(0), series, { raw: false })), 100);
});

test("what goes out is drawn below zero and counts for the axis all the same", () => {
  const series = [one("in", "s1", [3]), one("out", "s2", [7], { below: true, area: 0.2 })];
  const shown = view(seconds(0), series);
  const out = planLayers(plot("lines", series), shown)[1];
  assert.deepEqual([out.data[0].y, out.fill], [-7, "#99520A33"]);
  assert.equal(highestOf(plot("lines", series), shown), 7);
});

test("values below zero stretch the axis down to the band's foot, hidden ones do not", () => {
  const series = [one("a", "s1", [2, -3], { min: [-1, -9] }), one("b", "s2", [-50, null])];
  const shown = (raw) => view(seconds(0, 5), series, { raw, hidden: ["b"] });
  assert.deepEqual([true, false].map((raw) => lowestOf(plot("lines", series), shown(raw))), [-3, -9]);
  assert.equal(lowestOf(plot("lines", [one("a", "s1", [2, 3])]), shown(true)), 0);
});

test("a series of the right axis does not stretch the left one", () => {
  const series = [one("await", "s1", [3]), one("busy", "s2", [99], { axis: "right" })];
  assert.equal(highestOf(plot("lines", series), view(seconds(0), series)), 3);
});

test("a chart is hatched where all its series are missing", () => {
  const series = [one("a", "s1", [1, null, null, null, 1]), one("b", "s2", [1, null, null, null, 1])];
  const other = one("c", "s3", [1, 1, 1, 1, 1]);
  const { grid } = view(seconds(0, 5, 10, 15, 20), [...series, other]);
  assert.deepEqual(gapsOf(plot("lines", series), grid, { step: 5000, raw: true }, { start: 0, end: 20_000 }), [{ start: 0, end: 20_000 }]);
  assert.deepEqual(gapsOf(plot("lines", [...series, other]), grid, { step: 5000, raw: true }, { start: 0, end: 20_000 }), []);
});

test("a sample alone between gaps gets a dot", () => {
  const points = [{ x: 0, y: 1 }, { x: 1, y: null }, { x: 2, y: 1 }, { x: 3, y: null }, { x: 4, y: 1 }, { x: 5, y: 1 }];
  assert.deepEqual(lonePoints(points), [true, false, true, false, false, false]);
});

test("colours fade and heat climbs in six steps", () => {
  assert.equal(fade("#0080D6", 0.5), "#0080D680");
  assert.deepEqual([0, 16, 17, 50, 99.9, 100, 250, -3].map(heatStep), ["h0", "h0", "h1", "h3", "h5", "h5", "h5", "h0"]);
});

test("a legend says no data once, and for one missing series at that series", () => {
  const series = [one("user", "s1", [10, null]), one("system", "s2", [null, null])];
  assert.deepEqual(describe.legendTexts(plot("lines", series), 0, true), ["10%", "no data"]);
  assert.deepEqual(describe.legendTexts(plot("lines", series), 1, true), ["no data", "–"]);
  assert.deepEqual(describe.legendTexts(plot("lines", series), -1, true), ["no data", "–"]);
});

test("a bucket tells its average and what it lay between; of a stack only the one with a band does", () => {
  const series = [one("total", "", [40], { min: [12], max: [100] }), one("user", "s1", [30], { max: [90] }), one("system", "s2", [10])];
  const stack = { ...plot("stack", series), band: "total" };
  assert.deepEqual(describe.legendTexts(stack, 0, false), ["40% (12–100%)", "30%", "10%"]);
  assert.deepEqual(describe.legendTexts(stack, 0, true), ["40%", "30%", "10%"]);
  assert.deepEqual(describe.legendTexts(plot("lines", series), 0, false), ["40% (12–100%)", "30% (30–90%)", "10%"]);
});

test("a span has one unit where both ends have the same", () => {
  assert.equal(describe.spanText(3.9, 55, "percent"), "3.9–55%");
  assert.equal(describe.spanText(4.2e6, 12.3e6, "bytes_per_sec"), "4.20–12.3 MB/s");
  assert.equal(describe.spanText(4200, 12.3e6, "bytes_per_sec"), "4.20 kB/s – 12.3 MB/s");
  assert.equal(describe.spanText(0.1, 2.4, "load"), "0.10–2.40");
  assert.equal(describe.spanText(7, 7, "count"), "7");
});

test("a subtitle says what a point is, and whose band there is", () => {
  const series = [one("a", "s1", [1]), one("b", "s2", [1])];
  assert.equal(describe.stepWords(plot("lines", series), { raw: true, step: 5000 }), "every 5 s");
  assert.equal(describe.stepWords(plot("lines", series), { raw: false, step: 300_000 }), "avg per 5 min, band = min–max");
  assert.equal(describe.stepWords(plot("stack", series), { raw: false, step: 10_000 }), "avg per 10 s");
  assert.equal(describe.stepWords({ ...plot("stack", series), band: "a" }, { raw: false, step: 7_200_000 }), "avg per 2 h, band = min–max of a");
  assert.equal(describe.stepWords(plot("stack", [series[0]]), { raw: false, step: 10_000 }), "avg per 10 s, band = min–max");
});

test("the crosshair names an instant, or the bucket it is in", () => {
  const at = Date.parse("2026-11-23T22:00:00Z");
  const words = (step, days, raw = false) => describe.instantWords(at, { raw, step }, days * 86_400_000, "utc");
  assert.equal(words(5000, 0.01, true), "22:00:00");
  assert.equal(words(5000, 7, true), "23 Nov 22:00:00");
  assert.equal(words(10_000, 0.04), "22:00:00");
  assert.equal(words(300_000, 0.5), "22:00–22:05");
  assert.equal(words(300_000, 1), "23 Nov 22:00–22:05");
  assert.equal(words(7_200_000, 30), "23 Nov 22:00–00:00");
  assert.equal(words(86_400_000, 366), "23 Nov 22:00–24 Nov 22:00");
});

test("the band of a total stands around the whole stack, and goes when a plane is hidden", () => {
  const series = [one("user", "s1", [10]), one("system", "s2", [5]), one("total", "", [15], { min: [2], max: [100] })];
  const stack = { ...plot("stack", series), band: "total" };
  const bands = (hidden) => planLayers(stack, view(seconds(0), series, { raw: false, hidden })).filter((l) => l.key.startsWith("total")).map((l) => l.data[0].y);
  assert.deepEqual([bands([]), bands(["user"])], [[2, 100], []]);
  assert.equal(highestOf(stack, view(seconds(0), series, { raw: false })), 100);
  assert.equal(highestOf(stack, view(seconds(0), series, { raw: true })), 15);
});

test("a chart can be heard: now, extremes with their time, gaps", () => {
  const times = seconds(0, 60, 120).map((time) => Date.parse("2026-11-23T08:27:00Z") + time);
  const shown = { times, words: "last hour", live: true, gaps: [{ start: 0, end: 360_000 }], zone: "utc" };
  const series = [one("cpu", "s1", [31, 100, 57])];
  assert.equal(describe.chartLabel("CPU", plot("lines", series), shown), "CPU, last hour: now 57%, min 31%, max 100% at 08:28, 1 gap of 6 min");
  const two = [one("user", "s1", [1, 2, 3]), one("total", "", [31, 100, 57])];
  assert.match(describe.chartLabel("CPU", plot("stack", two), { ...shown, live: false, gaps: [] }), /: total last 57%, .*, no gaps$/);
  assert.match(describe.chartLabel("CPU", plot("lines", series), { ...shown, gaps: [{ start: 0, end: 1000 }, { start: 0, end: 60_000 }] }), /2 gaps, the longest 1 min$/);
  assert.equal(describe.chartLabel("CPU", plot("lines", [one("cpu", "s1", [null])]), shown), "CPU, last hour: no data");
  assert.equal(describe.chartLabel("CPU", plot("lines", []), shown), "CPU, last hour: no data");
  const days = { ...shown, times: [0, 1, 2].map((day) => times[0] + day * 86_400_000), gaps: [] };
  assert.match(describe.chartLabel("CPU", plot("lines", series), days), /max 100% at 24 Nov 08:27/);
});

test("the table has the statistics and every sample, the newest first, gaps named", () => {
  const series = [one("a", "s1", [1, 2, 3], { max: [9, 9, 9] })];
  const { grid } = view(seconds(0, 5, 65), series);
  assert.deepEqual(describe.statsRows(plot("lines", series), seconds(0, 5, 65)), [{ label: "a", min: "1.0%", avg: "2.0%", max: "9.0%", last: "3.0%" }]);
  const rows = describe.tableRows(plot("lines", series), grid, "utc", true);
  assert.deepEqual(rows[0], { time: "1970-01-01 00:01:05", values: ["3.0%"] });
  assert.deepEqual(describe.tableRows(plot("lines", series), grid, "utc", false)[0].values, ["3.0% (3.0–9.0%)"]);
  assert.deepEqual(rows[1], { time: "gap", values: ["no data"] });
  assert.equal(rows.length, 4);
});

test("a CSV file has empty cells in a gap and no formula from a name", () => {
  const series = [one("=1+1", "s1", [1, 2])];
  const { grid } = view(seconds(0, 60), series);
  const lines = describe.csvText(plot("lines", series), grid).split("\r\n");
  assert.equal(lines[0], "time_iso,'=1+1 avg,'=1+1 min,'=1+1 max");
  assert.deepEqual(lines.slice(1, 4), ["1970-01-01T00:00:00.000Z,1,1,1", "1970-01-01T00:00:30.000Z,,,", "1970-01-01T00:01:00.000Z,2,2,2"]);
});
