import assert from "node:assert/strict";
import { test } from "node:test";

import { parseQuery } from "../../dashboard/query.js";

const WEB = {
  id: "a", hostname: "web-1", status: "up", flags: [], tags: ["prod", "region:fra", "two words", "group:shop"],
  os: "Debian GNU/Linux 12", disk_mountpoint: "/var/lib", cpu_percent_total: 85, memory_percent: 40, disk_percent: 95,
  load_per_core: 1.5, bytes_recv_per_sec: 9e6, bytes_sent_per_sec: 2e6, swap_percent: 0, temperature_celsius: 71,
};
const BARE = { id: "b", hostname: "db-2", status: "down", flags: [], tags: [] };

const finds = (text) => [WEB, BARE].filter(parseQuery(text).match).map((server) => server.hostname);

for (const [text, found] of [
  ["", ["web-1", "db-2"]],
  ["web", ["web-1"]],
  ["WEB", ["web-1"]],
  ["down", ["db-2"]],
  ["fra", ["web-1"]],
  ["debian", ["web-1"]],
  ["web prod", ["web-1"]],
  ["web db", []],
  ["tag:prod", ["web-1"]],
  ["tag:region", ["web-1"]],
  ["tag:region:fra", ["web-1"]],
  ["tag:fra", ["web-1"]],
  ["tag:pro", []],
  ["tag:\"two words\"", ["web-1"]],
  ["\"two words\"", ["web-1"]],
  ["group:shop", ["web-1"]],
  ["os:debian", ["web-1"]],
  ["status:down", ["db-2"]],
  ["mount:/var", ["web-1"]],
  ["-tag:prod", ["db-2"]],
  ["-down", ["web-1"]],
  ["cpu>80", ["web-1"]],
  ["cpu>85", []],
  ["cpu>=85", ["web-1"]],
  ["cpu=85", ["web-1"]],
  ["cpu<90%", ["web-1"]],
  ["mem<=40", ["web-1"]],
  ["CPU>80 disk>90", ["web-1"]],
  ["load>1 temp>70 swap=0", ["web-1"]],
  ["net>10M", ["web-1"]],
  ["net>10MB/s", ["web-1"]],
  ["net>11000k", []],
  ["-cpu>80", ["db-2"]], // a server without the value does not exceed it
  ["-", ["web-1", "db-2"]], // alone it is a character like any other
]) {
  test(`the query ${JSON.stringify(text)} finds ${found.join(" and ") || "nothing"}`, () => {
    assert.deepEqual(finds(text), found);
    assert.deepEqual(parseQuery(text).errors, []);
  });
}

for (const [text, place, words] of [
  ["cpu>x", [0, 5], /needs a number/],
  ["web cpu>", [4, 8], /needs a number/],
  ["foo:1 web", [0, 5], /no field "foo"/],
  ["web -foo>3", [4, 10], /"foo" cannot be compared/],
  ["tag: web", [0, 4], /needs a value/],
]) {
  test(`in ${JSON.stringify(text)} the meaningless part is named and the rest still filters`, () => {
    const { errors } = parseQuery(text);
    assert.deepEqual(errors.map(({ start, end }) => [start, end]), [place]);
    assert.match(errors[0].message, words);
    assert.deepEqual(finds(text).includes("web-1"), true);
  });
}

test("a query with nothing but errors filters nothing", () => {
  assert.equal(parseQuery("cpu>x").empty, true);
  assert.deepEqual(finds("cpu>x"), ["web-1", "db-2"]);
});

test("no text whatever makes the box throw", () => {
  for (const text of ['"', '-"', '""', "::", ">", "a:b:c", "cpu>>3", "tag:\"", "=", "-->", "😀>3", " \t "]) {
    assert.doesNotThrow(() => finds(text), text);
  }
});
