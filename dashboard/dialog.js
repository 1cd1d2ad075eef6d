// @ts-check
/** A dialog over the page: drawn anew at each change, gone when it is closed, the focus back where it was. */

import { html, nothing, render } from "./vendor/lit-html.js";

/**
 * @param {{label: string, wide?: boolean, content: () => unknown, onClose?: () => void}} dialog `label` is the id of its heading
 */
export function openDialog({ label, wide = false, content, onClose = () => {} }) {
  const root = document.createElement("div");
  document.body.append(root);
  const node = () => /** @type {HTMLDialogElement} */ (root.querySelector("dialog"));

  function gone() {
    root.remove();
    render(null, root);
    onClose();
  }

  function draw() {
    if (root.isConnected) render(html`<dialog class="ask ${wide ? "ask--wide" : ""}" aria-labelledby=${label} @close=${gone}>${content()}</dialog>`, root);
  }
  draw();
  node().showModal();
  return { draw, node, close: () => node()?.close() };
}

/** A name as a page shows it. @param {string} text */
const squeezed = (text) => text.trim().replace(/\s+/g, " ");

/**
 * Asks before something is done that cannot be undone; what keeps it from being done stands in the dialog.
 * @param {{title: string, words: string, button: string, typed?: string, act: () => Promise<unknown>}} question `typed` has to be typed first @returns {Promise<boolean>} whether it was done
 */
export function confirmed({ title, words, button, typed = "", act }) {
  return new Promise((settle) => {
    let problem = "";
    let done = false;
    const dialog = openDialog({
      label: "ask-title",
      onClose: () => settle(done),
      content: () => html`<div class="ask__content">
        <h2 id="ask-title">${title}</h2>
        <p>${words}</p>
        ${typed ? html`<div class="form__field"><label for="typed">Type <b>${typed}</b> to go on</label>
          <input class="field" id="typed" autocomplete="off" autocapitalize="none" spellcheck="false"></div>` : nothing}
        <p class="problem" role="alert">${problem}</p>
        <div class="ask__answers">
          <button type="button" class="btn" autofocus @click=${() => dialog.close()}>Cancel</button>
          <button type="button" class="btn btn--danger" @click=${go}>${button}</button>
        </div>
      </div>`,
    });
    async function go() {
      const given = /** @type {HTMLInputElement | null} */ (dialog.node().querySelector("#typed"));
      if (given && squeezed(given.value) !== squeezed(typed)) {
        problem = `Type ${typed} as it is written above.`;
        dialog.draw();
        return given.focus();
      }
      try {
        await act();
        done = true;
        dialog.close();
      } catch (error) {
        problem = /** @type {Error} */ (error).message;
        dialog.draw();
      }
    }
  });
}
