// @ts-check
/** The colours of the theme in use, read from the style sheet, for what is drawn on a canvas. */

/** @typedef {Record<string, string>} Palette */

const SERIES = ["s1", "s2", "s3", "s4", "s5", "s6"];
const HEAT = ["h0", "h1", "h2", "h3", "h4", "h5"];
const OTHERS = ["surface", "surface-2", "border", "text", "text-2", "text-3", "grid", "gap", "border-strong", "warn", "crit", "font"];

/** @param {Element} [root] @returns {Palette} */
export function readPalette(root = document.documentElement) {
  const style = getComputedStyle(root);
  return Object.fromEntries([...SERIES, ...HEAT, ...OTHERS].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** The colour at that opacity. @param {string} hex `#RRGGBB` @param {number} opacity 0..1 */
export const fade = (hex, opacity) => hex + Math.round(opacity * 255).toString(16).padStart(2, "0");

/** The step of the heat scale for a percentage. @param {number} percent */
export const heatStep = (percent) => HEAT[Math.max(0, Math.min(HEAT.length - 1, Math.floor((percent / 100) * HEAT.length)))];
