// @ts-check
/** The way to the OpenID provider, from the sign-in page, from an invitation and from the account. */

import { html, nothing } from "../vendor/lit-html.js";

/**
 * Leaves for the provider's page.
 * @param {ReturnType<typeof import("../form.js").createAttempt>} attempt
 * @param {() => Promise<string>} ask gives the address of that page
 */
export async function leaveFor(attempt, ask) {
  const url = await attempt.run(ask);
  if (url) location.assign(url);
}

/** @param {{name: string, busy: boolean, go: () => void}} provider `name` "" for none */
export const providerButton = ({ name, busy, go }) => name
  ? html`<p class="form__or">or</p>
    <button type="button" class="btn form__provider" aria-disabled=${busy ? "true" : nothing} @click=${go}>Continue with ${name}</button>`
  : nothing;
