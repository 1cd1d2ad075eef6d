// @ts-check
/** What stands above the servers list: status chips, query box, grouping, columns and density. */

import { html, live, nothing, render } from "./vendor/lit-html.js";
import { icon } from "./icons.js";
import { plural } from "./format.js";
import { STATUSES } from "./decode.js";
import { STATUS_WORDS } from "./status.js";
import { SWITCHABLE } from "./servers-columns.js";

/** @typedef {import("./servers-order.js").Sort} Sort */
/**
 * @typedef {object} ToolbarView
 * @property {import("./decode.js").Counts | null} counts null before the first answer
 * @property {number} total
 * @property {number} matched
 * @property {string} status the chosen chip, "" for all
 * @property {string} q
 * @property {import("./query.js").Query} query
 * @property {string} group
 * @property {string[]} groups
 * @property {Set<string>} columns
 * @property {string} density "" for automatic
 * @property {Sort} sort
 * @property {boolean} windowed
 * @property {boolean} canAdd whether this person may add servers
 * @property {boolean} stale the order is no longer the wanted one
 */
/**
 * @typedef {object} ToolbarActions
 * @property {(status: string) => void} onStatus
 * @property {(q: string) => void} onQuery
 * @property {(group: string) => void} onGroup
 * @property {(column: string, on: boolean) => void} onColumn
 * @property {(density: string) => void} onDensity
 * @property {(sort: string) => void} onSort
 * @property {() => void} onResort
 * @property {() => void} onAdd
 * @property {Record<string, Node>} icons made once: a new picture at each refresh would be a change in the page
 */

const PLACEHOLDER = "name, tag:prod, cpu>80, disk>90, down";
const DENSITIES = [["", "Automatic"], ["L", "Large"], ["M", "Medium"], ["S", "Small"]];

/** @param {ToolbarView} view @param {ToolbarActions} actions @param {string} status */
function chip(view, actions, status) {
  const number = status ? view.counts?.[/** @type {"up"} */ (status)] : view.total;
  const known = view.counts !== null;
  return html`<button
    type="button" class="chip" aria-pressed=${view.status === status ? "true" : "false"}
    ?disabled=${!known || (status !== "" && !number && view.status !== status)}
    @click=${() => actions.onStatus(status)}
  >${status ? actions.icons[status] : nothing}${status ? STATUS_WORDS[/** @type {"up"} */ (status)] : "All"} <b>${known ? number : "–"}</b></button>`;
}

/** The query once more, behind the box, with what means nothing underlined. @param {ToolbarView} view */
function underlined({ q, query }) {
  let at = 0;
  const parts = query.errors.map(({ start, end }) => {
    const before = q.slice(at, start);
    at = end;
    return html`${before}<span class="query__bad">${q.slice(start, end)}</span>`;
  });
  return html`${parts}${q.slice(at)}`;
}

/** @param {Event} event */
function followScroll(event) {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const mirror = input.previousElementSibling;
  if (mirror) mirror.scrollLeft = input.scrollLeft;
}

/** @param {ToolbarView} view @param {ToolbarActions} actions */
function queryBox(view, actions) {
  const error = view.query.errors[0]?.message ?? "";
  return html`<div class="query">
    <div class="query__mirror field" aria-hidden="true">${underlined(view)}</div>
    <input
      class="query__input field" id="query" type="search" autocomplete="off" spellcheck="false"
      aria-label="Filter servers" aria-describedby="query-hint" aria-invalid=${error ? "true" : "false"}
      placeholder=${PLACEHOLDER} .value=${live(view.q)} @scroll=${followScroll}
      @input=${(/** @type {any} */ event) => {
        followScroll(event);
        actions.onQuery(event.target.value);
      }}
    >
    <span class="visually-hidden" id="query-hint">
      Words, tag:prod, os:debian, mount:/var, cpu>80, mem>80, disk>90, load>1, net>10M, temp>70; a minus excludes.
      ${view.windowed ? "Use it instead of the browser's search, which sees only the rows on screen." : nothing}
    </span>
    <p class="query__error" ?hidden=${!error}>${error}</p>
  </div>`;
}

