import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeServers } from "../../dashboard/decode.js";
import { filterWords, readChoice, writeChoice } from "../../dashboard/servers-choice.js";
import { COLUMNS, chosenColumns, columnsText, fitColumns, totalWidth } from "../../dashboard/servers-columns.js";
import { countByStatus, mergeServers } from "../../dashboard/servers-list.js";
import * as order from "../../dashboard/servers-order.js";
import { STILL_MS, createPlaces } from "../../dashboard/servers-places.js";
import { WINDOW_FROM, windowOf } from "../../dashboard/servers-table.js";

const server = (hostname, changes = {}) => ({ id: `srv_${hostname}`, hostname, status: "up", tags: [], flags: [], ...changes });
const names = (servers) => servers.map(({ hostname }) => hostname);
const answer = (servers, more = {}) => decodeServers({ now: 1, total: servers.length, servers, ...more });
const merged = (known, next) => mergeServers(known, next);

test("a full answer replaces the list, with a default for all that is missing", () => {
  const { servers, whole } = merged(new Map([["old", server("old")]]), answer([{ id: "a", hostname: "web-1" }]));
  assert.deepEqual([...servers.values()], [{ id: "a", hostname: "web-1", status: "waiting", tags: [], flags: [] }]);
  assert.equal(whole, true);
});

test("a delta changes the rows it names, keeps their facts and drops readings that stopped", () => {
  const { servers: before } = merged(new Map(), answer([
    { id: "a", number: 1, hostname: "web-1", status: "up", os: "Debian", cpu_percent_total: 5, temperature_celsius: 50, spark: [1] },
    { id: "b", hostname: "db-1", status: "up" },
  ]));
  const next = answer([{ number: 1, status: "late", cpu_percent_total: 9 }], { delta: true, total: 2 });
  const { servers, counts, whole } = merged(before, next);
  const row = servers.get("a");
  assert.deepEqual([row.hostname, row.os, row.status, row.cpu_percent_total, row.temperature_celsius, row.spark],
    ["web-1", "Debian", "late", 9, undefined, [1]]);
  assert.equal(servers.get("b"), before.get("b"), "a row that was not named stays the same object");
  assert.deepEqual(counts, { down: 0, late: 1, waiting: 0, up: 1, paused: 0 });
  assert.equal(whole, true);
});

test("a row of a delta that names its server is whole: what it leaves out is no more", () => {
  const { servers: before } = merged(new Map(), answer([
    { id: "a", number: 1, hostname: "web-1", name: "The web", flags: ["cloned"], tags: ["prod"], spark: [1] },
  ]));
  const { servers } = merged(before, answer([{ id: "a", number: 1, hostname: "web-1", status: "up" }], { delta: true, total: 1 }));
  const { name, flags, tags, spark } = servers.get("a");
  assert.deepEqual([name, flags, tags, spark], [undefined, [], [], [1]]);
  const { servers: later } = merged(before, answer([{ number: 1, status: "up" }], { delta: true, total: 1 }));
  assert.deepEqual([later.get("a").name, later.get("a").flags], ["The web", []], "a flag that is left out is down");
});

test("a delta that does not add up asks for the full list", () => {
  const { servers: before } = merged(new Map(), answer([{ id: "a" }, { id: "b" }]));
  assert.equal(merged(before, answer([], { delta: true, total: 1 })).whole, false);
  assert.equal(merged(before, answer([{ number: 7, status: "up" }], { delta: true, total: 2 })).whole, false);
});

test("the default order puts the worst status first, then natural names", () => {
  const list = [server("web-10"), server("web-2"), server("p", { status: "paused" }), server("w", { status: "waiting" }),
    server("l", { status: "late" }), server("d", { status: "down" })];
  assert.deepEqual(names(order.sortServers(list, undefined, null)), ["d", "l", "w", "web-2", "web-10", "p"]);
});

test("sorting by a value goes both ways, names break ties and missing values stay last", () => {
  const cpu = (row) => row.cpu_percent_total;
  const list = [server("none"), server("b", { cpu_percent_total: 5 }), server("a", { cpu_percent_total: 5 }), server("hot", { cpu_percent_total: 90 })];
  const sorted = (descending) => names(order.sortServers(list, cpu, { column: "cpu", descending }));
  assert.deepEqual(sorted(true), ["hot", "a", "b", "none"]);
  assert.deepEqual(sorted(false), ["a", "b", "hot", "none"]);
});

test("a header goes descending, ascending, default, and the address says so", () => {
  const first = order.nextSort(null, "cpu");
  const second = order.nextSort(first, "cpu");
  assert.deepEqual([first, second, order.nextSort(second, "cpu")].map(order.sortText), ["-cpu", "cpu", null]);
  assert.equal(order.sortText(order.nextSort(first, "memory")), "-memory");
  for (const text of ["-cpu", "cpu"]) assert.equal(order.sortText(order.parseSort(text)), text);
  assert.equal(order.parseSort("status"), null);
});

const places = (busy, now) => createPlaces({ busy: () => busy.now, now: () => now.ms });
const people = () => [{ now: false }, { ms: 0 }];
const [A, B, C] = ["a", "b", "c"].map((name) => server(name));

