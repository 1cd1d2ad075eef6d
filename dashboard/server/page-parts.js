// @ts-check
/** The frame of the Server page and its sentences where there is nothing to draw. */

import { historySince } from "../charts/history.js";
import { hasValues } from "../status.js";
import { clock, timestamp } from "../timescale.js";
import { html, nothing } from "../vendor/lit-html.js";
import { diskTable } from "./disk-table.js";
import { diskRows } from "./disks.js";
import { networkTable } from "./network-table.js";
import { networkRows } from "./networks.js";

const PLACES = 6;
const HOUR_MS = 3_600_000;

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

/** @typedef {{phrase: string, newest: string | undefined | 0, goThere: () => void, zone: import("../timescale.js").Zone}} NoticeWords */

/** @param {NoticeWords} words */
const emptyNotice = ({ phrase, newest, goThere }) => html`
  <p class="server-notice" data-state="empty"><span>No data ${phrase}.${newest ? ` Newest sample: ${newest}.` : ""}</span>
    ${newest ? html`<button type="button" class="btn btn--small" @click=${goThere}>Go there</button>` : nothing}</p>`;

/**
 * What a window without data, or without its first part, says.
 * @param {import("../charts/history.js").History} history @param {{start: number, end: number}} bounds @param {NoticeWords} words
 */
export function historyNotice(history, bounds, words) {
  if (!history.times.length) return emptyNotice(words);
  const since = historySince(history, bounds);
  return Number.isNaN(since) ? nothing : html`
    <p class="server-notice" data-state="since">In this range there is history since ${sinceWords(since, history, words.zone)}. Nothing from before was sent or is still kept.</p>`;
}

/** As exact as the buckets are: their first one may be empty up to its last sample. @param {number} since @param {{raw: boolean, step: number}} history @param {import("../timescale.js").Zone} zone */
function sinceWords(since, { raw, step }, zone) {
  const [day, time] = timestamp(since, zone).split(" ");
  if (raw) return `${day} ${time}`;
  return step < HOUR_MS ? `about ${day} ${time.slice(0, 5)}` : day;
}

/** @param {string} id @param {() => void} onBack */
export const missingServer = (id, onBack) => html`
  <div class="notice"><h1>No such server</h1>
    <p>There is no server “${id}”. It may have been deleted, or its history is gone since the last start.</p>
    <button type="button" class="btn" @click=${onBack}>All servers</button></div>`;

/** @param {any} view */
export function tables({ row, latest, history, growth, catalogue, zone, words, folds, fold }) {
  // The report may be one turn ahead of the row: what the page calls the newest sample is the row's.
  const taken = latest?.time && Math.min(latest.time, row.time ?? latest.time);
  const asOf = taken ? `as of ${clock(taken, zone, true)}` : "";
  return html`
    ${diskTable(diskRows(latest?.report, history, growth), { catalogue, all: folds.disks, asOf, onAll: fold("disks") })}
    ${networkTable(networkRows(latest?.report, history), { words, asOf: hasValues(row) ? "" : asOf, all: folds.networks, onAll: fold("networks") })}`;
}
