// @ts-check
/** The table of the interfaces. */

import * as format from "../format.js";
import { html, nothing, repeat } from "../vendor/lit-html.js";

/** @typedef {import("./networks.js").NetworkRow} NetworkRow */

/** @param {number | null} count */
const faults = (count) => html`<td class="num" data-level=${count ? "warning" : ""}><span class="value">${format.count(count)}</span></td>`;

/** @param {NetworkRow} row */
const line = ({ name, state, speed, traffic, packets, errors, drops, addresses }) => html`
  <tr>
    <th scope="row" title=${name}>${name}</th>
    <td data-level=${state === "down" ? "warning" : ""}><span class="value">${state || format.MISSING}</span></td>
    <td class="num">${speed || format.MISSING}</td>
    <td class="num">${format.byteRate(traffic.in.now)}</td>
    <td class="num">${format.byteRate(traffic.out.now)}</td>
    <td class="num">${format.byteRate(traffic.in.peak)}</td>
    <td class="num">${format.byteRate(traffic.out.peak)}</td>
    <td class="num">${format.bytes(traffic.in.total)}</td>
    <td class="num">${format.bytes(traffic.out.total)}</td>
    <td class="num">${packets === null ? format.MISSING : format.inUnit(packets, "count_per_sec")}</td>
    ${faults(errors)}${faults(drops)}
    <td class="muted addresses" title=${addresses}>${addresses}</td>
  </tr>`;

const HEADS = ["Interface", "State", "Speed", "In", "Out", "Peak in", "Peak out", "Total in", "Total out", "Packets", "Errors", "Drops", "Addresses"];

/**
 * @param {NetworkRow[]} rows
 * @param {{words: string, asOf: string, all: boolean, onAll: () => void}} view `asOf` when the newest values are not the current ones
 */
export function networkTable(rows, { words, asOf, all, onAll }) {
  if (!rows.length) return nothing;
  const physical = rows.filter((row) => row.physical);
  const shown = all || !physical.length ? rows : physical;
  const subtitle = [asOf, `peaks, totals, errors and drops ${words}`].filter(Boolean).join(" · ");
  const folded = physical.length ? rows.length - physical.length : 0;
  return html`
    <section class="card table-card" aria-label="Network interfaces">
      <div class="panel__head"><h2>Network</h2><span class="panel__subtitle" title=${subtitle}>${subtitle}</span></div>
      <div class="scroller" tabindex="0" role="region" aria-label="Network table">
        <table class="table table--frozen">
          <caption class="visually-hidden">Interfaces, the busiest first</caption>
          <thead><tr>${HEADS.map((head, i) => html`<th scope="col" class=${i > 1 && i < 12 ? "num" : ""}>${head}</th>`)}</tr></thead>
          <tbody>${repeat(shown, (row) => row.name, line)}</tbody>
        </table>
      </div>
      ${folded ? html`<button type="button" class="btn btn--small" @click=${onAll}>${all ? "Show fewer" : `Show ${folded} more`}</button>` : nothing}
    </section>`;
}
