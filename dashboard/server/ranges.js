// @ts-check
/** The range picker: presets, a typed window, one window back and forth, twice as wide, now. */

import { boundsLabel, RANGES } from "../timescale.js";
import { html, live as liveValue } from "../vendor/lit-html.js";
import { fieldText, parseFromTo, parseLast } from "./typed-window.js";

/** @typedef {import("../timescale.js").Window} Window */
/** @typedef {import("../timescale.js").Zone} Zone */
/**
 * @typedef {object} RangeActions
 * @property {(window: Window) => void} onWindow
 * @property {(share: number) => void} onShift
 * @property {() => void} onWiden
 * @property {() => void} onNow
 * @property {(zone: Zone) => void} onZone
 * @property {() => number} now
 */
/** @typedef {{window: Window, bounds: {start: number, end: number}, zone: Zone}} RangeState */

const calendar = html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path class="icon__line" d="M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 2v3M10.5 2v3"></path></svg>`;

/** @param {RangeState} state @param {RangeActions} actions */
const presets = ({ window }, { onWindow }) => html`
  <div class="seg range-presets" role="group" aria-label="Range">
    ${RANGES.map(({ key, label }) => html`
      <button type="button" aria-pressed=${String(window.kind === "live" && window.range === key)}
        @click=${() => onWindow({ kind: "live", range: key })}>${label}</button>`)}
  </div>`;

/** @param {RangeState} state @param {RangeActions} actions */
const select = ({ window, bounds, zone }, { onWindow }) => html`
  <select class="field range-select" aria-label="Range"
    @change=${(event) => event.target.value !== "custom" && onWindow({ kind: "live", range: event.target.value })}>
    ${RANGES.map(({ key, label }) => html`<option value=${key} .selected=${liveValue(window.kind === "live" && window.range === key)}>${label}</option>`)}
    <option value="custom" .selected=${liveValue(window.kind === "fixed")} ?disabled=${window.kind === "live"}>${window.kind === "live" ? "Custom" : boundsLabel(bounds, zone)}</option>
  </select>`;

/** @param {{window: Window} | {error: string}} parsed @param {HTMLFormElement} form @param {RangeActions} actions */
function take(parsed, form, { onWindow }) {
  const problem = /** @type {HTMLElement} */ (form.closest(".range-custom")?.querySelector(".range-error"));
  problem.textContent = "error" in parsed ? parsed.error : "";
  if ("error" in parsed) return;
  form.closest("details")?.removeAttribute("open");
  onWindow(parsed.window);
}

/** @param {RangeState} state @param {RangeActions} actions */
function custom({ window, bounds, zone }, actions) {
  const last = (event) => {
    event.preventDefault();
    const fields = new FormData(event.target);
    take(parseLast(String(fields.get("count")), String(fields.get("unit")), actions.now()), event.target, actions);
  };
  const between = (event) => {
    event.preventDefault();
    const fields = new FormData(event.target);
    take(parseFromTo(String(fields.get("from")), String(fields.get("to")), zone), event.target, actions);
  };
  return html`
    <details class="menu range-menu">
      <summary class="btn" aria-label="Custom range" data-on=${String(window.kind === "fixed")}>
        ${calendar}<span>${window.kind === "fixed" ? boundsLabel(bounds, zone) : "Custom…"}</span></summary>
      <div class="menu__panel range-custom">
        <form @submit=${last}>
          <label>Last <input class="field" name="count" inputmode="decimal" size="4" value="30" autocomplete="off"></label>
          <select class="field" name="unit" aria-label="Unit">
            <option>minutes</option><option>hours</option><option>days</option>
          </select>
          <button class="btn" type="submit">Apply</button>
        </form>
        <form @submit=${between} novalidate>
          <label>From <input class="field" type="datetime-local" step="1" name="from" .value=${liveValue(fieldText(bounds.start, zone))}></label>
          <label>To <input class="field" type="datetime-local" step="1" name="to" .value=${liveValue(fieldText(bounds.end, zone))}></label>
          <button class="btn" type="submit">Apply</button>
        </form>
        <div class="seg" role="group" aria-label="Time zone">
          ${/** @type {Zone[]} */ (["local", "utc"]).map((one) => html`
            <button type="button" aria-pressed=${String(zone === one)} @click=${() => actions.onZone(one)}>${one === "utc" ? "UTC" : "Local time"}</button>`)}
        </div>
        <p class="range-error" role="alert"></p>
      </div>
    </details>`;
}

/** @param {RangeState} state @param {RangeActions} actions */
export const rangePicker = (state, actions) => html`
    ${presets(state, actions)}${select(state, actions)}${custom(state, actions)}
    <div class="seg range-move" role="group" aria-label="Move the range">
      <button type="button" aria-label="Earlier" title="One window earlier" @click=${() => actions.onShift(-1)}>‹</button>
      <button type="button" aria-label="Later" title="One window later" ?disabled=${state.window.kind === "live"} @click=${() => actions.onShift(1)}>›</button>
      <button type="button" class="range-widen" aria-label="Twice as wide" title="Twice as wide" @click=${() => actions.onWiden()}>−</button>
      <button type="button" title="Back to live (l)" ?disabled=${state.window.kind === "live"} @click=${() => actions.onNow()}>Now</button>
    </div>
`;
