// @ts-check
/** The plain tables of the settings. */

import { html, nothing } from "../vendor/lit-html.js";

/**
 * @param {string} label
 * @param {readonly string[]} head "" over buttons
 * @param {unknown[][] | undefined} rows undefined while they are on their way
 * @param {string} [empty]
 */
export function dataTable(label, head, rows, empty = "Nothing yet.") {
  if (!rows) return html`<p class="muted" role="status">Loading…</p>`;
  if (!rows.length) return html`<p class="muted">${empty}</p>`;
  return html`<div class="table-scroll card" role="region" aria-label=${label} tabindex="0">
    <table class="data"><thead><tr>${head.map((words) => html`<th scope="col">${words || html`<span class="visually-hidden">Actions</span>`}</th>`)}</tr></thead>
      <tbody>${rows.map((cells) => html`<tr>${cells.map((cell, i) => html`<td class=${head[i] ? nothing : "data__acts"}>${cell}</td>`)}</tr>`)}</tbody>
    </table></div>`;
}
