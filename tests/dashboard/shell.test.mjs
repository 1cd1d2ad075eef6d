import assert from "node:assert/strict";
import { test } from "node:test";

import { createClock } from "../../dashboard/clock.js";
import { matchRoute, serverPath, withQuery } from "../../dashboard/router.js";
import { createStore } from "../../dashboard/store.js";

test("a path names its page, and a server's path carries its id", () => {
  assert.deepEqual(matchRoute("/"), { name: "servers", id: "" });
  assert.deepEqual(matchRoute("/servers/srv_1"), { name: "server", id: "srv_1" });
  for (const id of ["srv_1", "a/b", "ü %", "<img>"]) assert.equal(matchRoute(serverPath(id)).id, id);
  for (const path of ["/servers", "/servers/", "/fleet", "/servers/a/b"]) assert.equal(matchRoute(path).name, "missing", path);
  assert.deepEqual(matchRoute("/servers/%E0%A4"), { name: "server", id: "%E0%A4" });
});

test("changing fields of an address keeps the others and removes empty ones", () => {
  const href = "http://x/servers/a?range=1h&nic=eth0#cpu";
  assert.equal(withQuery(href, { range: null, from: "2026-11-23T07:00:00Z" }), "/servers/a?nic=eth0&from=2026-11-23T07:00:00Z#cpu");
  assert.equal(withQuery("http://x/?q=a", { q: "" }), "/");
  const back = new URL(withQuery("http://x/", { q: "tag:prod cpu>80 & a,b" }), "http://x");
  assert.equal(back.searchParams.get("q"), "tag:prod cpu>80 & a,b");
});

test("the clock runs on the server's time, and rubbish does not set it", () => {
  let browser = 1000;
  const clock = createClock(() => browser);
  clock.sync(5000);
  browser += 300;
  assert.equal(clock.now(), 5300);
  clock.sync(undefined);
  clock.sync(NaN);
  assert.equal(clock.now(), 5300);
});

test("the store tells of any number of changes once, and not those who left", async () => {
  const store = createStore({ a: 1, b: 1 });
  const heard = [];
  const end = store.subscribe((state) => heard.push({ ...state }));
  store.set({ a: 2 });
  store.set({ b: 3 });
  assert.deepEqual(store.get(), { a: 2, b: 3 });
  assert.deepEqual(heard, []);
  await Promise.resolve();
  assert.deepEqual(heard, [{ a: 2, b: 3 }]);
  end();
  store.set({ a: 9 });
  await Promise.resolve();
  assert.equal(heard.length, 1);
});
