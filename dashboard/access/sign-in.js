// @ts-check
/** The sign-in page; it stands at whatever address one wanted to see. */

import { html, nothing, render } from "../vendor/lit-html.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { createOffice } from "./office.js";
import { plainHttpNotice } from "./plain-http.js";
import { leaveFor, providerButton } from "./provider.js";

const setupNotice = () => html`<p class="caution">Nobody owns this server yet. Open the link that was printed where it was
  started; without a terminal it stands in the file <code class="whole">setup-link</code> of the data folder.</p>`;

/** @param {HTMLElement} root @param {import("../app.js").Context} context */
export async function mount(root, context) {
  const { api, router, session, setTitle } = context;
  const office = createOffice(api);
  const attempt = createAttempt(draw);
  let name = "";
  setTitle("Sign in");

  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault();
    const given = fieldsOf(event);
    name = given.name;
    await attempt.run(() => api.signIn({ name, password: given.password, remember: "remember" in given }));
    if (attempt.problem) {
      const password = /** @type {HTMLInputElement} */ (root.querySelector("[name=password]"));
      password.select();
      return password.focus();
    }
    if (router.route.name === "sign-in") router.replace("/");
    await session.load();
  }

  function goToProvider() {
    const to = router.route.name === "sign-in" ? "/" : location.pathname + location.search;
    void leaveFor(attempt, () => office.departure({ to }));
  }

  function draw() {
    const { state, isOver } = session;
    render(html`<div class="gate">
      <form class="card form" @submit=${send}>
        <h1>Sign in</h1>
        ${isOver ? html`<p role="status">Your session is over. Sign in to go on where you were.</p>` : nothing}
        ${state?.needs_setup ? setupNotice() : nothing}
        ${plainHttpNotice(state)}
        ${textField({ name: "name", label: "Name", value: name, autocomplete: "username", required: true, first: true })}
        ${textField({ name: "password", label: "Password", type: "password", autocomplete: "current-password", required: true })}
        <label class="form__check"><input type="checkbox" name="remember">Stay signed in for 30 days</label>
        ${problemLine(attempt.problem)}
        <button class="btn btn--main" aria-disabled=${attempt.busy ? "true" : nothing}>${attempt.busy ? "Signing in…" : "Sign in"}</button>
        ${providerButton({ name: state?.provider ?? "", busy: attempt.busy, go: goToProvider })}
        <p class="hint">Password forgotten? Ask an admin for a new link, or run <code>hostpulse user reset NAME</code> on the server.</p>
      </form>
    </div>`, root);
  }

  draw();
  focusFirst(root);
  const end = session.subscribe(draw);
  return {
    unmount() {
      end();
      render(null, root);
    },
  };
}
