// @ts-check
/** The sign-in page; it stands at whatever address one wanted to see. */

import { html, nothing, render } from "../vendor/lit-html.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { createOffice } from "./office.js";
import { problemOf } from "../sentences.js";
import { plainHttpNotice } from "./plain-http.js";
import { leaveFor, providerButton } from "./provider.js";

/** What the server says when no sign-in waits for a code any more. */
const OVER = [409, 410];

const setupNotice = () => html`<p class="caution">Nobody owns this server yet. Open the link that was printed where it was
  started; without a terminal it stands in the file <code class="whole">setup-link</code> of the data folder.</p>`;

/** @param {HTMLElement} root @param {import("../app.js").Context} context */
export async function mount(root, context) {
  const { api, router, session, setTitle } = context;
  const office = createOffice(api);
  const attempt = createAttempt(draw);
  let name = "";
  /** @type {"password" | "code" | "recovery"} a page that was loaded anew goes on with the code */
  let step = session.state?.needs_code ? "code" : "password";
  setTitle("Sign in");

  async function enter() {
    if (router.route.name === "sign-in") router.replace("/");
    await session.load();
  }

  function goToProvider() {
    const to = router.route.name === "sign-in" ? "/" : location.pathname + location.search;
    void leaveFor(attempt, () => office.departure({ to }));
  }

  /** @param {typeof step} next */
  function turnTo(next) {
    step = next;
    draw();
    focusFirst(root);
  }

  /** @param {typeof step} next what somebody chose instead */
  function choose(next) {
    attempt.clear();
    turnTo(next);
  }

  /** Selects what was typed, to be typed again. @param {string} field */
  function again(field) {
    const input = /** @type {HTMLInputElement} */ (root.querySelector(`[name=${field}]`));
    input.select();
    input.focus();
  }

  /** @param {SubmitEvent} event */
  async function sendPassword(event) {
    event.preventDefault();
    const given = fieldsOf(event);
    name = given.name;
    const needsCode = await attempt.run(() => api.signIn({ name, password: given.password, remember: "remember" in given }));
    if (attempt.problem) return again("password");
    if (needsCode) return turnTo("code");
    await enter();
  }

  /** @param {SubmitEvent} event */
  async function sendCode(event) {
    event.preventDefault();
    const { code } = fieldsOf(event);
    let isOver = false;
    await attempt.run(() => api.giveCode(code).catch((error) => {
      isOver = OVER.includes(error.status);
      throw error;
    }));
    if (isOver) return turnTo("password");
    if (attempt.problem) return again("code");
    await enter();
  }

  const button = () => html`<button class="btn btn--main" aria-disabled=${attempt.busy ? "true" : nothing}>${attempt.busy ? "Signing in…" : "Sign in"}</button>`;

  function passwordForm() {
    const { state, isOver } = session;
    return html`<form class="card form" @submit=${sendPassword}>
      <h1>Sign in</h1>
      ${isOver ? html`<p role="status">Your session is over. Sign in to go on where you were.</p>` : nothing}
      ${state?.needs_setup ? setupNotice() : nothing}
      ${plainHttpNotice(state)}
      ${textField({ name: "name", label: "Name", value: name, autocomplete: "username", required: true, first: true })}
      ${textField({ name: "password", label: "Password", type: "password", autocomplete: "current-password", required: true })}
      <label class="form__check"><input type="checkbox" name="remember">Stay signed in for 30 days</label>
      ${problemLine(attempt.problem)}
      ${button()}
      ${providerButton({ name: state?.provider ?? "", busy: attempt.busy, go: goToProvider })}
      <p class="hint">Password forgotten? Ask an admin for a new link, or run <code>hostpulse user reset NAME</code> on the server.</p>
    </form>`;
  }

  function codeForm() {
    const isApp = step === "code";
    const problem = problemOf(attempt.problem, ["code"]);
    return html`<form class="card form" @submit=${sendCode}>
      <h1>${isApp ? "Code of your app" : "Recovery code"}</h1>
      <p>${isApp ? "Open your authenticator app and type the six digits that it shows." : "Type one of those that you kept; each is good once."}</p>
      ${isApp
        ? textField({ name: "code", label: "Code", autocomplete: "one-time-code", keys: "numeric", required: true, first: true, problem: problem.field && problem.words })
        : textField({ name: "code", label: "Recovery code", required: true, first: true, problem: problem.field && problem.words })}
      ${problemLine(problem.field ? "" : problem.words)}
      ${button()}
      <div class="form__row">
        <button type="button" class="btn btn--small" @click=${() => choose(isApp ? "recovery" : "code")}>${isApp ? "Use a recovery code" : "Use the app"}</button>
        <button type="button" class="btn btn--small" @click=${() => choose("password")}>Start again</button>
      </div>
      <p class="hint">Both lost? An owner can switch the second factor off, or <code>hostpulse user second-factor-off NAME</code> on the server.</p>
    </form>`;
  }

  function draw() {
    render(html`<div class="gate">${step === "password" ? passwordForm() : codeForm()}</div>`, root);
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
