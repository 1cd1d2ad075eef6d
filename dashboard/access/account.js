// @ts-check
/** My account: how I sign in, and where I did. */

import { ago, dateTime } from "../format.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { problemOf } from "../sentences.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { createLinking } from "./account-link.js";
import { browserName } from "./browser-name.js";
import { secondFactorSection } from "./second-factor.js";
import { dataTable } from "./table.js";

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show(desk) {
  const { context, office, draw, root } = desk;
  const { clock, session } = context;
  const attempt = createAttempt(draw);
  const linking = createLinking(desk);
  /** @type {import("./office.js").Place[] | null} */
  let places = null;
  const secondFactor = secondFactorSection(office, () => void load().then(draw, (error) => toast(error.message, { bad: true })));

  async function load() {
    [places] = await Promise.all([office.places(), linking.load(), secondFactor.load()]);
  }

  /** @param {SubmitEvent} event */
  async function changePassword(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const { old, new: next } = fieldsOf(event);
    const done = await attempt.run(() => office.changePassword(old, next));
    if (!done) return focusFirst(root);
    form.reset();
    toast("Saved. Your other sessions ended.");
    await load();
    draw();
  }

  /** @param {string} [id] */
  async function signOut(id) {
    try {
      await office.signOutThere(id);
      toast("Signed out there");
      await load();
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
    draw();
  }

  function passwordForm() {
    const problem = problemOf(attempt.problem, ["old", "new", "password"]);
    const field = problem.field === "password" ? "new" : problem.field;
    const at = (/** @type {string} */ name) => (field === name ? problem.words : "");
    return html`<form class="form settings__form" @submit=${changePassword}>
      <input type="text" autocomplete="username" hidden .value=${session.state?.name ?? ""}>
      ${textField({ name: "old", label: "Password so far", type: "password", autocomplete: "current-password", required: true, problem: at("old") })}
      ${textField({ name: "new", label: "New password", type: "password", autocomplete: "new-password", required: true, problem: at("new"), hint: "At least 10 characters; a short sentence is good." })}
      ${problemLine(field ? "" : problem.words)}
      <div><button class="btn btn--main" aria-disabled=${attempt.busy ? "true" : nothing}>Change the password</button></div>
    </form>`;
  }

  const row = (/** @type {import("./office.js").Place} */ place) => [
    html`<span title=${place.client}>${browserName(place.client)}</span>`,
    place.address,
    html`<span title=${dateTime(place.created)}>${dateTime(place.created).slice(0, 16)}</span>`,
    place.current ? "now" : html`<span title=${dateTime(place.seen)}>${ago((clock.now() - place.seen) / 1000)}</span>`,
    place.current ? html`<span class="muted">this one</span>`
      : html`<button type="button" class="btn btn--small" @click=${() => signOut(place.id)}>Sign out</button>`,
  ];

  return {
    load,
    content: () => html`
      <section><h2>Password</h2>${linking.hasPassword() ? passwordForm()
        : html`<p>Your account has none. A link from an admin sets one.</p>`}</section>
      ${linking.hasPassword() ? secondFactor.content() : nothing}
      ${linking.content()}
      <section><div class="settings__head"><h2>Where you are signed in</h2>
        ${places && places.length > 1 ? html`<button type="button" class="btn btn--small" @click=${() => signOut()}>Sign out everywhere else</button>` : nothing}</div>
        ${dataTable("Where you are signed in", ["Browser", "Address", "Since", "Seen", ""], places?.map(row))}</section>`,
  };
}
