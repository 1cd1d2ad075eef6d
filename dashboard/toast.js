// @ts-check
/** A short word about what was just done, at the lower edge. */

const SHOWN_MS = 4000;
let timer = 0;

/** @param {string} words @param {{bad?: boolean}} [options] */
export function toast(words, { bad = false } = {}) {
  const node = /** @type {HTMLElement} */ (document.getElementById("toast"));
  clearTimeout(timer);
  node.dataset.tone = bad ? "bad" : "good";
  node.textContent = words;
  timer = Number(setTimeout(() => (node.textContent = ""), bad ? 2 * SHOWN_MS : SHOWN_MS));
}
