// @ts-check
/** The settings: which sections there are, and the one that the address names. */

import { confirmed } from "../dialog.js";
import { watchUnsaved } from "../unsaved.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import * as about from "./about.js";
import * as account from "./account.js";
import * as audit from "./audit.js";
import * as general from "./general.js";
import * as keys from "./keys.js";
import * as organisations from "./organisations.js";
import { createOffice } from "./office.js";
import { SECTIONS, sectionsFor } from "./sections.js";
import * as retention from "./retention.js";
import * as tokens from "./tokens.js";
import * as users from "./users.js";

/** @typedef {import("../app.js").Context} Context */
/** What a section is made of. @typedef {{context: Context, office: ReturnType<typeof createOffice>, draw: () => void, root: HTMLElement}} Desk */
/** @typedef {{content: () => unknown, load?: () => Promise<void>}} Shown */
/** @type {Record<string, {show: (desk: Desk) => Shown}>} */
const PAGES = { general, account, tokens, users, keys, retention, organisations, audit, about };

const LEAVE = {
  title: "Leave without saving?", words: "What you wrote here is not saved yet, and would be lost.", button: "Leave",
  act: async () => {},
};

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { router, session, setTitle } = context;
  const sections = sectionsFor(session);
  const wanted = router.route.id || sections[0].id;
  const section = sections.find(({ id }) => id === wanted);
  const office = createOffice(context.api);
  let problem = "";
  let isGone = false;
  setTitle(section ? `${section.label} · Settings` : "Settings");
  const shown = section && PAGES[section.id].show({ context, office, draw, root });

  const unsaved = watchUnsaved(root);
  router.askBeforeLeaving(() => (unsaved.isThere() ? confirmed(LEAVE) : null));

  const missing = () => html`<h1>Nothing here for you</h1>
    <p>${SECTIONS.some(({ id }) => id === wanted) ? "Your role may not see this section; ask an admin." : "There is no such section."}</p>`;

  function draw() {
    if (isGone) return;
    render(html`<div class="settings">
      <nav class="settings__nav" aria-label="Settings">
        ${sections.map(({ id, label }) => html`<a href=${`/settings/${id}`} aria-current=${id === wanted ? "page" : nothing}>${label}</a>`)}
      </nav>
      <div class="settings__content">
        ${section ? html`<h1>${section.label}</h1>` : missing()}
        ${problem ? html`<p class="problem" role="alert">${problem} <button type="button" class="btn btn--small" @click=${load}>Try again</button></p>` : nothing}
        ${shown?.content() ?? nothing}
      </div>
    </div>`, root);
  }

  async function load() {
    try {
      problem = "";
      await shown?.load?.();
    } catch (error) {
      problem = /** @type {Error} */ (error).message;
    }
    draw();
  }

  draw();
  root.querySelector(".settings__nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  await load();
  return {
    unmount() {
      isGone = true;
      unsaved.end();
      render(null, root);
    },
  };
}
