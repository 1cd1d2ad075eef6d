// @ts-check
/** What one likes better, in this browser. */

import { choiceField, fieldsOf } from "../form.js";
import { preference, savePreference, ZONE } from "../preferences.js";
import { toast } from "../toast.js";
import { html } from "../vendor/lit-html.js";

const THEMES = /** @type {const} */ ([["system", "As the system"], ["light", "Light"], ["dark", "Dark"]]);
const ZONES = /** @type {const} */ ([["local", "Local time"], ["utc", "UTC"]]);
const FORBIDDEN = "This browser keeps nothing for this page, so the choice cannot be saved.";

/** @returns {import("./settings.js").Shown} */
export function show() {
  /** @param {SubmitEvent} event */
  function save(event) {
    event.preventDefault();
    const { theme, zone } = fieldsOf(event);
    const saved = savePreference("theme", theme) && savePreference(ZONE, zone);
    document.documentElement.dispatchEvent(new Event("themechoice"));
    toast(saved ? "Saved" : FORBIDDEN, { bad: !saved });
  }
  return {
    content: () => html`<form class="form settings__form" @submit=${save}>
      <p class="muted">These are yours, in this browser.</p>
      ${choiceField({ name: "theme", label: "Theme", value: preference("theme", "system"), choices: THEMES })}
      ${choiceField({ name: "zone", label: "Times on charts", value: preference(ZONE, "local"), choices: ZONES })}
      <div><button class="btn btn--main">Save</button></div>
    </form>`,
  };
}
