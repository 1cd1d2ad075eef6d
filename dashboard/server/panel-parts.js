// @ts-check
/** The words around a chart: its head with the buttons, the legend, the table. */

import { instancesOf } from "../charts/history.js";
import { html, nothing, repeat } from "../vendor/lit-html.js";
import { isPhysical } from "./names.js";

/** @typedef {{key: string, label: string, colour: string, hidden: boolean, text: string, bucket: boolean}} LegendEntry `bucket`: with what it lay between */

const BUCKET_TITLE = "average (lowest–highest sample)";

const PICKS = {
  nic: { label: "Interface", metric: "bytes_recv_per_sec" },
  disk: { label: "Disk", metric: "read_bytes_per_sec" },
};

/** @param {import("./plots.js").Definition} definition @param {import("./plots.js").Source} source @param {(what: "nic" | "disk", instance: string) => void} onPick */
function pick({ picks }, source, onPick) {
  if (!picks) return nothing;
  const { label, metric } = PICKS[picks];
  const chosen = source.choice[picks];
  const instances = instancesOf(source.history, metric).filter(Boolean);
  if (chosen && !instances.includes(chosen)) instances.push(chosen);
  instances.sort((a, b) => Number(isPhysical(b)) - Number(isPhysical(a)) || a.localeCompare(b, "en", { numeric: true }));
  if (!instances.length) return nothing;
  return html`<select class="field field--small" aria-label=${label} @change=${(event) => onPick(picks, event.target.value)}>
    <option value="" ?selected=${chosen === ""}>All</option>
    ${repeat(instances, (one) => one, (one) => html`<option value=${one} ?selected=${chosen === one}>${one}</option>`)}
  </select>`;
}

/**
 * @param {import("./plots.js").Definition} definition
 * @param {{subtitle: string, source: import("./plots.js").Source, table: boolean, wide: boolean}} state
 * @param {{onPick: (what: "nic" | "disk", instance: string) => void, onTable: () => void, onWide: () => void}} actions
 */
export const panelHead = (definition, { subtitle, source, table, wide }, { onPick, onTable, onWide }) => html`
  <h2 aria-level=${definition.level ?? nothing} title=${definition.title}>${definition.title}</h2><span class="panel__subtitle" title=${subtitle}>${subtitle}</span>
  ${pick(definition, source, onPick)}
  <button type="button" class="tool" aria-pressed=${String(table)} title="Show as table" @click=${onTable}>
    <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 3h12v10H2zM2 6.5h12M2 9.8h12M6.5 3v10"></path></svg>
    <span class="visually-hidden">Show ${definition.title} as table</span></button>
  <button type="button" class="tool" aria-pressed=${String(wide)} title=${wide ? "Smaller (e)" : "Larger (e)"} @click=${onWide}>
    <svg viewBox="0 0 16 16" aria-hidden="true"><path d=${wide ? "M7 3v4H3M9 13V9h4" : "M9 3h4v4M7 13H3V9"}></path></svg>
    <span class="visually-hidden">${definition.title} larger</span></button>`;

/** @param {LegendEntry} entry */
const legendValue = ({ text, bucket }) =>
  html`<b class="legend__value" ?data-bucket=${bucket} title=${bucket ? BUCKET_TITLE : nothing}>${text}</b>`;

/** @param {LegendEntry[]} entries @param {(series: string, alone: boolean) => void} onLegend */
export const legend = (entries, onLegend) => html`${repeat(entries, (one) => one.key, (one) => (one.colour
  ? html`<button type="button" class="legend__item" data-series=${one.key} aria-pressed=${String(!one.hidden)}
      title="Click hides or shows, Alt-click shows it alone" @click=${(event) => onLegend(one.key, event.altKey)}>
      <span class="legend__key" data-colour=${one.colour}></span><span class="legend__label">${one.label}</span>
      ${legendValue(one)}</button>`
  : html`<span class="legend__item" data-series=${one.key}><span class="legend__label">${one.label}</span>
      ${legendValue(one)}</span>`))}`;

/**
 * @param {string} title
 * @param {import("../charts/plan.js").Plot} plot
 * @param {{stats: import("../charts/describe.js").StatsRow[], rows: {time: string, values: string[]}[]}} data
 * @param {() => void} onDownload
 */
export const seriesTable = (title, plot, { stats, rows }, onDownload) => html`
  <div class="scroller scroller--tall" tabindex="0" role="region" aria-label=${`${title} as table`}>
    <table class="table"><caption class="visually-hidden">${title}: statistics of the shown range</caption>
      <thead><tr><th scope="col">Series</th>${["min", "avg", "max", "last"].map((name) => html`<th scope="col" class="num">${name}</th>`)}</tr></thead>
      <tbody>${stats.map((row) => html`<tr><th scope="row">${row.label}</th>
        <td class="num">${row.min}</td><td class="num">${row.avg}</td><td class="num">${row.max}</td><td class="num">${row.last}</td></tr>`)}</tbody>
    </table>
    ${rows.length ? html`<table class="table"><caption class="visually-hidden">${title}: values of the shown range, the newest first</caption>
      <thead><tr><th scope="col">Time</th>${plot.series.map((one) => html`<th scope="col" class="num">${one.label}</th>`)}</tr></thead>
      <tbody>${rows.map((row) => html`<tr><th scope="row">${row.time}</th>${row.values.map((text) => html`<td class="num">${text}</td>`)}</tr>`)}</tbody>
    </table>` : nothing}
  </div>
  <button type="button" class="btn btn--small" @click=${onDownload}>Download CSV</button>`;