/** @param {string} group */
const groupLabel = (group) =>
  ({ "": "none", status: "status", os: "OS", tag: "tag" })[group] ?? group.replace(/^tag:/, "tag ");

/** @param {ToolbarView} view @param {ToolbarActions} actions */
function groupSelect(view, actions) {
  const choices = ["", ...new Set([...view.groups, ...(view.group ? [view.group] : [])])];
  return html`<label class="select"><span>Group:</span>
    <select @change=${(/** @type {any} */ event) => actions.onGroup(event.target.value)}>
      ${choices.map((group) => html`<option value=${group} ?selected=${group === view.group}>${groupLabel(group)}</option>`)}
    </select>${actions.icons.group}</label>`;
}

/** Headers cannot be clicked where there are none: on a phone. @param {ToolbarView} view @param {ToolbarActions} actions */
function sortSelect(view, actions) {
  const current = view.sort ? `${view.sort.descending ? "-" : ""}${view.sort.column}` : "";
  const choices = [["", "status"], ["name", "name"], ["-cpu", "CPU"], ["-memory", "memory"], ["-disk", "disk"]];
  if (!choices.some(([value]) => value === current)) choices.push([current, current.replace("-", "")]);
  return html`<label class="select select--sort"><span>Sort:</span>
    <select @change=${(/** @type {any} */ event) => actions.onSort(event.target.value)}>
      ${choices.map(([value, label]) => html`<option value=${value} ?selected=${value === current}>${label}</option>`)}
    </select>${actions.icons.sort}</label>`;
}

/** @param {ToolbarView} view @param {ToolbarActions} actions */
function columnsMenu(view, actions) {
  return html`<details class="menu columns-menu">
    <summary class="btn">Columns ${actions.icons.columns}</summary>
    <div class="menu__panel">
      <fieldset><legend class="menu__title">Columns</legend>
        ${SWITCHABLE.map((column) => html`<label class="menu__choice"><input
          type="checkbox" .checked=${live(view.columns.has(column.id))}
          @change=${(/** @type {any} */ event) => actions.onColumn(column.id, event.target.checked)}
        >${column.label}</label>`)}
      </fieldset>
      <fieldset><legend class="menu__title">Row height</legend>
        ${DENSITIES.map(([value, label]) => html`<label class="menu__choice"><input
          type="radio" name="density" .checked=${live(view.density === value)}
          @change=${() => actions.onDensity(value)}
        >${label}</label>`)}
      </fieldset>
    </div>
  </details>`;
}

/** @param {ToolbarView} view */
function result({ matched, total, counts }) {
  if (counts === null) return "";
  return matched === total ? plural(total, "server") : `${matched} of ${plural(total, "server")}`;
}

/** @param {ToolbarView} view @param {ToolbarActions} actions */
function toolbar(view, actions) {
  return html`
    <div class="chips" role="group" aria-label="Filter by status">
      ${["", ...STATUSES].map((status) => chip(view, actions, status))}
    </div>
    <div class="tools">
      ${queryBox(view, actions)}
      ${groupSelect(view, actions)} ${sortSelect(view, actions)} ${columnsMenu(view, actions)}
      ${view.stale ? html`<button type="button" class="btn" @click=${actions.onResort}>Re-sort</button>` : nothing}
      <span class="tools__result ${view.matched === view.total ? "tools__result--all" : ""} muted" aria-live="polite">${result(view)}</span>
      ${view.canAdd ? html`<button type="button" class="btn btn--main tools__add" @click=${actions.onAdd}>${actions.icons.add}Add server</button>` : nothing}
    </div>`;
}

/** @param {HTMLElement} root @param {Omit<ToolbarActions, "icons">} handlers @returns {(view: ToolbarView) => void} what shows a view */
export function createToolbar(root, handlers) {
  const icons = Object.fromEntries([
    ...STATUSES.map((status) => [status, icon(status)]),
    ...["group", "sort", "columns"].map((menu) => [menu, icon("chevron")]),
    ["add", icon("plus")],
  ]);
  const actions = { ...handlers, icons };
  return (view) => render(toolbar(view, actions), root);
}