test("while someone is at the table nothing moves, newcomers follow and the order is called stale", () => {
  const [busy, now] = people();
  const { settle } = places(busy, now);
  assert.deepEqual(settle([B, A], false), { ordered: [B, A], stale: false });
  busy.now = true;
  assert.deepEqual(settle([A, B, C], false), { ordered: [B, A, C], stale: true });
  busy.now = false;
  assert.deepEqual(settle([A, B, C], false), { ordered: [A, B, C], stale: false });
});

test("rows that moved do not move again before the next refresh, unless someone asks", () => {
  const [busy, now] = people();
  const { settle } = places(busy, now);
  settle([A, B], false);
  assert.deepEqual(settle([B, A], false).ordered, [B, A]);
  now.ms += STILL_MS - 1;
  assert.deepEqual(settle([A, B], false), { ordered: [B, A], stale: true });
  assert.deepEqual(settle([A, B], true), { ordered: [A, B], stale: false });
  now.ms += STILL_MS;
  assert.deepEqual(settle([B, A], false), { ordered: [B, A], stale: false });
});

test("a server that left or came at its place moves nobody", () => {
  const [busy, now] = people();
  const { settle } = places(busy, now);
  settle([A, B, C], false);
  busy.now = true;
  assert.deepEqual(settle([A, C], false), { ordered: [A, C], stale: false });
});

test("groups are offered for what the servers have", () => {
  const list = [server("a", { tags: ["prod", "region:fra"] }), server("b", { tags: ["tier:1"] })];
  assert.deepEqual(order.groupChoices(list), ["status", "os", "tag", "tag:region", "tag:tier"]);
  assert.deepEqual(order.groupChoices([server("a")]), ["status", "os"]);
});

test("a group's heading counts its servers, and a folded group shows nothing else", () => {
  const list = [
    server("a", { tags: ["region:fra"], cpu_percent_total: 10, disk_percent: 50 }),
    server("b", { tags: ["region:fra"], cpu_percent_total: 30, disk_percent: 90, status: "late" }),
    server("c", { tags: [] }),
  ];
  const items = order.layOut(list, "tag:region", new Set());
  assert.deepEqual(items.map((item) => item.name ?? item.server.hostname), ["fra", "a", "b", "(none)", "c"]);
  const [fra] = items;
  assert.deepEqual([fra.size, fra.meanCpu, fra.maxDisk, fra.counts.late], [2, 20, 90, 1]);
  const folded = order.layOut(list, "tag:region", new Set(["fra"]));
  assert.deepEqual(folded.map((item) => item.name ?? item.server.hostname), ["fra", "(none)", "c"]);
  assert.equal(items[3].meanCpu, undefined, "no value is no zero");
  assert.deepEqual(order.layOut(list, "status", new Set()).filter((item) => item.kind === "group").map((item) => item.name), ["up", "late"]);
});

test("up to 150 lines are all in the page, beyond only those in view and ten each side", () => {
  assert.deepEqual(windowOf(3000, 900, 28, WINDOW_FROM), { first: 0, last: WINDOW_FROM });
  assert.deepEqual(windowOf(0, 900, 28, 500), { first: 0, last: 43 });
  assert.deepEqual(windowOf(2800, 900, 28, 500), { first: 90, last: 143 });
  assert.deepEqual(windowOf(99_999, 900, 28, 500), { first: 500, last: 500 });
});

test("the usual columns fit 1408 px and leave one by one, never status and name", () => {
  const usual = chosenColumns(null);
  assert.ok(totalWidth(usual) <= 1408, `they take ${totalWidth(usual)}`);
  assert.deepEqual(fitColumns(usual, 1408), usual);
  const narrow = fitColumns(usual, 800);
  assert.ok(totalWidth(narrow) <= 800);
  assert.ok(narrow.length > 2);
  assert.deepEqual(fitColumns(usual, 0).map(({ id }) => id), ["status", "name"]);
});

test("the chosen columns survive the way through the address", () => {
  const chosen = new Set(["status", "name", "cpu", "swap"]);
  assert.equal(columnsText(chosen), "cpu,swap");
  assert.deepEqual(chosenColumns("cpu,swap").map(({ id }) => id), [...chosen]);
  assert.equal(columnsText(new Set(COLUMNS.filter((column) => !column.optional).map(({ id }) => id))), null);
  assert.deepEqual(chosenColumns(columnsText(new Set())).map(({ id }) => id), ["status", "name"]);
});

test("a server that is down sorts as one without values", () => {
  const { sort } = COLUMNS.find(({ id }) => id === "cpu");
  assert.equal(sort(server("a", { cpu_percent_total: 5 })), 5);
  assert.equal(sort(server("a", { cpu_percent_total: 5, status: "down" })), undefined);
});

test("every choice survives the way through the address", () => {
  const choice = { q: "cpu>80 tag:prod", status: "down", group: "tag:region", density: "S", cols: "cpu", sort: { column: "cpu", descending: true } };
  const fields = Object.entries(writeChoice(choice));
  assert.deepEqual(readChoice(new URLSearchParams(fields)), choice);
  assert.deepEqual(readChoice(new URLSearchParams("density=huge")), { q: "", status: "", group: "", density: "", cols: null, sort: null });
  assert.equal(filterWords(choice), '"cpu>80 tag:prod" with the status "down"');
});

test("statuses are counted from the rows themselves", () => {
  assert.deepEqual(countByStatus([server("a"), server("b", { status: "down" })]), { down: 1, late: 0, waiting: 0, up: 1, paused: 0 });
});
