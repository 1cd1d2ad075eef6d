// @ts-check
/** Crosshair and selection over one plot: plain boxes above the canvas, so nothing is redrawn. */

import { pixelAt } from "./gesture.js";

/** @typedef {{start: number, end: number}} Bounds */

/** @param {string} className @param {HTMLElement} parent */
function box(className, parent) {
  const node = document.createElement("div");
  node.className = className;
  node.hidden = true;
  node.setAttribute("aria-hidden", "true");
  parent.append(node);
  return node;
}

/**
 * @param {HTMLElement} plot a positioned element around the canvas
 * @param {() => {left: number, right: number, top: number, bottom: number}} area
 */
export function createCursor(plot, area) {
  const selection = box("plot__selection", plot);
  const line = box("plot__cursor", plot);
  const label = box("plot__time", plot);

  /** @param {HTMLElement} node */
  function stretch(node) {
    const { top, bottom } = area();
    node.style.top = `${top}px`;
    node.style.height = `${bottom - top}px`;
  }

  return {
    /** @param {number | null} time @param {Bounds} bounds @param {string} words "" where the time is not written */
    point(time, bounds, words = "") {
      line.hidden = time === null || time < bounds.start || time > bounds.end;
      label.hidden = line.hidden || !words;
      if (line.hidden) return;
      const { left, right } = area();
      const x = pixelAt(/** @type {number} */ (time), { left, right }, bounds);
      stretch(line);
      line.style.transform = `translateX(${Math.round(x)}px)`;
      label.textContent = words;
      const half = label.offsetWidth / 2;
      label.style.left = `${Math.min(Math.max(x, left + half), right - half)}px`;
    },

    /** @param {Bounds | null} span @param {Bounds} bounds */
    select(span, bounds) {
      selection.hidden = span === null;
      if (!span) return;
      const track = area();
      const from = pixelAt(span.start, track, bounds);
      stretch(selection);
      selection.style.left = `${from}px`;
      selection.style.width = `${Math.max(1, pixelAt(span.end, track, bounds) - from)}px`;
    },
  };
}
