// @ts-check
/** Drawn with every chart: hatched gaps behind the data, threshold lines and error ticks before it. */

/** @typedef {{left: number, right: number, top: number, bottom: number}} Area */
/** @typedef {import("./plan.js").Threshold} Threshold */
/**
 * @typedef {object} Overlay
 * @property {{start: number, end: number}[]} gaps
 * @property {Threshold[]} thresholds
 * @property {number[]} marks
 * @property {Record<string, string>} palette
 */

const HATCH_PX = 6;
const MARK_PX = 6;
const LABEL_PX = 14;
const PAD_PX = 3;

/** @returns {Overlay} */
export const emptyOverlay = () => ({ gaps: [], thresholds: [], marks: [], palette: {} });

/**
 * The pixels between two instants, kept inside the area; null when nothing of it is inside.
 * @param {{start: number, end: number}} span
 * @param {(time: number) => number} toPixel
 * @param {Area} area
 */
export function spanPixels(span, toPixel, area) {
  const left = Math.max(area.left, toPixel(span.start));
  const right = Math.min(area.right, toPixel(span.end));
  return right > left ? { left, right } : null;
}

/**
 * Diagonals that fill a box, from the lower left to the upper right.
 * @param {Area} box
 * @returns {[number, number, number, number][]} x1 y1 x2 y2, reaching out of the box: clip it
 */
export function hatchLines({ left, right, top, bottom }, spacing = HATCH_PX) {
  const height = bottom - top;
  const lines = [];
  // Aligned to the page, not to the box: a gap that slides must not shimmer.
  const first = Math.floor((left - height) / spacing) * spacing;
  for (let x = first; x < right; x += spacing) lines.push(/** @type {[number, number, number, number]} */ ([x, bottom, x + height, top]));
  return lines;
}

/**
 * Where a threshold's line and words go: on the value; a note above the top becomes words with an arrow.
 * @param {Threshold} threshold
 * @param {{max: number, toPixel: (value: number) => number}} axis
 * @param {Area} area
 */
export function thresholdPlace(threshold, { max, toPixel }, area) {
  if (threshold.value > max) return { y: area.top + 7, line: false, label: threshold.level === "note" ? `↑ ${threshold.label}` : "" };
  return { y: toPixel(threshold.value), line: true, label: threshold.label };
}

/** @param {CanvasRenderingContext2D} context @param {Area} box @param {Record<string, string>} palette */
export function drawHatch(context, box, palette) {
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  context.clip();
  context.fillStyle = palette.gap;
  context.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  context.strokeStyle = palette.gap;
  context.lineWidth = 1;
  context.beginPath();
  for (const [x1, y1, x2, y2] of hatchLines(box)) {
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
  }
  context.stroke();
  context.restore();
}

/** @param {any} chart @param {Overlay} overlay */
function drawGaps({ ctx, chartArea, scales }, overlay) {
  for (const gap of overlay.gaps) {
    const pixels = spanPixels(gap, (time) => scales.x.getPixelForValue(time), chartArea);
    if (pixels) drawHatch(ctx, { ...chartArea, ...pixels }, overlay.palette);
  }
}

/** @param {any} chart @param {Overlay} overlay */
function drawThresholds({ ctx, chartArea, scales }, overlay) {
  const axis = { max: scales.y.max, toPixel: (value) => scales.y.getPixelForValue(value) };
  ctx.save();
  for (const threshold of overlay.thresholds) {
    const { y, line, label } = thresholdPlace(threshold, axis, chartArea);
    const colour = overlay.palette[{ warn: "warn", crit: "crit", note: "text-3" }[threshold.level]];
    const room = label ? labelWidth(ctx, label, overlay.palette) : 0;
    if (line) dashedLine(ctx, { ...chartArea, right: chartArea.right - room }, y, colour);
    if (label) edgeLabel(ctx, label, chartArea.right, y, overlay.palette);
  }
  ctx.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Area} area @param {number} y @param {string} colour */
function dashedLine(context, area, y, colour) {
  context.beginPath();
  context.setLineDash([5, 4]);
  context.strokeStyle = colour;
  context.lineWidth = 1.25;
  context.moveTo(area.left, y);
  context.lineTo(area.right, y);
  context.stroke();
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {Record<string, string>} palette */
function labelWidth(context, text, palette) {
  context.font = `11px ${palette.font}`;
  return context.measureText(text).width + 2 * PAD_PX;
}

/** @param {CanvasRenderingContext2D} context @param {string} text @param {number} x @param {number} y @param {Record<string, string>} palette */
function edgeLabel(context, text, x, y, palette) {
  context.font = `11px ${palette.font}`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  // A backing in the surface's colour keeps the words readable on top of the data.
  const width = context.measureText(text).width + 2 * PAD_PX;
  context.fillStyle = palette.surface;
  context.fillRect(x + PAD_PX - width, y - LABEL_PX / 2, width, LABEL_PX);
  context.fillStyle = palette["text-2"];
  context.fillText(text, x, y);
}

/** @param {any} chart @param {Overlay} overlay */
function drawMarks({ ctx, chartArea, scales }, overlay) {
  if (!overlay.marks.length) return;
  const base = scales.y.getPixelForValue(0);
  ctx.save();
  ctx.beginPath();
  ctx.strokeStyle = overlay.palette.crit;
  ctx.lineWidth = 2;
  for (const time of overlay.marks) {
    const x = scales.x.getPixelForValue(time);
    if (x < chartArea.left || x > chartArea.right) continue;
    ctx.moveTo(x, base - MARK_PX);
    ctx.lineTo(x, base + MARK_PX);
  }
  ctx.stroke();
  ctx.restore();
}

/**
 * The plugin of one chart; what it draws is read from `overlay` at each drawing, the first included.
 * @param {Overlay} overlay
 */
export const overlayPlugin = (overlay) => ({
  id: "overlay",
  beforeDatasetsDraw: (chart) => drawGaps(chart, overlay),
  afterDatasetsDraw(chart) {
    drawThresholds(chart, overlay);
    drawMarks(chart, overlay);
  },
});
