// @ts-check
/** Where links lead: the first account in front of this machine's charts, an invitation, a new password. */

import { inBackground } from "../background.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import { serverPath } from "../router.js";
import { problemOf } from "../sentences.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { createOffice } from "./office.js";
import { plainHttpNotice } from "./plain-http.js";
import * as signIn from "./sign-in.js";
import { leaveFor, providerButton } from "./provider.js";

/** @typedef {import("../app.js").Context} Context */

const FIELDS = ["name", "password"];
const LOOK_AGAIN_MS = 1000;
/** @type {Record<string, {title: string, words: string, button: string}>} */
const KINDS = {
  setup: {
    title: "Welcome to Hostpulse", words: "This machine is already being watched. Make the account that owns this server; it can invite others.",
    button: "Create the account",
  },
  invite: { title: "You are invited", words: "Choose a name and a password.", button: "Create the account" },
  reset: { title: "New password", words: "Your other sessions end with it.", button: "Set the password" },
};

/** The secret of the link, still here when somebody has signed in meanwhile. */
let token = "";

/** Takes the secret out of the address: nobody who sees it, or goes Back, gets it. */
function takeToken() {
  token = location.hash.slice(1) || token;
  if (location.hash) history.replaceState(null, "", location.pathname);
}

/** Shows the page of the first server there is, once there is one. @param {HTMLElement} root @param {Context} context @param {AbortSignal} signal */
async function showCharts(root, context, signal) {
  const { servers, now } = await context.api.servers({ signal });
  const [first] = servers;
  if (!first?.id) {
    setTimeout(() => signal.aborted || showCharts(root, context, signal).catch(() => {}), LOOK_AGAIN_MS);
    return;
  }
  context.clock.sync(now);
  const { mount } = await import("../pages/server.js");
  if (signal.aborted) return;
  // It is only looked at: the address stays that of the welcome.
  const router = { ...context.router, route: { name: "server", id: first.id }, query: new URLSearchParams(), setQuery() {}, go() {} };
  const page = await mount(root, /** @type {any} */ ({ ...context, router, setTitle() {} }));
  root.dataset.server = first.id;
  if (signal.aborted) page.unmount();
  else signal.addEventListener("abort", () => page.unmount());
}

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { api, router, session, setTitle } = context;
  const office = createOffice(api);
  takeToken();
  const attempt = createAttempt(draw);
  const ending = new AbortController();
  let about = { kind: "", name: "", tenant: "", role: "" };
  /** Why the link is good for nothing. */
  let refused = "";
  let name = "";
  render(html`<div data-behind inert></div><div data-front></div>`, root);
  const behind = /** @type {HTMLElement} */ (root.querySelector("[data-behind]"));
  const front = /** @type {HTMLElement} */ (root.querySelector("[data-front]"));
  setTitle("Welcome");

  async function begin() {
    if (!token) {
      refused = "Open the whole link that you were given, with what stands after the #.";
      return;
    }
    try {
      about = await office.aboutLink(token);
      if (!(about.kind in KINDS)) throw new Error("This link is of a kind that this page does not know; reload it.");
      if (about.kind !== "setup") return;
      await office.look(token);
      await session.load();
      void showCharts(behind, context, inBackground(ending.signal)).catch(() => {}); // the form does not need them
    } catch (error) {
      refused = /** @type {Error} */ (error).message;
    }
  }

  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault();
    const given = fieldsOf(event);
    name = given.name ?? "";
    if (given.password !== given.again) return attempt.run(async () => { throw new Error("again: is not the same password."); }).then(focus);
    const needsCode = await attempt.run(() => office.useLink({ token, name, password: given.password }));
    if (needsCode === undefined) return focus();
    if (needsCode) {
      await session.load(); // so that the sign-in page begins with the code
      return router.go("/");
    }
    router.replace(behind.dataset.server ? serverPath(behind.dataset.server) : "/");
    await session.load();
  }

  const goToProvider = () => leaveFor(attempt, () => office.departure({ to: "/", link: token }));
  const focus = () => focusFirst(front);

  /** @param {{title: string, words: string, button: string}} kind */
  function form({ title, words, button }) {
    const problem = problemOf(attempt.problem, [...FIELDS, "again"]);
    const at = (/** @type {string} */ field) => (problem.field === field ? problem.words : "");
    return html`<form class="form" @submit=${send}>
      <h1 id="welcome-title">${title}</h1>
      <p>${words}</p>
      ${plainHttpNotice(session.state)}
      ${about.kind === "reset"
        ? html`<p>For <b>${about.name}</b>.</p><input type="text" name="name" autocomplete="username" hidden .value=${about.name}>`
        : textField({ name: "name", label: "Name", value: name, problem: at("name"), autocomplete: "username", required: true, first: true, most: 64 })}
      ${textField({
        name: "password", label: "Password", type: "password", problem: at("password"), autocomplete: "new-password", required: true,
        hint: "At least 10 characters; a short sentence is good.", first: about.kind === "reset",
      })}
      ${textField({ name: "again", label: "Password again", type: "password", problem: at("again"), autocomplete: "new-password", required: true })}
      ${problemLine(problem.field ? "" : problem.words)}
      <button class="btn btn--main" aria-disabled=${attempt.busy ? "true" : nothing}>${attempt.busy ? "One moment…" : button}</button>
      ${about.kind === "reset" ? nothing : providerButton({ name: session.state?.provider ?? "", busy: attempt.busy, go: goToProvider })}
      ${accountHint() || nothing}
    </form>`;
  }

  async function join() {
    const done = await attempt.run(() => office.join(token));
    if (done === undefined) return;
    token = "";
    router.replace("/");
    await session.load();
  }

  /** Signs in here, and comes back to the invitation. */
  async function signInFirst() {
    ending.abort();
    render(html`<div></div>`, root);
    await signIn.mount(/** @type {HTMLElement} */ (root.firstElementChild), context);
  }

  const isMember = () => about.kind === "invite" && Boolean(session.state?.signed_in && session.state.name);

  const joining = () => html`<div class="form">
    <h1 id="welcome-title">Join ${about.tenant}?</h1>
    <p>You are signed in as <b>${session.state?.name}</b> and become ${about.role === "viewer" ? "a" : "an"} <b>${about.role}</b> of ${about.tenant}.
      Your account menu goes from one organisation to the other.</p>
    ${problemLine(attempt.problem)}
    <button type="button" class="btn btn--main" autofocus aria-disabled=${attempt.busy ? "true" : nothing} @click=${join}>Join as ${session.state?.name}</button>
    <a class="btn" href="/">Not now</a></div>`;

  const accountHint = () => about.kind === "invite" && html`<p class="hint">Have an account here already?
    <button type="button" class="btn btn--small" @click=${signInFirst}>Sign in and join</button></p>`;

  const overWords = () => html`<div class="form"><h1 id="welcome-title">This link does not work</h1>
    <p role="alert">${refused}</p><a class="btn btn--main" href="/">Sign in</a></div>`;

  function draw() {
    const kind = KINDS[about.kind];
    const content = refused ? overWords() : isMember() ? joining() : kind ? form(kind) : html`<div class="form"><p role="status">Looking at the link…</p></div>`;
    const isInFront = about.kind === "setup" && !refused;
    render(isInFront
      ? html`<dialog class="ask ask--front" aria-labelledby="welcome-title" @cancel=${(/** @type {Event} */ event) => event.preventDefault()}>${content}</dialog>`
      : html`<div class="gate"><div class="card">${content}</div></div>`, front);
    const dialog = front.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
  }

  draw();
  void begin().then(() => {
    if (ending.signal.aborted) return;
    draw();
    focus();
  });
  return {
    unmount() {
      ending.abort();
      render(null, root);
    },
  };
}
