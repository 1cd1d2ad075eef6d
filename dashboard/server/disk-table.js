// @ts-check
/** The table of the mounts. */

import * as format from "../format.js";
import { level } from "../status.js";
import { html, nothing, repeat } from "../vendor/lit-html.js";
import { meter } from "./meter.js";

/** @typedef {import("./disks.js").DiskRow} DiskRow */

/** @param {DiskRow} row @param {Map<string, import("../decode.js").Metric>} catalogue */
const line = (row, catalogue) => html`
  <tr>
    <th scope="row" title=${row.mount}>${row.mount}${row.note ? html` <span class="tag tag--warn">${row.note}</span>` : nothing}</th>
    <td class="muted" title=${row.device}>${row.device}</td>
    <td class="muted">${row.fstype}</td>
    <td data-level=${level(catalogue.get("disk_percent"), row.percent)}>
      <span class="used"><span class="value num">${format.percent(row.percent)}</span>${meter(row.percent)}</span></td>
    <td class="num">${format.bytes(row.free)}</td>
    <td class="num">${format.bytes(row.size)}</td>
    <td class="num" data-level=${level(catalogue.get("disk_inodes_percent"), row.inodes)}><span class="value">${format.percent(row.inodes)}</span></td>
    <td class="num">${row.fullIn}</td>
    <td class="num">${format.byteRate(row.read)}</td>
    <td class="num">${format.byteRate(row.write)}</td>
    <td class="num">${format.percent(row.busy)}</td>
  </tr>`;

const HEADS = ["Mount", "Device", "Type", "Used", "Free", "Size", "Inodes", "Full in", "Read", "Write", "Busy"];

/**
 * @param {DiskRow[]} rows
 * @param {{catalogue: Map<string, import("../decode.js").Metric>, all: boolean, asOf: string, onAll: () => void}} view
 */
export function diskTable(rows, { catalogue, all, asOf, onAll }) {
  if (!rows.length) return nothing;
  const real = rows.filter((row) => !row.pseudo || row.stuck);
  const shown = all ? rows : real;
  const folded = rows.length - real.length;
  return html`
    <section class="card table-card" aria-label="Disks">
      <div class="panel__head"><h2>Disks</h2><span class="panel__subtitle">${asOf}</span></div>
      <div class="scroller" tabindex="0" role="region" aria-label="Disks table">
        <table class="table table--frozen">
          <caption class="visually-hidden">Mounts, the fullest first</caption>
          <thead><tr>${HEADS.map((head, i) => html`<th scope="col" class=${i > 3 ? "num" : ""}>${head}</th>`)}</tr></thead>
          <tbody>${repeat(shown, (row) => row.mount, (row) => line(row, catalogue))}</tbody>
        </table>
      </div>
      ${folded ? html`<button type="button" class="btn btn--small" @click=${onAll}>${all ? "Show fewer" : `Show ${folded} more`}</button>` : nothing}
    </section>`;
}
