// @ts-check
/** What runs here, and how it is. */

import { html, nothing } from "../vendor/lit-html.js";
import { aboutRows } from "./health.js";
import { plainHttpNotice } from "./plain-http.js";

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show({ context, office }) {
  /** @type {Record<string, any> | null} */
  let health = null;
  return {
    async load() {
      health = await office.health();
    },
    content: () => html`
      ${plainHttpNotice(context.session.state)}
      ${health ? html`<dl class="about card">${aboutRows(health).map(([name, words]) => html`<div><dt>${name}</dt><dd>${words}</dd></div>`)}</dl>` : nothing}
      <p><a href="/api/docs">The API</a></p>`,
  };
}
