// @ts-check
/** The strip of headline numbers on the page. */

import { html } from "../vendor/lit-html.js";

/** @typedef {import("./kpis.js").Kpi} Kpi */

/** Lines end between the parts only. @param {string} range */
const rangeParts = (range) => range.split(" · ").map((part, i, all) => html`<span>${part}${i < all.length - 1 ? " ·" : ""}</span> `);

/** @param {Kpi[]} list @param {(key: string) => void} onPick */
export const kpiStrip = (list, onPick) => html`
  <ul class="kpis" aria-label="Headline numbers">
    ${list.map((kpi) => html`
      <li>
        <button type="button" class="kpi card" data-kpi=${kpi.key} data-level=${kpi.level} @click=${() => onPick(kpi.key)}>
          <span class="kpi__label">${kpi.label}</span>
          <span class="kpi__value value">${kpi.value}</span>
          <span class="kpi__detail" title=${kpi.detail}>${kpi.detail}</span>
          <span class="kpi__range">${rangeParts(kpi.range)}</span>
        </button>
      </li>`)}
  </ul>`;

/** The strip's place while the first answer is on its way. */
export const kpiSkeleton = () => html`
  <ul class="kpis" aria-hidden="true">
    ${["CPU", "Memory", "Swap", "Load / core", "Fullest disk", "Network in"].map((label) => html`
      <li><div class="kpi card"><span class="kpi__label">${label}</span><span class="kpi__value"><span class="skeleton"></span></span>
        <span class="kpi__detail"></span><span class="kpi__range"></span></div></li>`)}
  </ul>`;
