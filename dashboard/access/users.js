// @ts-check
/** The people of this organisation: who, in which role, and how somebody new comes in. */

import { ago, clockTime, dateTime, day } from "../format.js";
import { confirmed } from "../dialog.js";
import { choiceField, createAttempt, fieldsOf, problemLine } from "../form.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";
import { reachable } from "./office.js";
import { showOnce } from "./once.js";
import { dataTable } from "./table.js";

/** @typedef {import("./office.js").Person} Person */
/** @typedef {import("./office.js").OpenLink} OpenLink */

export const ROLES = /** @type {const} */ ([
  ["viewer", "Viewer: sees servers and metrics"],
  ["editor", "Editor: also changes rules and silences"],
  ["admin", "Admin: also manages servers, keys and people"],
  ["owner", "Owner: also makes and changes owners"],
]);

/** @param {import("./settings.js").Desk} desk @returns {import("./settings.js").Shown} */
export function show({ context, office, draw }) {
  const { clock, session } = context;
  const me = session.state?.name;
  const inviting = createAttempt(draw);
  /** @type {Person[] | null} */
  let people = null;
  /** @type {OpenLink[]} */
  let links = [];
  /** Roles that were chosen and not yet saved, by person. @type {Map<string, string>} */
  const chosen = new Map();
  const mine = ROLES.filter(([role]) => role !== "owner" || session.state?.role === "owner");

  async function load() {
    [people, links] = await Promise.all([office.people(), office.openLinks()]);
  }

  /** Shows what is so now, and says what was done. @param {string} words */
  async function tell(words, bad = false) {
    await load().catch(() => {}); // the sentence says enough
    draw();
    toast(words, { bad });
  }

  /** Does it, and tells how that went. @param {() => Promise<unknown>} act @param {string} words */
  async function attempt(act, words) {
    const problem = await act().then(() => null, (/** @type {Error} */ error) => error.message);
    await tell(problem ?? words, problem !== null);
  }

  /** @param {SubmitEvent} event */
  async function invite(event) {
    event.preventDefault();
    const { role } = fieldsOf(event);
    const link = await inviting.run(() => office.invite(role));
    if (!link) return;
    showOnce({
      title: `A link for a new ${role}`, secret: reachable(link),
      words: "Give it to the person: whoever opens it first makes the account. It is good once, for a day, and is shown only now.",
    });
    await load().catch(() => {});
    draw();
  }

  /** @param {Person} person */
  async function reset(person) {
    try {
      const link = await office.resetLink(person.id);
      showOnce({
        title: `A link for ${person.name}`, secret: reachable(link),
        words: "With it they set a new password. It is good once, for a day, and is shown only now. Until then the old password stays.",
      });
    } catch (error) {
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
  }

  /** @param {Person} person */
  async function removeSecondFactor(person) {
    const done = await confirmed({
      title: `Switch off the second factor of ${person.name}?`, button: "Switch off", act: () => office.removeSecondFactor(person.id),
      words: "Do this when they lost the app and the recovery codes, and you are sure that it is them who asks. Their password is then enough, and they are signed out everywhere.",
    });
    if (done) await tell(`The second factor of ${person.name} is off`);
  }

  /** @param {Person} person */
  async function remove(person) {
    const done = await confirmed({
      title: `Remove ${person.name}?`, button: "Remove", typed: person.name, act: () => office.changePerson(person.id, { role: "" }),
      words: "They are signed out and do not belong to this organisation any more.",
    });
    if (done) await tell(`${person.name} is removed`);
  }

  /** @param {Person} person */
  function roleCell(person) {
    const role = chosen.get(person.id) ?? person.role;
    const choices = mine.some(([known]) => known === person.role) ? mine : ROLES.filter(([known]) => known === person.role);
    const choose = (/** @type {any} */ event) => {
      chosen.set(person.id, event.target.value);
      draw();
    };
    const save = () => attempt(async () => {
      await office.changePerson(person.id, { role });
      chosen.delete(person.id);
    }, "Saved");
    return html`<span class="data__choice"><select class="field" aria-label=${`Role of ${person.name}`} @change=${choose}>
        ${choices.map(([known, words]) => html`<option value=${known} ?selected=${known === role}>${words.split(":")[0]}</option>`)}
      </select>${role !== person.role ? html`<button type="button" class="btn btn--small btn--main" @click=${save}>Save</button>` : nothing}</span>`;
  }

  /** @param {Person} person */
  const row = (person) => [
    html`<b>${person.name}</b>${person.name === me ? html` <span class="muted">you</span>` : nothing}${person.operator ? html` <span class="tag">Operator</span>` : nothing}`,
    roleCell(person),
    person.disabled ? html`<span class="tag tag--warn">Disabled</span>` : "Active",
    person.second_factor ? "On" : html`<span class="muted">Off</span>`,
    person.seen ? html`<span title=${dateTime(person.seen)}>${ago((clock.now() - person.seen) / 1000)}</span>` : html`<span class="muted">Not lately</span>`,
    day(person.created),
    person.name === me ? nothing : html`
      <button type="button" class="btn btn--small" @click=${() => reset(person)}>New password…</button>
      ${person.second_factor && session.may("own")
        ? html`<button type="button" class="btn btn--small" @click=${() => removeSecondFactor(person)}>Second factor off…</button>` : nothing}
      <button type="button" class="btn btn--small" @click=${() => attempt(() => office.changePerson(person.id, { disabled: !person.disabled }),
        person.disabled ? `${person.name} may sign in again` : `${person.name} is disabled and signed out`)}>${person.disabled ? "Enable" : "Disable"}</button>
      <button type="button" class="btn btn--small" @click=${() => remove(person)}>Remove…</button>`,
  ];

  /** @param {OpenLink} link */
  const linkRow = (link) => [
    link.kind === "reset" ? html`A new password for <b>${link.person}</b>` : `Somebody new, as ${link.role}`,
    link.made_by || html`<span class="muted">The command line</span>`,
    clockTime(link.expires),
    html`<button type="button" class="btn btn--small" @click=${() => attempt(() => office.withdrawLink(link.id), "Withdrawn")}>Withdraw</button>`,
  ];

  return {
    load,
    content: () => html`
      ${dataTable("Users", ["Name", "Role", "State", "Second factor", "Last seen", "Since", ""], people?.map(row))}
      ${links.length ? html`<section><h2>Links that are open</h2>
        ${dataTable("Links that are open", ["For", "Made by", "Good until", ""], links.map(linkRow))}</section>` : nothing}
      <section><h2>Invite somebody</h2>
        <form class="form__row" @submit=${invite}>
          ${choiceField({ name: "role", label: "As", value: "viewer", choices: mine })}
          <button class="btn btn--main" aria-disabled=${inviting.busy ? "true" : nothing}>Make a link</button>
        </form>
        ${problemLine(inviting.problem)}</section>`,
  };
}
