// @ts-check
/** A button that copies a text, and says whether it could. */

import { icon } from "./icons.js";
import { html } from "./vendor/lit-html.js";

const COPIED_MS = 2000;

/** @param {string} text @returns {Promise<boolean>} */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // only a secure page may: the text stands beside the button
  }
}

/** @param {Event} event @param {string} text */
async function copyFrom(event, text) {
  const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
  const word = /** @type {HTMLElement} */ (button.querySelector("span"));
  word.textContent = (await copyText(text)) ? "Copied" : "Select it and press Ctrl C";
  setTimeout(() => (word.textContent = "Copy"), COPIED_MS);
}

/** @param {string} text @param {string} [label] what it is, for screen readers */
export const copyButton = (text, label = "") => html`
  <button type="button" class="btn btn--small" @click=${(/** @type {Event} */ event) => copyFrom(event, text)}>
    ${icon("copy")}<span aria-live="polite">Copy</span>${label ? html`<span class="visually-hidden"> ${label}</span>` : ""}
  </button>`;

/** A text that is to be pasted elsewhere. @param {string} text @param {string} [label] what it is, for screen readers */
export const copyable = (text, label = "") => html`<div class="command"><code>${text}</code>${copyButton(text, label)}</div>`;
