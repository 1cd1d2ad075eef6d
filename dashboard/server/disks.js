// @ts-check
/** The table of the mounts, the fullest first. */

import { findSeries, lastValue } from "../charts/history.js";
import * as format from "../format.js";
import { level } from "../status.js";
import { html, nothing, repeat } from "../vendor/lit-html.js";
import { diskOf, isPseudo } from "./names.js";
import { meter } from "./meter.js";

/**
 * @typedef {object} DiskRow
 * @property {string} mount
 * @property {string} device
 * @property {string} fstype
 * @property {boolean} pseudo
 * @property {string} note a word when something is wrong with the mount
 * @property {number} [percent]
 * @property {number} [free]
 * @property {number} [size]
 * @property {number} [inodes]
 * @property {number | null} [read]
 * @property {number | null} [write]
 * @property {number | null} [busy]
 */

/** @param {unknown} value */
const text = (value) => (typeof value === "string" ? value : "");
/** @param {unknown} value */
const number = (value) => (format.isNumber(/** @type {any} */ (value)) ? Number(value) : undefined);

/**
 * @param {any} report as received
 * @param {import("../charts/history.js").History} history
 * @returns {DiskRow[]}
 */
export function diskRows(report, history) {
  const partitions = Array.isArray(report?.disk?.partitions) ? report.disk.partitions : [];
  const disks = [...new Set(history.series.filter((one) => one.metric === "read_bytes_per_sec").map((one) => one.instance))];
  const rows = partitions.filter((one) => text(one?.mountpoint)).map((one) => diskRow(one, disks.filter(Boolean), history));
  return rows.sort((a, b) => Number(b.note !== "") - Number(a.note !== "") || (b.percent ?? -1) - (a.percent ?? -1) || a.mount.localeCompare(b.mount));
}

/** @param {any} partition @param {string[]} disks @param {import("../charts/history.js").History} history @returns {DiskRow} */
function diskRow(partition, disks, history) {
  const device = text(partition.device);
  const disk = diskOf(device, disks);
  const rate = (metric) => (disk ? lastValue(findSeries(history, metric, disk)?.mean ?? []) : null);
  return {
    mount: partition.mountpoint, device, fstype: text(partition.fstype), pseudo: isPseudo(text(partition.fstype)),
    note: partition.stuck ? "does not answer" : partition.readonly ? "read-only" : "",
    percent: number(partition.percent), free: number(partition.free), size: number(partition.total),
    inodes: number(partition.inodes_percent),
    read: rate("read_bytes_per_sec"), write: rate("write_bytes_per_sec"), busy: rate("disk_busy_percent"),
  };
}

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
    <td class="num">${format.byteRate(row.read)}</td>
    <td class="num">${format.byteRate(row.write)}</td>
    <td class="num">${format.percent(row.busy)}</td>
  </tr>`;

const HEADS = ["Mount", "Device", "Type", "Used", "Free", "Size", "Inodes", "Read", "Write", "Busy"];

/**
 * @param {DiskRow[]} rows
 * @param {{catalogue: Map<string, import("../decode.js").Metric>, all: boolean, asOf: string, onAll: () => void}} view
 */
export function diskTable(rows, { catalogue, all, asOf, onAll }) {
  if (!rows.length) return nothing;
  const shown = all ? rows : rows.filter((row) => !row.pseudo || row.note);
  const folded = rows.length - rows.filter((row) => !row.pseudo || row.note).length;
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
