// @ts-check
/** What stands in place of rows: no servers yet, or none that match. */

import { copyable } from "./copy.js";
import { layOut } from "./servers-order.js";
import { createServersTable } from "./servers-table.js";
import { html } from "./vendor/lit-html.js";

/** @typedef {import("./decode.js").Server} Server */

/** @param {Partial<Server>} values @param {number} nowMs @returns {Server} */
const example = (values, nowMs) => ({
  id: String(values.hostname), hostname: "", status: "up", tags: [], flags: [], interval_seconds: 5,
  last_seen: nowMs - 2000, boot_time: nowMs - 30 * 86_400_000, disk_mountpoint: "/", memory_percent: 41,
  bytes_recv_per_sec: 1.2e6, bytes_sent_per_sec: 340e3, load_per_core: 0.32, ...values,
});

/** @param {number} nowMs */
const examples = (nowMs) => [
  example({ hostname: "web-1", tags: ["prod"], cpu_percent_total: 31, disk_percent: 42, spark: wave(31) }, nowMs),
  example({ hostname: "db-1", tags: ["prod"], cpu_percent_total: 12, disk_percent: 77, spark: wave(12) }, nowMs),
  example({ hostname: "build-1", tags: ["test"], cpu_percent_total: 64, disk_percent: 58, spark: wave(64) }, nowMs),
];

/** @param {number} level */
const wave = (level) => Array.from({ length: 30 }, (_, minute) => level + 8 * Math.sin(minute / 2.5));

/** Three made-up lines, pale and out of reach, that show what will be here. @param {readonly import("./servers-columns.js").Column[]} columns @param {import("./servers-columns.js").Look} look */
export function createPreview(columns, look) {
  const table = createServersTable({ onSort: () => {}, onToggle: () => {} });
  table.node.inert = true;
  table.node.setAttribute("aria-hidden", "true");
  table.node.classList.add("preview");
  table.show({ columns, items: layOut(examples(look.nowMs), "", new Set()), look, sort: null, density: "L", total: 3 });
  table.destroy();
  return table.node;
}

/** Where nobody signs in, agents of this machine need no key. @param {string} origin this dashboard's own address @param {Node} preview */
export const noServersHere = (origin, preview) => html`<div class="notice card">
    <h2>No servers yet.</h2>
    <p>Add your first server: one command, about 30 seconds. Run this on it:</p>
    ${copyable(`hostpulse-agent --server ${origin}`)}
    <p class="muted">The server appears here by itself with its first sample. An example:</p>
  </div>
  ${preview}`;

/** @param {(() => void) | null} onAdd null for somebody who may not add one @param {Node} preview */
export const noServers = (onAdd, preview) => html`<div class="notice card">
    <h2>No servers yet.</h2>
    ${onAdd
      ? html`<p>Add your first server: one command, about 30 seconds.</p>
        <button type="button" class="btn btn--main" @click=${onAdd}>Add server</button>`
      : html`<p>An admin of this server can add one.</p>`}
    <p class="muted">It appears here by itself with its first sample. An example:</p>
  </div>
  ${preview}`;

/** @param {string} words what was asked for @param {() => void} onClear */
export function noMatch(words, onClear) {
  return html`<div class="notice card">
    <p>No server matches ${words}.</p>
    <button type="button" class="btn" @click=${onClear}>Clear filter</button>
  </div>`;
}
