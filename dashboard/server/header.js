// @ts-check
/** The head of the Server page: where one is, who the server is, how it is. */

import * as format from "../format.js";
import { icon } from "../icons.js";
import { nameOf, oddities, statusText, statusTitle } from "../status.js";
import { html, nothing } from "../vendor/lit-html.js";
import { factWords } from "./facts.js";

/** @typedef {import("../decode.js").Server} Server */

/** @param {Server} row @param {number} nowMs */
function statusMark(row, nowMs) {
  return html`<span class="status" data-state=${row.status} title=${statusTitle(row, nowMs)}>
    ${icon(row.status)}<span>${statusText(row, nowMs)}</span></span>`;
}

/** @param {Server} row @param {number} nowMs */
function notice(row, nowMs) {
  if (row.status === "paused") {
    return html`<p class="server-notice" data-state="paused">${icon("paused")}<span>${statusTitle(row, nowMs)}</span></p>`;
  }
  if (row.status !== "down" && row.status !== "late") return nothing;
  const ends = row.time ? ` Charts end at ${format.clockTime(row.time)}.` : "";
  const words = row.status === "down" ? `${statusText(row, nowMs)}.${ends}` : statusTitle(row, nowMs);
  return html`<p class="server-notice" data-state=${row.status} title=${statusTitle(row, nowMs)}>${icon(row.status)}<span>${words}</span></p>`;
}

/**
 * @param {string} id what the address says until the first answer
 * @param {Server | null} row
 * @param {number} nowMs
 * @param {unknown} controls
 */
export function serverHead(id, row, nowMs, controls) {
  const name = row ? nameOf(row) : id;
  return html`
    <nav class="crumbs" aria-label="Breadcrumb"><a href="/">Servers</a> / <span aria-current="page">${row ? name : "…"}</span></nav>
    <div class="server-head">
      <div class="server-name">
        <h1 title=${name}>${row ? name : html`<span class="skeleton"></span>`}</h1>
        ${row && row.hostname !== name ? html`<span class="server-host" title="What it calls itself">${row.hostname}</span>` : nothing}
        ${row ? statusMark(row, nowMs) : nothing}
        ${(row?.tags ?? []).map((tag) => html`<span class="tag" title=${tag}>${tag}</span>`)}
        ${row ? oddities(row).map(({ words, title }) => html`<span class="tag tag--warn" title=${title}>${words}</span>`) : nothing}
      </div>
      ${controls}
    </div>
    <p class="facts">${row ? factWords(row, nowMs).map((words) => html`<span>${words}</span>`) : html`<span class="skeleton"></span>`}</p>
    ${row?.note ? html`<p class="server-note">${row.note}</p>` : nothing}
    ${row ? notice(row, nowMs) : nothing}
    ${row?.flags.includes("cloned") ? html`<p class="server-notice" data-state="late">${icon("cloned")}<span>${oddities(row)[0].title}</span></p>` : nothing}`;
}
