// @ts-check
/** Keys: those of the agents, those for programs, and the tokens that are still good. */

import { ago, dateTime, day } from "../format.js";
import { confirmed } from "../dialog.js";
import { createAttempt, fieldsOf, problemLine, textField } from "../form.js";
import { serverPath } from "../router.js";
import { problemOf } from "../sentences.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { showOnce } from "./once.js";
import { dataTable } from "./table.js";

/** @typedef {import("./office.js").Key} Key */

/** @type {Record<string, string>} */
const KINDS = { agent: "Agent", ingest: "Ingest", personal: "Personal", enrolment: "Enrolment" };
/** @type {Record<string, string>} */
const MEANS = {
  agent: "The agent with it is refused within a second; to report again it has to enrol.",
  ingest: "Programs that send with it are refused within a second.",
  personal: "Programs that ask with it are refused within a second.",
  enrolment: "The command with it no longer adds a server.",
};

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show({ context, office, draw }) {
  const { clock } = context;
  const making = createAttempt(draw);
  /** @type {Key[] | null} */
  let keys = null;

  async function load() {
    keys = await office.keys();
  }

  /** @param {SubmitEvent} event */
  async function make(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const key = await making.run(() => office.makeKey(fieldsOf(event).label));
    if (!key) return;
    form.reset();
    showOnce({
      title: "A new ingest key", secret: key,
      words: "Send it in the header Authorization: Bearer. It is shown only now; keep it where only the program can read it.",
    });
    await load();
    draw();
  }

  /** @param {Key} key */
  async function revoke(key) {
    const done = await confirmed({
      title: `Revoke the key ${key.label || key.id}?`, words: MEANS[key.kind] ?? "It is good for nothing from now on.", button: "Revoke",
      act: () => office.revokeKey(key.id),
    });
    if (!done) return;
    toast("Revoked");
    await load().catch((error) => toast(error.message, { bad: true }));
    draw();
  }

  /** @param {Key} key */
  const use = ({ kind: of, scopes, uses_left: uses }) => {
    if (of === "personal") return ` may ${scopes.join(", ")}`;
    return of === "enrolment" && uses !== null ? ` for ${uses} more` : "";
  };

  /** @param {number} ms */
  const moment = (ms) => html`<span title=${dateTime(ms)}>${ago((clock.now() - ms) / 1000)}</span>`;

  /** @param {Key} key */
  const row = (key) => [
    html`${KINDS[key.kind] ?? key.kind}<span class="muted">${use(key)}</span>`,
    key.server ? html`<a href=${serverPath(key.server)}>${key.label || key.server}</a>` : key.label || html`<span class="muted">no label</span>`,
    html`<code>${key.id}</code>`,
    html`<span title=${dateTime(key.created)}>${day(key.created)}</span> <span class="muted">${key.created_by}</span>`,
    key.used ? moment(key.used) : html`<span class="muted">never</span>`,
    key.expires ? dateTime(key.expires).slice(0, 16) : html`<span class="muted">never</span>`,
    html`<button type="button" class="btn btn--small" @click=${() => revoke(key)}>Revoke…</button>`,
  ];

  function makeForm() {
    const problem = problemOf(making.problem, ["label"]);
    return html`<form class="form__row" @submit=${make}>
      ${textField({ name: "label", label: "What it is for", required: true, most: 100, problem: problem.field ? problem.words : "" })}
      <button class="btn btn--main" aria-disabled=${making.busy ? "true" : nothing}>Make a key</button>
    </form>${problemLine(problem.field ? "" : problem.words)}`;
  }

  return {
    load,
    content: () => html`
      ${dataTable("Agents and keys", ["Kind", "For", "Key", "Made", "Last used", "Ends", ""], keys?.map(row), "No key is good at this moment.")}
      <section><h2>Make an ingest key</h2>
        <p>With it programs send samples under any hostname that no agent's key has.</p>${makeForm()}
        <p class="hint">An agent needs none: “Add server” on the Servers page gives it a key of its own. Programs that read take one of “My tokens”.</p></section>`,
  };
}
