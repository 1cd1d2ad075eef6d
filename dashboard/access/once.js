// @ts-check
/** A secret that is shown once: a link or a key, with what to do with it. */

import { copyable } from "../copy.js";
import { openDialog } from "../dialog.js";
import { html } from "../vendor/lit-html.js";

/** @param {{title: string, words: string, secret: string}} shown */
export function showOnce({ title, words, secret }) {
  const dialog = openDialog({
    label: "once-title", wide: true,
    content: () => html`<div class="ask__content">
      <h2 id="once-title">${title}</h2>
      <p>${words}</p>
      ${copyable(secret)}
      <div class="ask__answers"><button type="button" class="btn btn--main" autofocus @click=${() => dialog.close()}>Done</button></div>
    </div>`,
  });
}
