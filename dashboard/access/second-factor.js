// @ts-check
/** The second factor of my account: on with an app, off, and new recovery codes. */

import { copyable } from "../copy.js";
import { openDialog } from "../dialog.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { problemOf } from "../sentences.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { showRecoveryCodes } from "./recovery-codes.js";

/** @typedef {ReturnType<typeof import("./office.js").createOffice>} Office */

const FEW_CODES = 3;

/**
 * A dialog with one form; `send` gives true once it is done.
 * @param {{title: string, words: () => unknown, fields: () => readonly Parameters<typeof textField>[0][], button: () => string, send: (given: Record<string, string>) => Promise<boolean>}} form
 */
function askFor({ title, words, fields, button, send }) {
  const attempt = createAttempt(() => dialog?.draw());
  const dialog = openDialog({ label: "factor-title", content });

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    const given = fieldsOf(event);
    const isDone = await attempt.run(() => send(given));
    if (isDone) return dialog.close();
    dialog.draw();
    focusFirst(dialog.node());
  }

  function content() {
    const shown = fields();
    const { field, words: problem } = problemOf(attempt.problem, shown.map(({ name }) => name));
    return html`<form class="form" @submit=${submit}>
      <h2 id="factor-title">${title}</h2>
      ${words()}
      ${shown.map((one) => textField({ ...one, required: true, problem: field === one.name ? problem : "" }))}
      ${problemLine(field ? "" : problem)}
      <div class="ask__answers">
        <button type="button" class="btn" @click=${() => dialog.close()}>Cancel</button>
        <button class="btn btn--main" aria-disabled=${attempt.busy ? "true" : nothing}>${button()}</button>
      </div>
    </form>`;
  }
}

const password = /** @type {const} */ ({ name: "password", label: "Password", type: "password", autocomplete: "current-password", first: true });
const code = /** @type {const} */ ({ name: "code", label: "Code", autocomplete: "one-time-code", keys: "numeric", first: true });
const anyCode = /** @type {const} */ ({ name: "code", label: "Code of the app, or a recovery code", autocomplete: "one-time-code" });

/** @param {Office} office @param {() => void} onDone */
function switchOn(office, onDone) {
  /** @type {import("./office.js").AppSecret | null} */
  let app = null;
  askFor({
    title: "Switch the second factor on",
    words: () => (app ? html`
      <p>Scan this with an authenticator app, then type the six digits that it shows.</p>
      <img class="qr" src=${app.image} alt="QR code for the authenticator app">
      <p class="hint">No camera? Type this key into the app.</p>
      ${copyable(app.secret, "the key")}
      <p><a href=${app.address}>Open an app on this device</a></p>`
      : html`<p>Signing in then asks for a code of an app on your phone as well. You need an authenticator app, and your password now. Your other sessions end.</p>`),
    fields: () => (app ? [code] : [password]),
    button: () => (app ? "Switch on" : "Go on"),
    async send(given) {
      if (!app) {
        app = await office.beginSecondFactor(given.password);
        return false;
      }
      const codes = await office.turnSecondFactorOn(given.code);
      onDone();
      showRecoveryCodes(codes);
      return true;
    },
  });
}

/** @param {Office} office @param {() => void} onDone */
function switchOff(office, onDone) {
  askFor({
    title: "Switch the second factor off?",
    words: () => html`<p>Your password is then enough to sign in as you.</p>`,
    fields: () => [password, anyCode],
    button: () => "Switch off",
    async send(given) {
      await office.turnSecondFactorOff({ password: given.password, code: given.code });
      toast("The second factor is off");
      onDone();
      return true;
    },
  });
}

/** @param {Office} office @param {() => void} onDone */
function renewCodes(office, onDone) {
  askFor({
    title: "New recovery codes",
    words: () => html`<p>The ones that you have are good for nothing then.</p>`,
    fields: () => [password, anyCode],
    button: () => "Make new codes",
    async send(given) {
      const codes = await office.newRecoveryCodes({ password: given.password, code: given.code });
      onDone();
      showRecoveryCodes(codes);
      return true;
    },
  });
}

/** The section of it. @param {Office} office @param {() => void} changed what shows the account anew */
export function secondFactorSection(office, changed) {
  /** @type {{on: boolean, left: number} | null} */
  let state = null;

  async function load() {
    state = await office.secondFactor();
  }

  const left = (/** @type {number} */ codes) => (codes > FEW_CODES ? html`${codes} recovery codes are left.`
    : html`<span class="tag tag--warn">${codes === 1 ? "1 recovery code is left" : `${codes} recovery codes are left`}</span>`);

  return {
    load,
    content: () => html`<section><h2>Second factor</h2>
      ${!state ? html`<p class="muted" role="status">Loading…</p>`
      : state.on ? html`<p>On: signing in asks for a code of your app. ${left(state.left)}</p>
        <div class="form__row">
          <button type="button" class="btn" @click=${() => renewCodes(office, changed)}>New recovery codes…</button>
          <button type="button" class="btn" @click=${() => switchOff(office, changed)}>Switch off…</button></div>`
      : html`<p>Off: whoever knows your password can sign in as you.</p>
        <div><button type="button" class="btn" @click=${() => switchOn(office, changed)}>Switch on…</button></div>`}</section>`,
  };
}
