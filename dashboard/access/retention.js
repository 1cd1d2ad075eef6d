// @ts-check
/** How long samples are kept, and what they take. */

import { bytes, count, duration, MISSING } from "../format.js";
import { html, nothing } from "../vendor/lit-html.js";
import { dataTable } from "./table.js";

/** @typedef {import("./office.js").Tier} Tier */

const DAY_SECONDS = 86_400;
/** @type {Record<string, string>} */
const DETAIL = { journal: "Not sealed yet", raw: "Samples as they came", "1m": "A point a minute", "1h": "A point an hour" };
/** @type {Record<string, string>} */
const PLACES = { memory: "memory", file: "files", postgresql: "PostgreSQL", influxdb: "InfluxDB" };

/** @param {number | null} ms @param {number} most samples of a server, 0 for no limit by count */
function kept(ms, most) {
  if (ms !== null) return days(ms / 1000);
  return most ? `The newest ${count(most)} of each server` : "Until it is sealed";
}

/** `2 d`, `30 days`, `2 years`. @param {number} seconds */
function days(seconds) {
  const whole = seconds / DAY_SECONDS;
  if (whole < 3) return duration(seconds);
  return whole % 365 ? `${count(Math.round(whole))} days` : `${whole / 365} ${whole === 365 ? "year" : "years"}`;
}

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show({ context, office }) {
  const isOperator = context.session.may("operate");
  /** @type {Awaited<ReturnType<typeof office.retention>> | null} */
  let state = null;

  async function load() {
    state = await office.retention();
  }

  /** @param {Tier} tier */
  function row({ name, keep, size, full }) {
    const cells = [DETAIL[name] ?? name, kept(keep, state?.mostSamples ?? 0)];
    return isOperator ? [...cells, size === null ? MISSING : bytes(size), full === null || state?.mostSamples ? MISSING : bytes(full)] : cells;
  }

  function content() {
    const head = isOperator ? ["Detail", "Kept", "Takes now", "When full"] : ["Detail", "Kept"];
    return html`
      ${state?.storage === "memory" ? html`<p>Samples rest in memory and are gone when the backend restarts. Start it with <code>--storage file:</code> to keep them.</p>` : nothing}
      ${dataTable("What is kept", head, state?.tiers.map(row))}
      ${state ? html`
        <p>Your ${state.servers === 1 ? "server takes" : `${count(state.servers)} servers take`} ${bytes(state.size)} in ${PLACES[state.storage] ?? state.storage}${state.budget ? html`; all together may take ${bytes(state.budget)}, then the oldest go first` : nothing}.</p>
        ${state.problem ? html`<p class="problem">${state.problem}</p>` : nothing}
        ${isOperator ? html`<p class="hint">Sizes in the table are those of all organisations, as of a minute ago at most.
            ${state.mostSamples ? nothing : html`How long samples are kept is set where the backend is started:
              <code>raw_retention_hours</code>, <code>minute_retention_days</code>, <code>hour_retention_days</code> and <code>disk_budget_mb</code>.`}</p>`
          : html`<p class="hint">How long samples are kept is set by whoever runs this server.</p>`}` : nothing}`;
  }
  return { load, content };
}
