// @ts-check
/** A horizontal bar for a percentage. */

import { html, nothing, ref } from "../vendor/lit-html.js";

/** @param {number | null | undefined} percent */
export function meter(percent) {
  if (percent === null || percent === undefined) return nothing;
  const width = `${Math.max(0, Math.min(100, percent))}%`;
  // Set through the object model: the page's policy allows no style attribute.
  const fill = (node) => { if (node) node.style.inlineSize = width; };
  return html`<span class="meter meter--wide" aria-hidden="true"><span class="meter__fill" ${ref(fill)}></span></span>`;
}
