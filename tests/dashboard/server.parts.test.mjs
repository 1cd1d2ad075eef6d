import assert from "node:assert/strict";
import { test } from "node:test";

import { historySince } from "../../dashboard/charts/history.js";
import { coresAt, shownCores } from "../../dashboard/server/core-values.js";
import { diskRows } from "../../dashboard/server/disks.js";
import { factWords } from "../../dashboard/server/facts.js";
import { kpis } from "../../dashboard/server/kpis.js";
import { diskOf, isPhysical, isPseudo } from "../../dashboard/server/names.js";
import { networkRows } from "../../dashboard/server/networks.js";

const GIB = 2 ** 30;
const DAY = 86_400_000;
const series = (metric, mean, instance = "", unit = "percent") => ({ metric, instance, unit, mean, min: mean, max: mean });
const history = (list, times = [0, 5000]) => ({ start: 0, end: 5000, step: 5000, raw: true, times, series: list });
const row = (more = {}) => ({ id: "srv_1", hostname: "web-1", status: "up", tags: [], flags: [], ...more });
const catalogue = new Map([["disk_percent", { name: "disk_percent", warning: 90, critical: 98 }]]);
const strip = (situation) => Object.fromEntries(kpis({ catalogue, live: true, sizes: {}, ...situation }).map((kpi) => [kpi.key, kpi]));

test("headline numbers of a live server are those of its row", () => {
  const cards = strip({ row: row({ cpu_percent_total: 57 }), history: history([series("cpu_percent_total", [31, 91])]), sizes: { cores: 8 } });
  assert.deepEqual(cards.cpu, { key: "cpu", label: "CPU", value: "57%", detail: "8 cores", range: "min 31% · avg 61% · max 91%", level: "" });
});

test("a server that is down has no headline numbers, but keeps what the range was", () => {
  const cards = strip({ row: row({ status: "down", cpu_percent_total: 57, disk_percent: 99 }), history: history([series("cpu_percent_total", [31, 91])]) });
  assert.ok(Object.values(cards).every((card) => card.value === "–" && card.level === ""));
  assert.equal(cards.cpu.range, "min 31% · avg 61% · max 91%");
});

test("in a window of the past the numbers are those at its end", () => {
  const past = history([series("cpu_percent_total", [31, 91]), series("disk_percent", [20, 21], "/"), series("disk_percent", [90, 99], "/data")]);
  const cards = strip({ row: row({ status: "down", cpu_percent_total: 57, disk_percent: 10, disk_mountpoint: "/" }), history: past, live: false, at: "08:00" });
  assert.equal(cards.cpu.label, "CPU at 08:00");
  assert.equal(cards.cpu.value, "91%");
  assert.deepEqual([cards.disk_space.value, cards.disk_space.detail, cards.disk_space.level], ["99%", "/data", "critical"]);
});

test("memory is told in bytes of its size, a server without swap says so", () => {
  const data = history([series("memory_percent", [50, 55]), series("memory_used", [15 * GIB, 17.1 * GIB], "", "bytes")]);
  const cards = strip({ row: row({ memory_percent: 55 }), history: data, sizes: { memory_total: 31.2 * GIB, swap_total: 0 } });
  assert.deepEqual([cards.memory.value, cards.memory.detail], ["17.1 GiB", "55% of 31.2 GiB"]);
  assert.deepEqual([cards.swap.value, cards.swap.detail], ["none", "no swap configured"]);
});

test("load is told per core, network both ways", () => {
  const data = history([series("load_average", [4, 8], "1m", "load"), series("bytes_recv_per_sec", [1e6, 3e6], "", "bytes_per_sec")]);
  const cards = strip({ row: row({ load_per_core: 0.5, bytes_recv_per_sec: 3e6, bytes_sent_per_sec: 2e6 }), history: data, sizes: { cores: 8 } });
  assert.deepEqual([cards.load.value, cards.load.range], ["0.50", "min 0.50 · avg 0.75 · max 1.00"]);
  assert.deepEqual([cards.network.value, cards.network.detail, cards.network.range], ["3.00 MB/s", "2.00 MB/s out", "avg 2.00 MB/s · max 3.00 MB/s"]);
});

test("facts that are not known leave no hole", () => {
  assert.deepEqual(factWords(row(), 0), []);
  const known = row({
    os: "Debian 12", kernel: "6.1.0", cpu_count_logical: 8, memory_total: 32 * GIB, agent_version: "0.1.0", boot_time: 0, interval_seconds: 5,
    facts: { addresses: ["10.0.0.5", 7, "10.0.0.6", "10.0.0.7"], architecture: "x86_64" },
  });
  assert.deepEqual(factWords({ ...known, boot_time: 1000 }, 61_000), [
    "Debian 12", "kernel 6.1.0", "x86_64", "8 cores", "32.0 GiB RAM", "10.0.0.5, 10.0.0.6", "agent 0.1.0", "up 1 min", "every 5 s",
  ]);
  assert.ok(!factWords({ ...known, boot_time: 1000, status: "down" }, 61_000).some((words) => words.startsWith("up ")));
});

test("names tell the physical from the virtual", () => {
  assert.deepEqual(["eth0", "enp3s0", "bond0", "lo", "docker0", "veth12", "br-1a", "cali9"].map(isPhysical), [true, true, true, false, false, false, false, false]);
  assert.deepEqual(["ext4", "tmpfs", undefined].map(isPseudo), [false, true, false]);
});

