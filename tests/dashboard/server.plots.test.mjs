import assert from "node:assert/strict";
import { test } from "node:test";

import { METRICS, PLOTS } from "../../dashboard/server/plots.js";

const GIB = 2 ** 30;
const CATALOGUE = new Map(Object.entries({
  cpu_percent_total: { warning: 85, critical: 95 },
  memory_percent: { warning: 90, critical: 95 },
  temperature_celsius: { warning: 75, critical: 90 },
}));
const series = (metric, mean = [1], instance = "") => ({ metric, instance, unit: "percent", mean, min: mean, max: mean });

function draw(key, list, more = {}) {
  const times = (list[0]?.mean ?? []).map((_, i) => i * 5000);
  const history = { start: 0, end: 5000, step: 5000, raw: true, times, series: list };
  const source = { history, catalogue: CATALOGUE, sizes: {}, choice: { nic: "", disk: "" }, ...more };
  return PLOTS.find((plot) => plot.key === key).draw(source);
}
const keys = (plot) => plot.series.map((one) => one.key);

test("a chart of which nothing was sent is not drawn", () => {
  for (const { key } of PLOTS) assert.equal(draw(key, []), null, key);
});

test("all that the charts draw is asked for, once", () => {
  assert.equal(new Set(METRICS).size, METRICS.length);
  for (const metric of METRICS.filter((name) => !/per_core|_percent$|err|drop/.test(name) || name === "disk_percent")) {
    const drawn = PLOTS.some(({ key }) => ["", "1m", "sda", "lo"].some((instance) => draw(key, [series(metric, [1], instance)])));
    const beside = ["memory_buffers", "memory_cached", "swap_in_bytes_per_sec", "swap_out_bytes_per_sec"].includes(metric);
    assert.ok(drawn || beside, metric);
  }
});

test("CPU is stacked by mode on a fixed axis, its total only told", () => {
  const plot = draw("cpu", ["total", "user", "system", "iowait", "irq", "nice"].map((mode) => series(`cpu_percent_${mode}`, [2])), { sizes: { cores: 8 } });
  assert.deepEqual(keys(plot), ["user", "system", "iowait", "other", "total"]);
  assert.deepEqual(plot.series.find((one) => one.key === "other").mean, [4]);
  assert.deepEqual([plot.series.at(-1).colour, plot.axis.fixed, plot.subtitle], ["", 100, "% of 8 cores"]);
});

test("an agent that sends only the total of CPU gets one area", () => {
  const plot = draw("cpu", [series("cpu_percent_total")]);
  assert.deepEqual(plot.series.map((one) => [one.key, one.colour]), [["total", "s1"]]);
});

test("thresholds are those of the catalogue and nobody else's", () => {
  assert.deepEqual(draw("cpu", [series("cpu_percent_total")]).thresholds, [
    { value: 85, level: "warn", label: "85%" }, { value: 95, level: "crit", label: "95%" },
  ]);
  assert.deepEqual(draw("cpu", [series("cpu_percent_total")], { catalogue: new Map() }).thresholds, []);
});

test("memory ends at the total, its line stands at the warning's share of it", () => {
  const list = [series("memory_used", [4]), series("memory_cached", [2]), series("memory_buffers", [1])];
  const plot = draw("memory", list, { sizes: { memory_total: 32 * GIB } });
  assert.deepEqual(plot.thresholds, [{ value: 0.9 * 32 * GIB, level: "warn", label: "90%" }]);
  assert.deepEqual([plot.axis.fixed, keys(plot), plot.series[1].mean], [32 * GIB, ["used", "cache"], [3]]);
});

test("network shows the total until an interface is chosen, and marks faults", () => {
  const list = [series("bytes_recv_per_sec", [5, 6]), series("bytes_recv_per_sec", [1, 2], "eth0"), series("errin_per_sec", [0, 0.2], "eth0"), series("dropin_per_sec", [3, 0], "eth1")];
  assert.deepEqual(draw("network", list).series[0].mean, [5, 6]);
  assert.deepEqual(draw("network", list).marks, [0, 5000]);
  const chosen = draw("network", list, { choice: { nic: "eth0", disk: "" } });
  assert.deepEqual([chosen.series[0].mean, chosen.marks], [[1, 2], [5000]]);
});

test("latency is that of the busiest disk until one is chosen", () => {
  const list = [series("disk_busy_percent", [1], "sda"), series("disk_busy_percent", [9], "sdb"), series("disk_await_ms", [4], "sda"), series("disk_await_ms", [7], "sdb")];
  assert.deepEqual(draw("disk_busy", list).series.map((one) => one.mean[0]), [7, 9]);
  const chosen = draw("disk_busy", list, { choice: { nic: "", disk: "sda" } });
  assert.deepEqual(chosen.series.map((one) => [one.mean[0], one.axis]), [[4, undefined], [1, "right"]]);
});

test("of many mounts and sensors the six highest are drawn, and the rest is owned up to", () => {
  const list = Array.from({ length: 9 }, (_, n) => series("temperature_celsius", [n], `core ${n}`));
  const plot = draw("temperature", list);
  assert.deepEqual(keys(plot), [3, 4, 5, 6, 7, 8].map((n) => `core ${n}`));
  assert.equal(plot.subtitle, "the 6 highest, other 3 not shown");
  assert.deepEqual(draw("disk_space", [series("disk_percent", [5], "/")]).subtitle, "% used · 1 mount");
});

test("swap of size zero is no chart", () => {
  const list = [series("swap_used", [0])];
  assert.equal(draw("swap", list, { sizes: { swap_total: 0 } }), null);
  assert.equal(draw("swap", list, { sizes: { swap_total: GIB } }).axis.fixed, GIB);
});

test("load has its core count as a line that is no threshold", () => {
  const plot = draw("load", [series("load_average", [1], "1m")], { sizes: { cores: 8 } });
  assert.deepEqual(plot.thresholds, [{ value: 8, level: "note", label: "8 cores" }]);
});
