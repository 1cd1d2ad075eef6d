import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeSession } from "../../dashboard/decode.js";
import { createSession, noAccess } from "../../dashboard/session.js";

const ADA = { auth: true, signed_in: true, name: "ada", role: "owner", tenant: "default", may: ["read", "manage"], csrf: "token" };
const NOBODY = { auth: true, signed_in: false };

function stage(...answers) {
  const access = noAccess();
  const api = {
    session: async () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer instanceof Error) throw answer;
      return decodeSession(answer);
    },
    signOut: async () => {},
  };
  const session = createSession(api, access);
  const others = [];
  session.subscribe((isAnother) => others.push(isAnother));
  return { access, session, others };
}

test("the first answer tells who is here and gives changes their token", async () => {
  const { access, session, others } = stage(ADA);
  assert.equal(session.may("read"), false, "nothing is allowed before it is known");
  await session.load();
  assert.deepEqual([session.may("manage"), session.needsSignIn(), access.csrf, others], [true, false, "token", [false]]);
});

test("a session that ends by itself is over; one that a person ends is not", async () => {
  const over = stage(ADA);
  await over.session.load();
  over.access.ended();
  over.access.ended();
  assert.deepEqual([over.session.isOver, over.session.needsSignIn(), over.access.csrf], [true, true, ""]);
  assert.deepEqual(over.others, [false, true, false], "shown once, not at every refused question");
  const left = stage(ADA);
  await left.session.load();
  await left.session.leave();
  assert.deepEqual([left.session.isOver, left.session.needsSignIn()], [false, true]);
});

test("another organisation is another session, the same person again is not", async () => {
  const { session, others } = stage(ADA, ADA, { ...ADA, tenant: "other" }, NOBODY, { ...NOBODY, tenant: "default", may: ["read"] });
  for (let i = 0; i < 5; i += 1) await session.load();
  assert.deepEqual(others, [false, false, true, true, false]);
});

test("a backend that is away leaves everything as it was", async () => {
  const { session, others } = stage(new Error("away"), ADA);
  await session.load();
  assert.deepEqual([session.state, session.needsSignIn(), others], [null, false, []]);
  await session.load();
  assert.equal(session.state.name, "ada");
});

test("with --no-auth nobody signs in", async () => {
  const { session } = stage({ auth: false, signed_in: true, may: ["read", "manage", "people"] });
  await session.load();
  assert.deepEqual([session.hasPeople(), session.needsSignIn(), session.may("manage")], [false, false, true]);
});

test("what a session's answer lacks is refused, not granted", () => {
  assert.deepEqual(decodeSession({ may: ["read", 7], tenants: { a: 3, b: "B" } }), {
    auth: true, signed_in: false, needs_setup: false, plain_http: false, provider: "", name: "", role: "", tenant: "",
    tenants: { a: "a", b: "B" }, visit_until: 0, suspended: false, may: ["read"], csrf: "", needs_code: false,
  });
});
