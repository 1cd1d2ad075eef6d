// @ts-check
/** What was done here, and by whom. */

import { dateTime } from "../format.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { dataTable } from "./table.js";

/** @typedef {import("./office.js").Deed} Deed */

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show({ office, draw }) {
  /** @type {Deed[] | null} */
  let deeds = null;
  let hasOlder = true;
  let endsWell = true;

  async function load() {
    ({ deeds, endsWell } = await office.deeds(0));
  }

  async function older() {
    try {
      const { deeds: more } = await office.deeds(deeds?.at(-1)?.number ?? 0);
      hasOlder = more.length > 0;
      deeds = [...(deeds ?? []), ...more];
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
    draw();
  }

  /** @param {Deed} deed */
  const row = (deed) => [
    dateTime(deed.time), deed.actor, deed.action, html`<span class="data__long">${deed.object}</span>`,
    deed.result === "refused" ? html`<span class="tag tag--warn">refused</span>` : deed.result, deed.address,
  ];

  return {
    load,
    content: () => html`
      ${endsWell ? nothing : html`<p class="caution" role="alert">Entries are missing at the end of the log, or were added past it: somebody changed the database. <code>hostpulse audit verify</code> says which.</p>`}
      <p class="muted">The newest first. Each entry holds the one before; <code>hostpulse audit verify</code> proves that none was changed.
        Of refused requests each asker has 10 rows in 10 minutes; the next one says how many more there were.</p>
      ${dataTable("Audit log", ["When", "Who", "What", "On", "Result", "From"], deeds?.map(row))}
      ${!deeds?.length ? nothing : hasOlder
        ? html`<div><button type="button" class="btn" @click=${older}>Older</button></div>`
        : html`<p class="muted">That is all.</p>`}`,
  };
}
