// @ts-check
/** My tokens: with one of them a program asks the API as I do, within what the token may. */

import { confirmed } from "../dialog.js";
import { choiceField, createAttempt, fieldsOf, problemLine, textField } from "../form.js";
import { ago, dateTime, day } from "../format.js";
import { problemOf } from "../sentences.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { showOnce } from "./once.js";
import { dataTable } from "./table.js";

/** @typedef {import("./office.js").Key} Key */

const SCOPES = /** @type {const} */ ([["read", "see servers and metrics"], ["edit", "also change rules"], ["manage", "also manage servers and keys"]]);
const DAYS = /** @type {const} */ ([["30", "30 days"], ["90", "90 days"], ["365", "a year"]]);

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show({ context, office, draw }) {
  const { clock, session } = context;
  const making = createAttempt(draw);
  const scopes = SCOPES.filter(([scope]) => session.may(scope));
  /** @type {Key[] | null} */
  let tokens = null;

  async function load() {
    tokens = await office.tokens();
  }

  /** @param {SubmitEvent} event */
  async function make(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const { label, scope, days } = fieldsOf(event);
    const token = await making.run(() => office.makeToken({ label, scopes: [scope], days: Number(days) }));
    if (!token) return;
    form.reset();
    showOnce({
      title: "A new token", secret: token,
      words: "Send it in the header Authorization: Bearer. It is shown only now; keep it where only the program can read it.",
    });
    await load();
    draw();
  }

  /** @param {Key} token */
  async function revoke(token) {
    const done = await confirmed({
      title: `Revoke the token ${token.label || token.id}?`, words: "Programs that ask with it are refused within a second.", button: "Revoke",
      act: () => office.revokeToken(token.id),
    });
    if (!done) return;
    toast("Revoked");
    await load().catch((error) => toast(error.message, { bad: true }));
    draw();
  }

  /** @param {Key} token */
  const row = (token) => [
    token.label || html`<span class="muted">no label</span>`,
    token.scopes.join(", "),
    html`<code>${token.id}</code>`,
    day(token.created),
    token.used ? html`<span title=${dateTime(token.used)}>${ago((clock.now() - token.used) / 1000)}</span>` : html`<span class="muted">never</span>`,
    day(token.expires),
    html`<button type="button" class="btn btn--small" @click=${() => revoke(token)}>Revoke…</button>`,
  ];

  function makeForm() {
    const problem = problemOf(making.problem, ["label"]);
    return html`<form class="form__row" @submit=${make}>
      ${textField({ name: "label", label: "What it is for", required: true, most: 100, problem: problem.field ? problem.words : "" })}
      ${choiceField({ name: "scope", label: "It may", value: "read", choices: scopes })}
      ${choiceField({ name: "days", label: "Good for", value: "90", choices: DAYS })}
      <button class="btn btn--main" aria-disabled=${making.busy ? "true" : nothing}>Make a token</button>
    </form>${problemLine(problem.field ? "" : problem.words)}`;
  }

  return {
    load,
    content: () => html`
      <p>With a token a program asks the API as you do, in this organisation. It ends when you may less than it does.</p>
      ${dataTable("My tokens", ["For", "May", "Token", "Made", "Last used", "Ends", ""], tokens?.map(row), "You have no token.")}
      <section><h2>Make a token</h2>${makeForm()}</section>`,
  };
}
