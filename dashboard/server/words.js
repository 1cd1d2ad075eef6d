// @ts-check
/** The dialog in which people say what a server is called, its tags, and what one should know of it. */

import { openDialog } from "../dialog.js";
import { createAttempt, fieldsOf, focusFirst, problemLine, textField } from "../form.js";
import { problemOf, tagsOf } from "../sentences.js";
import { toast } from "../toast.js";
import { html, nothing } from "../vendor/lit-html.js";

const LONGEST_NOTE = 2000;

/**
 * @param {{row: import("../decode.js").Server, reported: string[]}} server
 * @param {{api: import("../app.js").Context["api"], onChange: (row: import("../decode.js").Server) => void}} page
 */
export function openWords({ row, reported }, { api, onChange }) {
  const attempt = createAttempt(() => dialog.draw());
  let said = { name: row.name ?? "", tags: row.tags.filter((tag) => !reported.includes(tag)).join(", "), note: row.note ?? "" };

  /** @param {SubmitEvent} event */
  async function send(event) {
    event.preventDefault();
    said = /** @type {typeof said} */ (fieldsOf(event));
    const words = { name: said.name.trim(), tags: tagsOf(said.tags), note: said.note.trim() };
    const changed = await attempt.run(() => api.say(row.id, words));
    if (!changed) return focusFirst(dialog.node());
    dialog.close();
    toast("Saved");
    onChange(changed);
  }

  function content() {
    const problem = problemOf(attempt.problem, ["name", "tags", "note"]);
    const at = (/** @type {string} */ field) => (problem.field === field ? problem.words : "");
    const sent = reported.length ? ` Its agent sends: ${reported.join(", ")}.` : "";
    return html`<form class="form" @submit=${send}>
      <h2 id="words-title">Name, tags and note</h2>
      ${textField({ name: "name", label: "Name", value: said.name, placeholder: row.hostname, problem: at("name"), most: 255, first: true, hint: "Empty: the name it has itself." })}
      ${textField({ name: "tags", label: "Tags", value: said.tags, placeholder: "prod, region:fra", problem: at("tags"), hint: `With commas between them.${sent}` })}
      <div class="form__field"><label for="note">Note</label>
        <textarea class="field" id="note" name="note" rows="4" maxlength=${LONGEST_NOTE} .value=${said.note}></textarea></div>
      ${problemLine(problem.field ? "" : problem.words)}
      <div class="ask__answers">
        <button type="button" class="btn" @click=${() => dialog.close()}>Cancel</button>
        <button class="btn btn--main" aria-disabled=${attempt.busy ? "true" : nothing}>Save</button>
      </div>
    </form>`;
  }

  const dialog = openDialog({ label: "words-title", content });
}
