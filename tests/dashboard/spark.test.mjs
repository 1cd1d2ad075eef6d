import assert from "node:assert/strict";
import { test } from "node:test";

import { SPARK_HEIGHT, SPARK_WIDTH, sparkPaths } from "../../dashboard/charts/spark.js";

const strokes = (path) => path.split("M").filter(Boolean);
const points = (stroke) => stroke.replace("Z", "").split("L").map((at) => at.split(" ").map(Number));

test("a hole in the values is a hole in line and area", () => {
  const { line, area } = sparkPaths([10, 20, null, 30, 40]);
  assert.equal(strokes(line).length, 2);
  assert.equal(strokes(area).length, 2);
  assert.ok(points(strokes(line)[0]).every(([x]) => x <= SPARK_WIDTH / 4));
  assert.ok(points(strokes(line)[1]).every(([x]) => x >= (SPARK_WIDTH * 3) / 4));
});

test("the axis is always 0 to 100, whatever the values", () => {
  const heights = ([value]) => points(strokes(sparkPaths([value, value]).line)[0])[0][1];
  assert.ok(heights([0]) > SPARK_HEIGHT - 2 && heights([0]) <= SPARK_HEIGHT);
  assert.ok(heights([100]) < 2);
  assert.equal(heights([250]), heights([100]));
  assert.equal(Math.round(heights([50])), SPARK_HEIGHT / 2);
});

test("a minute alone shows as a dash, and no minutes show nothing", () => {
  assert.equal(points(strokes(sparkPaths([null, 50, null]).line)[0]).length, 2);
  assert.deepEqual(sparkPaths([null, null]), { line: "", area: "" });
  assert.deepEqual(sparkPaths([]), { line: "", area: "" });
});
