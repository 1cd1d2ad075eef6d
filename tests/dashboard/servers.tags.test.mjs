import assert from "node:assert/strict";
import { test } from "node:test";

import { fitTags } from "../../dashboard/servers-tags.js";

const measure = (text) => 6 * text.length;
const SIX = ["prod", "fra", "db", "gold", "b17", "team:storage"];
const fit = (tags, room, { most = 2, badges = [] } = {}) => fitTags({ badges, tags }, { most, room }, measure);

test("two tags stand whole where there is room, the others are counted", () => {
  assert.deepEqual(fit(SIX, 300), { tags: ["prod", "fra"], others: "+4" });
  assert.deepEqual(fit(["prod", "fra"], 300), { tags: ["prod", "fra"], others: "" });
  assert.deepEqual(fit([], 300), { tags: [], others: "" });
  assert.deepEqual(fit(SIX, 300, { most: 1 }), { tags: ["prod"], others: "+5" });
});

test("what has no room beside a name is counted, however little room there is", () => {
  for (let room = 400; room >= 0; room -= 1) {
    const { tags, others } = fit(SIX, room);
    assert.equal(tags.length + Number(others), SIX.length, `at ${room} px`);
  }
  assert.deepEqual(fit(SIX, 150), { tags: ["prod"], others: "+5" });
  assert.deepEqual(fit(SIX, 0), { tags: [], others: "+6" });
});

test("a badge has its room before any tag", () => {
  assert.deepEqual(fit(SIX, 200).tags, ["prod", "fra"]);
  assert.deepEqual(fit(SIX, 200, { badges: ["Clock 2 min off"] }).tags, []);
});

test("a tag longer than a mark may be does not take the room of three", () => {
  assert.deepEqual(fit(["x".repeat(200), "prod"], 280), { tags: ["x".repeat(200), "prod"], others: "" });
});
