// @ts-check
/** What an address that names no page shows. */

import { html, render } from "../vendor/lit-html.js";

/** @param {HTMLElement} root @param {import("../app.js").Context} context */
export async function mount(root, { setTitle }) {
  setTitle("Not found");
  render(
    html`<div class="notice">
      <h1>There is no page at this address</h1>
      <a href="/">Go to the servers</a>
    </div>`,
    root,
  );
  return { unmount: () => render(null, root) };
}
