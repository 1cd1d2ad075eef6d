// @ts-check
/** The frame of the Server page and its sentences where there is nothing to draw. */

import { hasValues } from "../status.js";
import { clock } from "../timescale.js";
import { html, nothing } from "../vendor/lit-html.js";
import { diskTable } from "./disk-table.js";
import { diskRows } from "./disks.js";
import { networkTable } from "./network-table.js";
import { networkRows } from "./networks.js";

const PLACES = 6;

/** The places of the charts are kept free until the first answer: nothing may jump. */
export const pageFrame = () => html`
  <div class="server-page">
    <div data-part="head"></div>
    <div data-part="kpis"></div>
    <div data-part="empty"></div>
    <div class="charts" data-part="charts" data-first>${Array.from({ length: PLACES }, () => html`<div class="panel panel--place card" aria-hidden="true"></div>`)}</div>
    <div data-part="missing"></div>
    <div data-part="custom"></div>
    <div data-part="tables"></div>
  </div>`;

/** @param {string[]} missing */
export const notReported = (missing) =>
  missing.length ? html`<p class="not-reported">Not reported by this agent: ${missing.join(", ")}.</p>` : nothing;

/** @param {boolean} hasData @param {{words: string, newest: string | undefined | 0, goThere: () => void}} view */
export const emptyNotice = (hasData, { words, newest, goThere }) => (hasData ? nothing : html`
  <p class="server-notice" data-state="empty"><span>No data ${words}.${newest ? ` Newest sample: ${newest}.` : ""}</span>
    ${newest ? html`<button type="button" class="btn btn--small" @click=${goThere}>Go there</button>` : nothing}</p>`);

/** @param {string} id @param {() => void} onBack */
export const missingServer = (id, onBack) => html`
  <div class="notice"><h1>No such server</h1>
    <p>There is no server “${id}”. It may have been deleted, or its history is gone since the last start.</p>
    <button type="button" class="btn" @click=${onBack}>All servers</button></div>`;

/** @param {any} view */
export function tables({ row, latest, history, catalogue, zone, words, folds, fold }) {
  const asOf = latest?.time ? `as of ${clock(latest.time, zone, true)}` : "";
  return html`
    ${diskTable(diskRows(latest?.report, history), { catalogue, all: folds.disks, asOf, onAll: fold("disks") })}
    ${networkTable(networkRows(latest?.report, history), { words, asOf: hasValues(row) ? "" : asOf, all: folds.networks, onAll: fold("networks") })}`;
}
