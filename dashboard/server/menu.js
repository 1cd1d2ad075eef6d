// @ts-check
/** What may be done with a server: call it something, pause it, delete it. */

import { nameOf } from "../status.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { confirmed } from "../dialog.js";
import { openWords } from "./words.js";

/** @typedef {import("../decode.js").Server} Server */

/**
 * @param {{row: Server, reported: string[]}} server `reported`: the tags that its agent sends
 * @param {{context: import("../app.js").Context, onChange: (row: Server) => void}} page
 */
export function serverMenu({ row, reported }, { context, onChange }) {
  const { api, router, session } = context;
  if (!session.may("manage")) return nothing;
  const isPaused = row.status === "paused";

  /** Closes the menu first. @param {() => void} act */
  const choice = (act) => (/** @type {Event} */ event) => {
    /** @type {HTMLElement} */ (event.target).closest("details")?.removeAttribute("open");
    act();
  };

  async function pause() {
    try {
      onChange(await api.say(row.id, { paused: !isPaused }));
      toast(isPaused ? "Watched again" : "Paused");
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
  }

  async function remove() {
    const key = row.enrolled ? " Its key is revoked: its agent is refused from now on." : " An agent that still reports makes it appear again, with an empty history.";
    const done = await confirmed({
      title: `Delete ${nameOf(row)}?`, words: `Its whole history is lost.${key}`, button: "Delete", typed: nameOf(row), act: () => api.remove(row.id),
    });
    if (done) router.go("/");
  }

  return html`
    <div class="more-menu">
      <details class="menu">
        <summary class="btn" aria-label="More actions">⋯</summary>
        <div class="menu__panel">
          <button type="button" class="menu__choice" @click=${choice(() => openWords({ row, reported }, { api, onChange }))}>Name, tags and note…</button>
          <button type="button" class="menu__choice" @click=${choice(pause)}>${isPaused ? "Watch it again" : "Pause"}</button>
          <button type="button" class="menu__choice" @click=${choice(remove)}>Delete this server…</button>
        </div>
      </details>
    </div>`;
}
