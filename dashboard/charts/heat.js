// @ts-check
/** The heat map of the cores: one row per core, its columns under the same instants as the charts. */

import { heatStep } from "./colours.js";
import { drawHatch } from "./overlay.js";

/** @typedef {{label: string, values: (number | null)[]}} HeatRow */
/** @typedef {{start: number, span: number, columns: number, rows: HeatRow[]}} HeatMap */

const MIN_CELL_PX = 7;

/**
 * The rows in columns of whole steps, each the maximum of its samples; null where there are none.
 * @param {{times: number[], step: number, series: {instance: string, max: (number | null)[]}[]}} data
 * @param {{start: number, end: number}} bounds
 * @param {number} width in pixels
 * @returns {HeatMap}
 */
export function heatMap({ times, step, series }, bounds, width) {
  const most = Math.max(1, Math.floor(width / MIN_CELL_PX));
  const span = Math.max(1, Math.ceil((bounds.end - bounds.start) / most / step)) * step;
  // Columns start at multiples of their width: a sliding window moves cells, it does not mix them anew.
  const start = Math.floor(bounds.start / span) * span;
  const columns = Math.ceil((bounds.end - start) / span);
  const rows = series.map(({ instance, max }) => {
    const values = Array(columns).fill(null);
    times.forEach((time, i) => {
      const column = Math.floor((time - start) / span);
      if (max[i] !== null && column >= 0 && column < columns) values[column] = Math.max(values[column] ?? 0, /** @type {number} */ (max[i]));
    });
    return { label: instance, values };
  });
  return { start, span, columns, rows };
}

/** Pixels of a row; many cores get thin rows. @param {number} cores */
export const rowHeight = (cores) => (cores <= 16 ? 16 : 6);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HeatMap} map
 * @param {{bounds: {start: number, end: number}, gaps: {start: number, end: number}[], left: number, right: number, palette: Record<string, string>}} view
 */
export function drawHeat(canvas, map, { bounds, gaps, left, right, palette }) {
  const height = rowHeight(map.rows.length);
  const width = canvas.clientWidth;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * map.rows.length * ratio);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(ratio, ratio);
  const toPixel = (time) => left + ((time - bounds.start) / (bounds.end - bounds.start)) * (right - left);
  const box = (from, to) => ({ left: Math.max(left, toPixel(from)), right: Math.min(right, toPixel(to)), top: 0, bottom: height * map.rows.length });
  for (const gap of gaps) drawHatch(context, box(gap.start, gap.end), palette);
  map.rows.forEach((row, r) => drawRow(context, row, r * height, { map, toPixel, height, left, right, palette }));
}

/** @param {CanvasRenderingContext2D} context @param {HeatRow} row @param {number} top @param {any} view */
function drawRow(context, row, top, { map, toPixel, height, left, right, palette }) {
  const space = height > 8 ? 1 : 0;
  row.values.forEach((value, column) => {
    if (value === null) return;
    const from = Math.max(left, toPixel(map.start + column * map.span));
    const to = Math.min(right, toPixel(map.start + (column + 1) * map.span));
    if (to <= from) return;
    context.fillStyle = palette[heatStep(value)];
    context.fillRect(Math.round(from), top, Math.max(1, Math.round(to) - Math.round(from) - space), height - space);
  });
  if (height <= 8 && Number(row.label) % 8) return;
  context.fillStyle = palette["text-3"];
  context.font = `${height > 8 ? 11 : 9}px ${palette.font}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillText(`cpu${row.label}`, left - 6, Math.max(5, top + height / 2));
}
