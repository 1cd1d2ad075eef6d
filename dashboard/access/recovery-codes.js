// @ts-check
/** Recovery codes, shown once: to copy, or to keep in a file. */

import { copyButton } from "../copy.js";
import { openDialog } from "../dialog.js";
import { html } from "../vendor/lit-html.js";

/** @param {readonly string[]} codes */
const fileOf = (codes) => `data:text/plain;charset=utf-8,${encodeURIComponent(`Recovery codes of Hostpulse, ${location.host}\n\n${codes.join("\n")}\n`)}`;

/** @param {readonly string[]} codes */
export function showRecoveryCodes(codes) {
  const dialog = openDialog({
    label: "codes-title",
    content: () => html`<div class="ask__content">
      <h2 id="codes-title">Your recovery codes</h2>
      <p>Each signs you in once, should the app be lost. Keep them away from this computer; they are shown only now.</p>
      <ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
      <div class="ask__answers">
        ${copyButton(codes.join("\n"), "the codes")}
        <a class="btn" download="hostpulse-recovery-codes.txt" href=${fileOf(codes)}>Download</a>
        <button type="button" class="btn btn--main" autofocus @click=${() => dialog.close()}>I have kept them</button>
      </div>
    </div>`,
  });
}
