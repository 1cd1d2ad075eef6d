import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { inBackground } from "../../dashboard/background.js";
import { ApiError, createApi } from "../../dashboard/api.js";
import { decodeHistory, decodeServers } from "../../dashboard/decode.js";

/** Runs the check against a real HTTP server that answers as told. */
async function withServer(answer, check, options = {}) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(response, request);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const origin = `http://127.0.0.1:${server.address().port}`;
  try {
    await check(createApi({ send: (url, init) => fetch(origin + url, init), ...options }), asked, server);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const json = (value, status = 200) => (response) => {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(value));
};
const failure = async (promise) => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail("it did not fail");
};

test("each question goes to its own address, with the server's name escaped", async () => {
  await withServer(json({ id: "srv_1", metrics: [], series: [] }), async (api, asked) => {
    await api.servers();
    await api.servers({ since: 17 });
    await api.server("a/b c");
    await api.latest("srv_1");
    await api.history("srv_1", { metrics: ["a", "b"], start: "-1h", points: 400, instance: "eth0" });
    await api.series("srv_1");
    await api.catalogue();
    await api.remove("srv_1");
    assert.deepEqual(asked, [
      "GET /api/servers?spark=30m", "GET /api/servers?spark=30m&since=17", "GET /api/servers/a%2Fb%20c",
      "GET /api/servers/srv_1/latest", "GET /api/servers/srv_1/history?metrics=a%2Cb&start=-1h&points=400&instance=eth0",
      "GET /api/servers/srv_1/series", "GET /api/catalogue", "DELETE /api/servers/srv_1",
    ]);
  });
});

test("a change brings the session's token, a question does not; only what the page asks by itself says so", async () => {
  const seen = [];
  const note = (response, { method, headers }) => {
    seen.push([method, headers["x-csrf-token"], headers["x-background"]]);
    json({ id: "srv_1" })(response);
  };
  await withServer(note, async (api) => {
    await api.say("srv_1", { paused: true });
    await api.server("srv_1");
    await api.server("srv_1", { signal: inBackground(new AbortController().signal) });
    assert.deepEqual(seen, [["PATCH", "token", undefined], ["GET", undefined, undefined], ["GET", undefined, "1"]]);
  }, { access: { csrf: "token", ended: () => {} } });
});

test("whoever is not signed in any more is told so; a wrong password is no end of a session", async () => {
  let ends = 0;
  await withServer(json({ error: "Sign in first." }, 401), async (api) => {
    assert.equal((await failure(api.servers())).message, "Sign in first.");
    assert.equal(ends, 1);
    await failure(api.signIn({ name: "ada", password: "wrong", remember: false }));
    assert.equal(ends, 1);
  }, { access: { csrf: "", ended: () => (ends += 1) } });
});

test("a refusal carries the server's own sentence and its request id", async () => {
  await withServer(json({ error: "There is no server \"x\".", request_id: "req_1" }, 404), async (api) => {
    const error = await failure(api.server("x"));
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.message, error.status, error.requestId, error.unreachable], ['There is no server "x".', 404, "req_1", false]);
  });
});

test("an error page that is not JSON still ends in a sentence, and a gateway's counts as unreachable", async () => {
  await withServer((response) => response.writeHead(502).end("<html>bad gateway"), async (api) => {
    const error = await failure(api.servers());
    assert.deepEqual([error.message, error.unreachable], ["The server answered 502.", true]);
  });
});

test("a dropped connection and an answer that is no JSON are both unreachable", async () => {
  await withServer((response) => response.destroy(), async (api) => {
    assert.equal((await failure(api.servers())).unreachable, true);
  });
  await withServer((response) => response.end("{"), async (api) => {
    assert.equal((await failure(api.servers())).unreachable, true);
  });
});

test("an answer that does not come is given up after the deadline", async () => {
  await withServer(() => {}, async (api, asked) => {
    const error = await failure(api.servers());
    assert.equal(asked.length, 1, "the question did arrive");
    assert.match(error.message, /did not answer within 0.1 s/);
  }, { timeoutMs: 100 });
});

test("an abort by the page is no ApiError", async () => {
  await withServer(() => {}, async (api) => {
    const leaving = new AbortController();
    const asking = failure(api.servers({ signal: leaving.signal }));
    leaving.abort();
    assert.equal((await asking).name, "AbortError");
  });
});

test("wrong and unknown fields of a list are dropped, rows without an id are not shown", () => {
  const { servers, total, now, delta } = decodeServers({
    now: "soon", surprise: 1, delta: "yes",
    servers: [null, 7, { hostname: "no id" }, { id: "a", hostname: 5, status: "burning", tags: "prod", cpu_percent_total: "9", spark: [1, "x", null], memory_percent: 4 }],
  });
  assert.deepEqual(servers, [{ id: "a", tags: [], spark: [1, null, null], memory_percent: 4 }]);
  assert.deepEqual([total, now, delta], [1, 0, false]);
  for (const rubbish of [null, 3, "x", [], { servers: {} }]) assert.deepEqual(decodeServers(rubbish).servers, []);
});

test("every series of a history is as long as its times", () => {
  const { times, series, raw, step } = decodeHistory({
    times: [1, 2, 3], raw: true, step: 10,
    series: [{ metric: "a", instance: "", unit: "percent", mean: [1, null, "x", 4], min: [0] }, { metric: "b" }],
  });
  assert.deepEqual(times, [1, 2, 3]);
  assert.deepEqual(series[0].mean, [1, null, null]);
  assert.deepEqual(series[0].min, [0, null, null]);
  assert.deepEqual(series[0].max, series[0].mean, "no maxima: the mean is all that is known");
  assert.deepEqual(series[1].mean, [null, null, null]);
  assert.deepEqual([raw, step], [true, 10]);
});
