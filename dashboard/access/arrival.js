// @ts-check
/** Where the provider sends a browser back to: it signs in, or says why not. */

import { html, render } from "../vendor/lit-html.js";
import { createOffice } from "./office.js";

/** What the provider says, once: nobody who sees the address, or goes Back, gets it. */
function takeAnswer() {
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  const [state, code, error] = ["state", "code", "error"].map((name) => query.get(name) ?? "");
  return { state, code, error };
}

/** @param {HTMLElement} root @param {import("../app.js").Context} context */
export async function mount(root, { api, router, session, setTitle }) {
  const office = createOffice(api);
  const answer = takeAnswer();
  const wasSignedIn = session.state?.signed_in ?? false;
  let refused = "";
  let isGone = false;
  setTitle("Sign in");

  async function arrive() {
    if (!answer.state) throw new Error("There is nothing to do here any more; begin again on the sign-in page.");
    const to = await office.arrive(answer);
    router.replace(to);
    await session.load(); // another person brings the page of that address
    if (!isGone) router.goInstead(to);
  }

  function draw() {
    render(html`<div class="gate"><div class="card form">
      <h1>${refused ? "This did not work" : wasSignedIn ? "Linking your account" : "Signing in"}</h1>
      ${refused ? html`<p class="problem" role="alert">${refused}</p>
          <a class="btn btn--main" href=${wasSignedIn ? "/settings/account" : "/"}>Back</a>`
        : html`<p role="status">One moment…</p>`}
    </div></div>`, root);
  }

  draw();
  void arrive().catch((error) => {
    if (isGone) return;
    refused = error.message;
    draw();
  });
  return {
    unmount() {
      isGone = true;
      render(null, root);
    },
  };
}
