// @ts-check
/** What is so the whole time somebody is here: that they visit, or that their organisation is suspended. */

import { clockTime } from "./format.js";
import { toast } from "./toast.js";
import { html, nothing, render } from "./vendor/lit-html.js";

/** @param {import("./app.js").Context} context */
export function startStanding({ router, session }) {
  const root = /** @type {HTMLElement} */ (document.getElementById("standing"));

  async function leave() {
    const own = Object.keys(session.state?.tenants ?? {}).find((id) => id !== session.state?.tenant);
    try {
      router.replace("/");
      await session.switchTo(own ?? "");
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
  }

  function words() {
    const { state } = session;
    if (!state?.signed_in) return nothing;
    const name = state.tenants[state.tenant] ?? state.tenant;
    if (state.visit_until) {
      return html`<span>You look into <b>${name}</b> until ${clockTime(state.visit_until)} and can change nothing. Its audit log says so.</span>
        <button type="button" class="btn btn--small" @click=${leave}>Leave</button>`;
    }
    if (!state.suspended) return nothing;
    return html`<span><b>${name}</b> is suspended; ask whoever runs this server. Nothing is lost, and its agents keep their reports meanwhile.</span>`;
  }

  session.subscribe(() => {
    const shown = words();
    root.hidden = shown === nothing;
    render(shown, root);
  });
}
