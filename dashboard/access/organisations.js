// @ts-check
/** The organisations of this server, for those who run it. */

import { confirmed, openDialog } from "../dialog.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { day, MISSING } from "../format.js";
import { problemOf } from "../sentences.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { reachable } from "./office.js";
import { showOnce } from "./once.js";
import { dataTable } from "./table.js";

/** @typedef {import("./office.js").Tenant} Tenant */

const OWN = "default";
const ONCE = "Give it to the person: whoever opens it first makes the account. It is good once, for a day, and is shown only now.";

/**
 * Asks for one line of text in a dialog. @template T
 * @param {{title: string, words: string, field: Parameters<typeof textField>[0], button: string, act: (text: string) => Promise<T>}} question
 */
function asked({ title, words, field, button, act }) {
  const attempt = createAttempt(() => dialog.draw());
  const dialog = openDialog({
    label: "ask-title",
    content: () => {
      const problem = problemOf(attempt.problem, [field.name]);
      return html`<form class="ask__content" @submit=${send}>
        <h2 id="ask-title">${title}</h2>
        <p>${words}</p>
        ${textField({ ...field, problem: problem.field ? problem.words : "", required: true, first: true })}
        ${problemLine(problem.field ? "" : problem.words)}
        <div class="ask__answers">
          <button type="button" class="btn" @click=${() => dialog.close()}>Cancel</button>
          <button class="btn btn--main" aria-disabled=${attempt.busy ? "true" : nothing}>${button}</button>
        </div>
      </form>`;
    },
  });
  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault();
    const text = fieldsOf(event)[field.name];
    await attempt.run(() => act(text));
    if (attempt.problem) return focusFirst(dialog.node());
    dialog.close();
  }
}

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show({ context, office, draw, root }) {
  const { router, session } = context;
  const making = createAttempt(draw);
  /** @type {Tenant[] | null} */
  let tenants = null;
  let most = 0;
  const given = { id: "", name: "" };

  async function load() {
    ({ tenants, most } = await office.tenants());
  }

  /** Says what was done, and shows what is so now. @param {string} words */
  async function done(words) {
    toast(words);
    await load().catch(() => {});
    draw();
  }

  /** @param {SubmitEvent} event */
  async function make(event) {
    event.preventDefault();
    Object.assign(given, fieldsOf(event));
    const link = await making.run(() => office.makeTenant(given));
    if (!link) return focusFirst(root);
    showOnce({ title: `A link for the first owner of ${given.name}`, secret: reachable(link), words: ONCE });
    Object.assign(given, { id: "", name: "" });
    await load().catch(() => {});
    draw();
  }

  /** @param {Tenant} tenant */
  async function ownerLink({ id, name }) {
    try {
      showOnce({ title: `A link for the first owner of ${name}`, secret: reachable(await office.ownerLink(id)), words: `Earlier ones are void. ${ONCE}` });
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
  }

  /** @param {Tenant} tenant */
  const rename = ({ id, name }) => asked({
    title: `Another name for ${name}`, words: `Its id, ${id}, stays.`, button: "Rename",
    field: { name: "name", label: "Name", value: name, most: 64 },
    act: async (text) => {
      await office.changeTenant(id, { name: text });
      await session.load();
      await done("Saved");
    },
  });

  /** @param {Tenant} tenant */
  const visit = ({ id, name }) => asked({
    title: `Look into ${name}?`, button: "Look for an hour",
    words: "You see its servers and charts and change nothing. Your name and the reason stand in its audit log, and in that of your own organisation.",
    field: { name: "reason", label: "Reason", hint: "At least 10 characters; its people read it.", most: 200 },
    act: async (reason) => {
      await office.visit(id, reason);
      router.replace("/");
      await session.load();
    },
  });

  /** @param {Tenant} tenant */
  async function suspend({ id, name }) {
    const isDone = await confirmed({
      title: `Suspend ${name}?`, button: "Suspend", act: () => office.changeTenant(id, { suspended: true }),
      words: "Its people and keys are refused within a second. Nothing is lost: its agents keep their reports for a day.",
    });
    if (isDone) await done(`${name} is suspended`);
  }

  /** @param {Tenant} tenant */
  async function resume({ id, name }) {
    try {
      await office.changeTenant(id, { suspended: false });
      await done(`${name} goes on`);
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
  }

  /** @param {Tenant} tenant */
  async function remove({ id, name, servers, people }) {
    const isDone = await confirmed({
      title: `Delete ${name}?`, button: "Delete for good", typed: id, act: () => office.deleteTenant(id),
      words: `Its ${servers} ${servers === 1 ? "server" : "servers"} with all samples, its keys, and the accounts of its ${people} people who belong to no other organisation are gone within a minute. This cannot be undone.`,
    });
    if (isDone) await done(`${name} is being deleted`);
  }

  /** @param {string} words @param {() => unknown} act */
  const button = (words, act) => html`<button type="button" class="btn btn--small" @click=${act}>${words}</button>`;

  /** @param {Tenant} tenant */
  function acts(tenant) {
    if (tenant.deleting) return nothing;
    return html`${button("Rename…", () => rename(tenant))}
      ${tenant.people ? nothing : button("Owner's link…", () => ownerLink(tenant))}
      ${tenant.id in (session.state?.tenants ?? {}) ? nothing : button("Look into…", () => visit(tenant))}
      ${tenant.id === OWN ? nothing : html`
        ${tenant.suspended ? button("Resume", () => resume(tenant)) : button("Suspend…", () => suspend(tenant))}
        ${button("Delete…", () => remove(tenant))}`}`;
  }

  /** @param {Tenant} tenant */
  const row = (tenant) => [
    html`<b>${tenant.name}</b> <span class="muted">${tenant.id}</span>`,
    tenant.deleting ? html`<span class="tag tag--warn">Being deleted</span>`
      : tenant.suspended ? html`<span class="tag tag--warn">Suspended</span>` : "Active",
    html`${tenant.servers} <span class="muted">of ${most}</span>`,
    tenant.people,
    tenant.created ? day(tenant.created) : MISSING,
    acts(tenant),
  ];

  function content() {
    const problem = problemOf(making.problem, ["tenant", "name"]);
    return html`
      <p>Each organisation sees only its own servers, people and keys. You run this server for all of them, and see nothing of theirs unless you look into one.</p>
      ${dataTable("Organisations", ["Name", "State", "Servers", "People", "Since", ""], tenants?.map(row))}
      <section><h2>A new organisation</h2>
        <form class="form settings__form" @submit=${make}>
          ${textField({ name: "name", label: "Name", value: given.name, most: 64, required: true, problem: problem.field === "name" ? problem.words : "" })}
          ${textField({
            name: "id", label: "Id", value: given.id, most: 40, required: true, problem: problem.field === "tenant" ? problem.words : "",
            hint: "Small letters, digits and hyphens; it stays, and stands in commands.",
          })}
          ${problemLine(problem.field ? "" : problem.words)}
          <button class="btn btn--main" aria-disabled=${making.busy ? "true" : nothing}>Make it, and a link for its owner</button>
        </form></section>`;
  }
  return { load, content };
}
