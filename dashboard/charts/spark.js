// @ts-check
/** A sparkline: percent values at even steps, holes where there is no value. */

const SVG = "http://www.w3.org/2000/svg";
export const SPARK_WIDTH = 96;
export const SPARK_HEIGHT = 22;
const DASH = 3;
const TOP = 1.5; // room for half the stroke at 100 %

/** @param {(number | null)[]} points @returns {[number, number][][]} the runs without a hole, as [x, y] */
function runs(points) {
  const step = SPARK_WIDTH / Math.max(1, points.length - 1);
  /** @type {[number, number][][]} */
  const found = [];
  points.forEach((value, index) => {
    if (value === null) return;
    const share = Math.min(100, Math.max(0, value)) / 100;
    const y = SPARK_HEIGHT - TOP - share * (SPARK_HEIGHT - 2 * TOP);
    const continues = index > 0 && points[index - 1] !== null;
    if (!continues) found.push([]);
    found[found.length - 1].push([index * step, y]);
  });
  return found;
}

/** @param {number} value */
const short = (value) => String(Math.round(value * 10) / 10);

/** The paths of line and area; the axis is always 0–100. @param {(number | null)[]} points */
export function sparkPaths(points) {
  const lines = runs(points).map((run) => {
    // a lone minute still shows, as a dash
    const [x, y] = run[0];
    const start = Math.min(x, SPARK_WIDTH - DASH);
    const drawn = run.length > 1 ? run : [[start, y], [start + DASH, y]];
    return { first: drawn[0][0], last: drawn[drawn.length - 1][0], d: drawn.map((at) => at.map(short).join(" ")).join("L") };
  });
  return {
    line: lines.map(({ d }) => `M${d}`).join(""),
    area: lines.map(({ d, first, last }) => `M${short(first)} ${SPARK_HEIGHT}L${d}L${short(last)} ${SPARK_HEIGHT}Z`).join(""),
  };
}

/** Creates an empty sparkline; `update` draws only when it gets other points. */
export function createSpark() {
  const node = document.createElementNS(SVG, "svg");
  node.setAttribute("class", "spark");
  node.setAttribute("viewBox", `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`);
  node.setAttribute("preserveAspectRatio", "none");
  node.setAttribute("aria-hidden", "true");
  const [area, line] = ["spark__area", "spark__line"].map((name) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    return path;
  });
  node.append(area, line);
  /** @type {(number | null)[] | undefined} */
  let shown;

  /** @param {(number | null)[] | undefined} points */
  function update(points) {
    if (points === shown) return;
    shown = points;
    const paths = sparkPaths(points ?? []);
    line.setAttribute("d", paths.line);
    area.setAttribute("d", paths.area);
  }
  return { node, update };
}
