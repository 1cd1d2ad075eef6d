// @ts-check
/** My account at the OpenID provider: linked to the one here, or not. */

import { confirmed } from "../dialog.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { problemOf } from "../sentences.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { leaveFor } from "./provider.js";

/** @param {import("./settings.js").Desk} desk */
export function createLinking({ context, office, draw, root }) {
  const name = context.session.state?.provider ?? "";
  const attempt = createAttempt(draw);
  let account = { hasPassword: true, isLinked: false };

  async function load() {
    account = await office.account();
  }

  /** @param {SubmitEvent} event */
  async function link(event) {
    event.preventDefault();
    const { proof } = fieldsOf(event);
    await leaveFor(attempt, () => office.linkAccount(proof));
    if (attempt.problem) focusFirst(root);
  }

  async function unlink() {
    const done = await confirmed({
      title: `Unlink ${name}?`, button: "Unlink", act: office.unlinkAccount, words: "From then on only your password signs you in.",
    });
    if (!done) return;
    toast("Unlinked");
    await load().catch(() => {}); // the toast says enough
    draw();
  }

  function linkForm() {
    const problem = problemOf(attempt.problem, ["password"]);
    return html`<form class="form settings__form" @submit=${link}>
      <p>Link your account there, and you can sign in with it.</p>
      ${textField({ name: "proof", label: "Your password here", type: "password", autocomplete: "current-password", required: true, problem: problem.field && problem.words })}
      ${problemLine(problem.field ? "" : problem.words)}
      <div><button class="btn" aria-disabled=${attempt.busy ? "true" : nothing}>Link with ${name}…</button></div>
    </form>`;
  }

  const linkedLine = () => html`<p>Your account is linked.${account.hasPassword ? "" : " It is the only way in that it has."}</p>
    ${account.hasPassword ? html`<div><button type="button" class="btn" @click=${unlink}>Unlink…</button></div>` : nothing}`;

  return {
    load,
    hasPassword: () => account.hasPassword,
    content: () => name ? html`<section><h2>Sign-in with ${name}</h2>${account.isLinked ? linkedLine() : linkForm()}</section>` : nothing,
  };
}
