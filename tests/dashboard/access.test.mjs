import assert from "node:assert/strict";
import { test } from "node:test";

import { problemOf, tagsOf } from "../../dashboard/sentences.js";
import { aboutRows } from "../../dashboard/access/health.js";
import { browserName } from "../../dashboard/access/browser-name.js";
import { stopwatch } from "../../dashboard/access/stopwatch.js";
import { createOffice, reachable } from "../../dashboard/access/office.js";
import { sectionsFor } from "../../dashboard/access/sections.js";

test("a sentence about a field stands beside it, any other at the form", () => {
  assert.deepEqual(problemOf("name: ada is taken; choose another.", ["name"]), { field: "name", words: "Ada is taken; choose another." });
  assert.deepEqual(problemOf("old: is not your password.", ["name"]), { field: "", words: "old: is not your password." });
  assert.deepEqual(problemOf("Too many people sign in.", ["name"]), { field: "", words: "Too many people sign in." });
});

test("tags are what stands between commas, each once", () => {
  assert.deepEqual(tagsOf(" prod, db,,prod , a b"), ["prod", "db", "a b"]);
});

test("an address of this machine alone is given as the page was reached", () => {
  assert.equal(reachable("http://localhost:5000/welcome#t", "https://monitor.example.com"), "https://monitor.example.com/welcome#t");
  assert.equal(reachable("http://localhost:5000", "http://10.0.0.5:5000"), "http://10.0.0.5:5000");
  assert.equal(reachable("http://localhost:5000", "http://127.0.0.1:5000"), "http://localhost:5000");
  assert.equal(reachable("https://a.example", "https://b.example"), "https://a.example");
});

test("the wait is told in minutes and seconds", () => {
  assert.deepEqual([0, 9000, 34_999, 61_000, -5].map(stopwatch), ["0:00", "0:09", "0:34", "1:01", "0:00"]);
});

test("a role sees its sections only, and without sign-in there is nothing about people", () => {
  const seen = (may, people = true) => sectionsFor({ may: (need) => may.includes(need), hasPeople: () => people }).map(({ id }) => id);
  assert.deepEqual(seen(["read", "self"]), ["general", "account", "tokens", "about"]);
  assert.deepEqual(seen(["read", "self", "manage", "people"]), ["general", "account", "tokens", "users", "keys", "retention", "audit", "about"]);
  assert.deepEqual(seen(["read", "self", "manage", "people"], false), ["general", "retention", "about"]);
});

test("a browser is called what people call it", () => {
  const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
  assert.deepEqual([chrome, "curl/8.0", ""].map(browserName), ["Chrome on Linux", "curl/8.0", "Unknown"]);
});

test("what the backend leaves out is no error, and what is not well is said in its words", async () => {
  const office = createOffice({ get: async () => ({ keys: [{ id: "k" }, 7], people: 3 }), change: async () => null });
  assert.deepEqual((await office.keys()).map(({ id, used, scopes }) => [id, used, scopes]), [["k", 0, []], ["", 0, []]]);
  assert.deepEqual(await office.people(), []);
  assert.equal(await office.invite("viewer"), "");
  const rows = new Map(aboutRows({ status: "degraded", components: { storage: { status: "failed", problem: "The disk is full." } } }));
  assert.equal(rows.get("Storage of samples"), "The disk is full.");
});
