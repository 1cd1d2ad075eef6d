// @ts-check
/** What stands in place of rows: no servers yet, or none that match. */

import { html } from "./vendor/lit-html.js";
import { icon } from "./icons.js";

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

/** @param {string} origin this dashboard's own address */
export function noServers(origin) {
  const command = `hostpulse-agent --server ${origin}`;
  return html`<div class="notice card">
    <h2>No servers yet.</h2>
    <p>Add your first server: one command, about 30 seconds. Run this on it:</p>
    <div class="command">
      <code>${command}</code>
      <button type="button" class="btn btn--small" @click=${(/** @type {Event} */ event) => copyFrom(event, command)}>
        ${icon("copy")}<span aria-live="polite">Copy</span>
      </button>
    </div>
    <p class="muted">The server appears here by itself with its first sample.</p>
  </div>`;
}

/** @param {string} words what was asked for @param {() => void} onClear */
export function noMatch(words, onClear) {
  return html`<div class="notice card">
    <p>No server matches ${words}.</p>
    <button type="button" class="btn" @click=${onClear}>Clear filter</button>
  </div>`;
}
