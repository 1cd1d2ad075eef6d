// @ts-check
/** The warning where everybody on the way can read along. */

import { html, nothing } from "../vendor/lit-html.js";

/** @param {import("../decode.js").Session | null} session */
export const plainHttpNotice = (session) => session?.plain_http
  ? html`<p class="caution">This connection has no TLS: whoever is on the way can read the password. Use it on a closed network only.</p>`
  : nothing;