test("a mount's device is matched to its whole disk and to no other", () => {
  const disks = ["sda", "sdab", "nvme0n1", "dm-0"];
  assert.deepEqual(["/dev/sda1", "/dev/sdab2", "/dev/nvme0n1p2", "/dev/nvme0n1", "/dev/sdb1", "/dev/mapper/vg", "/dev/dm-0", ""].map((one) => diskOf(one, disks)),
    ["sda", "sdab", "nvme0n1", "nvme0n1", "", "", "dm-0", ""]);
});

test("disks stand worst first, and what is missing is not zero", () => {
  const partition = (mountpoint, percent, more = {}) => ({ device: "/dev/sda1", mountpoint, fstype: "ext4", percent, total: 100, free: 100 - percent, ...more });
  const report = { disk: { partitions: [partition("/", 40), partition("/data", 94), { device: "nfs", mountpoint: "/mnt", fstype: "nfs", stuck: 1 }, { mountpoint: 7 }, null, partition("/ro", 1, { readonly: 1, fstype: "tmpfs" })] } };
  const growth = new Map([["/data", { learnedMs: 2 * DAY, bytesPerMs: 3 / DAY }], ["/ro", { learnedMs: 2 * DAY, bytesPerMs: 1 }]]);
  const rows = diskRows(report, history([series("read_bytes_per_sec", [1, 5], "sda")]), growth);
  assert.deepEqual(rows.map((one) => [one.mount, one.note]), [["/mnt", "does not answer"], ["/data", ""], ["/", ""], ["/ro", "read-only"]]);
  assert.deepEqual([rows[1].read, rows[1].write, rows[0].percent, rows[3].pseudo], [5, null, undefined, true]);
  assert.deepEqual(rows.map((one) => one.fullIn), ["–", "2.0 d", "–", "–"]);
});

test("a report of any shape gives tables, perhaps empty ones", () => {
  for (const report of [undefined, {}, { disk: 1, io: 2 }, { disk: { partitions: {} }, io: { network: [] } }, { io: { network: { bytes_sent: 5 } } }]) {
    assert.deepEqual(diskRows(report, history([]), new Map()), []);
    assert.deepEqual(networkRows(report, history([])), []);
  }
});

test("interfaces tell now, peak and total of the range, the physical ones first", () => {
  const data = history([
    series("bytes_recv_per_sec", [100, 300], "eth0"), series("bytes_recv_per_sec", [900, 900], "docker0"), series("bytes_recv_per_sec", [1, 1], ""),
    series("errin_per_sec", [0.2, 0], "eth0"), series("errout_per_sec", [0, 0], "eth0"),
  ]);
  const report = { io: { network: { eth0: { isup: 1, speed: 10000, packets_recv_per_sec: 5, packets_sent_per_sec: 6, addresses: ["10.0.0.5", null] }, eth1: { isup: 0 } } } };
  const rows = networkRows(report, data);
  assert.deepEqual(rows.map((one) => one.name), ["eth0", "eth1", "docker0"]);
  assert.deepEqual(rows[0].traffic.in, { now: 300, peak: 300, total: 2000 });
  assert.deepEqual([rows[0].state, rows[0].speed, rows[0].packets, rows[0].errors, rows[0].drops, rows[0].addresses], ["up", "10 Gb/s", 11, 1, null, "10.0.0.5"]);
  assert.deepEqual([rows[1].state, rows[1].packets, rows[1].traffic.out.total], ["down", null, null]);
});

test("of the first and the last bucket only what lies in the window counts", () => {
  const data = { start: 5_400_000, end: 16_200_000, step: 7_200_000, raw: false, times: [0, 7_200_000, 14_400_000], series: [series("bytes_recv_per_sec", [100, 100, 100], "eth0")] };
  assert.equal(networkRows({}, data)[0].traffic.in.total, 100 * 10_800);
});

test("since when there is history is said where a long window begins well before it", () => {
  const hours = (...list) => list.map((hour) => hour * 3_600_000);
  const since = (from, to, times) => historySince(history([series("cpu_percent_total", times.map(() => 1))], times), { start: hours(from)[0], end: hours(to)[0] });
  assert.equal(since(0, 720, hours(700, 701)), 700 * 3_600_000);
  assert.ok(Number.isNaN(since(0, 720, hours(2, 701))), "a small piece is only hatched");
  assert.ok(Number.isNaN(since(0, 1, [3_000_000])), "a young server on a short range grows into it");
  assert.ok(Number.isNaN(since(0, 720, [])));
});

test("cores stand by number; of very many only the busiest", () => {
  const core = (n, value) => series("cpu_percent_per_core", [value], String(n));
  assert.deepEqual(shownCores([core(10, 1), core(2, 1)], false).map((one) => one.instance), ["2", "10"]);
  const many = Array.from({ length: 100 }, (_, n) => core(n, n));
  assert.equal(shownCores(many, true).length, 100);
  assert.deepEqual(shownCores(many, false).map((one) => one.instance).slice(0, 2), ["99", "98"]);
  assert.equal(shownCores(many, false).length, 32);
  assert.equal(coresAt([core(0, 20), core(1, 60)], 0), "busiest cpu1 60% · mean 40%");
  assert.equal(coresAt([core(0, null)], 0), "no data");
  assert.equal(coresAt([{ ...core(0, 20), max: [100] }, core(1, 60)], 0), "busiest cpu0 100% · mean 40%", "the mean is of means");
});
