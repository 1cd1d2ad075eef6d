// @ts-check
/** The menu of the person who is signed in; without sign-in only the way to the settings. */

import { icon } from "./icons.js";
import { closeMenus } from "./menus.js";
import { toast } from "./toast.js";
import { html, nothing, render } from "./vendor/lit-html.js";

/** @typedef {import("./app.js").Context} Context */
/** @typedef {import("./decode.js").Session} Session */

/** @param {Session} state @param {(tenant: string) => void} onSwitch */
function organisations({ tenants, tenant }, onSwitch) {
  const all = Object.entries(tenants);
  if (all.length < 2) return nothing;
  return html`<fieldset><legend class="menu__title">Organisation</legend>
    ${all.map(([id, name]) => html`<button
      type="button" class="menu__choice" aria-pressed=${id === tenant ? "true" : "false"} @click=${() => onSwitch(id)}
    ><span class="account__here">${id === tenant ? icon("check") : nothing}</span>${name}</button>`)}
  </fieldset>`;
}

/** @param {Session} state @param {{onSwitch: (tenant: string) => void, onSignOut: () => void}} actions */
const menu = (state, { onSwitch, onSignOut }) => html`
  <details class="menu account-menu">
    <summary class="icon-btn" aria-label=${`Account of ${state.name}`} title=${state.name}>${icon("person")}</summary>
    <div class="menu__panel">
      <p class="account__who"><b>${state.name}</b> <span class="muted">${state.role}</span></p>
      ${organisations(state, onSwitch)}
      <a class="menu__choice" href="/settings/account">My account</a>
      <a class="menu__choice account__settings" href="/settings">Settings</a>
      <button type="button" class="menu__choice" @click=${onSignOut}>Sign out</button>
    </div>
  </details>`;

const settingsLink = () =>
  html`<a class="icon-btn account__settings" href="/settings" aria-label="Settings" title="Settings">${icon("settings")}</a>`;

/** @param {Context} context */
export function startAccount({ router, session }) {
  const root = /** @type {HTMLElement} */ (document.getElementById("account"));

  /** @param {() => Promise<void>} change what makes another person, or organisation, of this one */
  async function attempt(change) {
    const before = location.pathname + location.search;
    router.replace("/");
    try {
      await change();
    } catch (error) {
      router.replace(before);
      toast(/** @type {Error} */ (error).message, { bad: true });
    }
  }
  const actions = {
    onSignOut: () => attempt(() => session.leave()),
    onSwitch: (/** @type {string} */ tenant) => attempt(() => session.switchTo(tenant)),
  };

  function draw() {
    const { state } = session;
    const isSignedIn = Boolean(state?.signed_in && state.name);
    render(isSignedIn && state ? menu(state, actions) : session.needsSignIn() ? nothing : settingsLink(), root);
  }
  root.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a, button")) root.querySelector("details")?.removeAttribute("open");
  });
  closeMenus(root);
  session.subscribe(draw);
}
