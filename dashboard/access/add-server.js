// @ts-check
/** The dialog that gives the command for a new server and waits until that server is there. */

import { copyable } from "../copy.js";
import { bytes, clockTime, percent } from "../format.js";
import { icon } from "../icons.js";
import { serverPath } from "../router.js";
import { problemOf, tagsOf } from "../sentences.js";
import { nameOf } from "../status.js";
import { html, nothing } from "../vendor/lit-html.js";
import { openDialog } from "../dialog.js";
import { choiceField, createAttempt, fieldsOf, problemLine, textField } from "../form.js";
import { createOffice, reachable } from "./office.js";
import { plainHttpNotice } from "./plain-http.js";
import { stopwatch } from "./stopwatch.js";

/** @typedef {import("../decode.js").Server} Server */

const MINUTE_MS = 60_000;
const ASK_MS = 2000;
const LONG_MS = 2 * MINUTE_MS;
const LIVES = /** @type {const} */ ([["60", "an hour"], ["15", "15 minutes"]]);

/** @param {Server} server */
function firstSample(server) {
  const parts = [`CPU ${percent(server.cpu_percent_total)}`];
  if (server.memory_total) parts.push(`${bytes(server.memory_total)} RAM`);
  return `First sample: ${parts.join(", ")}.`;
}

/** @param {string} url @param {string} token */
const commands = (url, token) => ({
  install: `curl -fsSL ${url}/install.sh | sudo sh -s -- --token ${token}`,
  enrol: `sudo hostpulse-agent enrol ${url} ${token}`,
});

/** @param {import("../app.js").Context} context @param {() => void} [onClose] */
export function openAddServer({ api, clock, live, router, session, store }, onClose = () => {}) {
  const office = createOffice(api);
  const attempt = createAttempt(draw);
  let tags = "";
  let minutes = "60";
  /** @type {{id: string, url: string, token: string, until: number, since: number} | null} */
  let made = null;
  let refused = "";
  /** The id of the server that came by the command, "" before. */
  let came = "";
  const dialog = openDialog({ label: "add-title", wide: true, content, onClose: ended });
  const ends = [store.subscribe(draw)];
  const tick = setInterval(draw, 1000);
  const ask = setInterval(askWhatBecame, ASK_MS);
  void make();

  function ended() {
    clearInterval(tick);
    clearInterval(ask);
    for (const end of ends) end();
    onClose();
  }

  async function make() {
    const wanted = { minutes: Number(minutes), uses: 1, tags: tagsOf(tags) };
    const given = await attempt.run(() => office.makeEnrolment(wanted));
    if (!given) return;
    const now = clock.now();
    refused = came = "";
    made = { id: given.id, url: reachable(given.url), token: given.token, since: now, until: now + wanted.minutes * MINUTE_MS };
    draw();
    /** @type {HTMLElement | null} */ (dialog.node().querySelector(".command button"))?.focus();
    void live.refreshNow();
  }

  async function askWhatBecame() {
    if (!made || came || clock.now() >= made.until) return;
    const { id } = made;
    const became = await office.enrolment(id).catch((error) => ({ servers: [], refused: error.status === 404 ? error.message : refused }));
    if (made.id !== id) return; // another command was made meanwhile
    refused = became.refused;
    came = became.servers[0] ?? "";
    if (came) void live.refreshNow();
    draw();
  }

  /** @param {SubmitEvent} event */
  function again(event) {
    event.preventDefault();
    ({ tags, minutes } = /** @type {any} */ (fieldsOf(event)));
    void make();
  }

  /** @param {Event} event @param {string} id */
  function open(event, id) {
    event.preventDefault();
    dialog.close();
    router.go(serverPath(id));
  }

  /** @param {string} url */
  const checklist = (url) => html`<ul class="hint">
    <li>Does the new server reach this one? <code>curl -I ${url}</code></li>
    <li>What does its agent say? <code>journalctl -u hostpulse-agent -n 20</code></li>
    <li>Is its clock right?</li>
  </ul>`;

  /** @param {NonNullable<typeof made>} of */
  function waiting(of) {
    const now = clock.now();
    const server = store.get().servers.get(came);
    if (server?.last_seen !== undefined) {
      return html`<p class="add__state" data-state="up">${icon("up")}<span><b>${nameOf(server)}</b> is up. ${firstSample(server)}</span></p>
        <div class="ask__answers">
          <button type="button" class="btn" @click=${make}>Add another</button>
          <a class="btn btn--main" href=${serverPath(server.id)} @click=${(/** @type {Event} */ event) => open(event, server.id)}>Open ${nameOf(server)}</a>
        </div>`;
    }
    if (server) return html`<p class="add__state" data-state="waiting">${icon("waiting")}<span><b>${nameOf(server)}</b> enrolled. Waiting for its first sample…</span></p>`;
    if (now >= of.until) return html`<p class="problem">This command is over: nobody used it in time. Make a new one below.</p>`;
    if (live.state.failures) return html`<p class="problem">${live.state.error?.message ?? ""} Asking again…</p>`;
    if (refused) return html`<p class="problem">Somebody came with this command and was sent away: ${refused}</p>`;
    return html`<p class="add__state" data-state="waiting">${icon("waiting")}<span>Waiting for the first sample…
        <span aria-hidden="true">${stopwatch(now - of.since)}</span></span></p>
      ${now - of.since > LONG_MS ? checklist(of.url) : nothing}`;
  }

  /** @param {NonNullable<typeof made>} of */
  function steps(of) {
    const { install, enrol } = commands(of.url, of.token);
    return html`
      <p>Run this on the server, as somebody who may use sudo:</p>
      ${copyable(install, "the command")}
      <details><summary>The agent is installed already</summary>
        <div class="add__manual">${copyable(enrol, "the command for an installed agent")}</div></details>
      <p class="hint">Good for one server, until ${clockTime(of.until)}. It is shown only here.</p>
      <div class="add__live" aria-live="polite">${waiting(of)}</div>`;
  }

  function content() {
    const problem = problemOf(attempt.problem, ["tags", "minutes"]);
    return html`<div class="ask__content">
      <div class="ask__head"><h2 id="add-title">Add a server</h2>
        <button type="button" class="icon-btn" aria-label="Close" @click=${() => dialog.close()}>${icon("close")}</button></div>
      ${plainHttpNotice(session.state)}
      ${made ? steps(made) : attempt.busy ? html`<p class="muted" role="status">Making a command…</p>` : nothing}
      <form class="form__row add__options" @submit=${again}>
        ${textField({ name: "tags", label: "Tags", value: tags, placeholder: "prod, web", problem: problem.field === "tags" ? problem.words : "" })}
        ${choiceField({ name: "minutes", label: "Good for", value: minutes, choices: LIVES })}
        <button class="btn" aria-disabled=${attempt.busy ? "true" : nothing}>Make a new command</button>
      </form>
      ${problemLine(problem.field ? "" : problem.words)}
    </div>`;
  }

  function draw() {
    dialog?.draw();
  }
}
