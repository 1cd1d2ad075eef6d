// @ts-check
/** Value axes: round ends, round ticks, one unit for all ticks of an axis. */

/** @typedef {"percent"|"bytes"|"rate"|"ms"|"load"|"count"|"celsius"|"number"} AxisKind */
/** @typedef {{value: number, label: string}} Tick */
/** @typedef {{min: number, max: number, ticks: Tick[]}} Axis */

const SI = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];
const BINARY = [[2 ** 50, "PiB"], [2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [1, "B"]];
/** The lowest top of an axis, so that noise around zero does not fill the chart. */
const FLOOR = { percent: 100, bytes: 2 ** 20, rate: 1000, ms: 1, load: 1, count: 5, celsius: 50, number: 0 };

/** How much higher than its values an open axis is at least: a line on the edge would be half cut. */
const HEADROOM = 1.04;

/**
 * The smallest 1-2-5 step that needs at most `most` steps to reach `top`.
 * @param {number} top
 * @param {number} most
 */
export function roundStep(top, most) {
  const power = 10 ** Math.floor(Math.log10(top / most));
  const step = [1, 2, 5, 10].find((factor) => factor * power * most >= top * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** @param {number} top @param {number} most */
const binaryStep = (top, most) => 2 ** Math.ceil(Math.log2(top / most));

/** @param {(number|string)[][]} units @param {number} size */
const unitOf = (units, size) => units.find(([factor]) => size >= Number(factor)) ?? units[units.length - 1];

/** @param {number} value */
const plain = (value) => String(Number(value.toPrecision(6)));

/**
 * A function that writes the ticks of an axis whose step is `step` and whose end is `top`.
 * @param {AxisKind} kind
 * @param {number} top
 * @returns {(value: number) => string}
 */
function labeller(kind, top) {
  const units = kind === "bytes" ? BINARY : SI;
  const [factor, name] = unitOf(units, top);
  if (kind === "percent") return (value) => `${plain(value)}%`;
  if (kind === "celsius") return (value) => `${plain(value)} °C`;
  if (kind === "load") return plain;
  if (kind === "ms") return (value) => (top >= 1000 ? `${plain(value / 1000)} s` : `${plain(value)} ms`);
  if (kind === "bytes") return (value) => (value === 0 ? "0" : `${plain(value / Number(factor))} ${name}`);
  if (kind === "number") return (value) => `${plain(value / Number(factor))}${name && value ? ` ${name}` : ""}`;
  const unit = kind === "rate" ? ` ${name}B/s` : name ? ` ${name}` : "";
  return (value) => (value === 0 ? "0" : `${plain(Math.abs(value) / Number(factor))}${unit}`);
}

/**
 * The axis from zero to above `highest`, or from below `lowest` where that is negative; `fixed` ends it
 * exactly there, `mirrored` goes as far below zero.
 * @param {AxisKind} kind
 * @param {number} highest
 * @param {{fixed?: number, mirrored?: boolean, lowest?: number}} [options]
 * @returns {Axis}
 */
export function valueAxis(kind, highest, { fixed, mirrored = false, lowest = 0 } = {}) {
  const bottom = mirrored || fixed !== undefined ? 0 : Math.min(lowest * HEADROOM, 0);
  const least = bottom < 0 ? 0 : FLOOR[kind] || Number(!highest);
  const top = fixed ?? Math.max((highest || 0) * HEADROOM, least);
  const most = mirrored ? 2 : 4;
  const step = kind === "bytes" ? binaryStep(top - bottom, most) : kind === "percent" ? 25 : roundStep(top - bottom, most);
  const max = fixed ?? Math.ceil(top / step - 1e-9) * step;
  const min = mirrored ? -max : Math.floor(bottom / step + 1e-9) * step;
  const label = labeller(kind, Math.max(max, -min));
  const ticks = [];
  for (let k = Math.ceil(min / step); k * step <= max * (1 + 1e-9); k += 1) {
    ticks.push({ value: k * step, label: label(k * step) });
  }
  return { min, max, ticks };
}
