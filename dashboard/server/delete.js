// @ts-check
/** Deleting a server: a menu entry, a question, the request. */

import { html, nothing } from "../vendor/lit-html.js";

/**
 * @param {{name: string, problem: string}} state
 * @param {() => void} onDelete
 */
export function deleteMenu({ name, problem }, onDelete) {
  const dialogOf = (event) => event.target.closest(".more-menu").querySelector("dialog");
  const open = (event) => {
    event.target.closest("details").removeAttribute("open");
    dialogOf(event).showModal();
  };
  return html`
    <div class="more-menu">
      <details class="menu">
        <summary class="btn" aria-label="More actions">⋯</summary>
        <div class="menu__panel"><button type="button" class="menu__choice" @click=${open}>Delete this server…</button></div>
      </details>
      <dialog class="ask" aria-labelledby="delete-title">
        <form method="dialog">
          <h2 id="delete-title">Delete ${name}?</h2>
          <p>Its whole history is lost. An agent that still reports makes it appear again, with an empty history.</p>
          ${problem ? html`<p class="range-error" role="alert">${problem}</p>` : nothing}
          <div class="ask__answers">
            <button class="btn" value="cancel" autofocus>Cancel</button>
            <button class="btn btn--danger" type="button" @click=${onDelete}>Delete</button>
          </div>
        </form>
      </dialog>
    </div>`;
}
