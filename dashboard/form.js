// @ts-check
/** What forms have in common: fields with their problem beside them, and one attempt at a time. */

import { html, keyed, nothing } from "./vendor/lit-html.js";

/** @typedef {{busy: boolean, problem: string}} Attempt */

/** Sends a form and keeps what came of it; while it is on its way nothing is sent again. @param {() => void} onChange */
export function createAttempt(onChange) {
  /** @type {Attempt} */
  let state = { busy: false, problem: "" };
  const set = (/** @type {Attempt} */ next) => {
    state = next;
    onChange();
  };
  return {
    get busy() {
      return state.busy;
    },
    get problem() {
      return state.problem;
    },

    /** Forgets what went wrong, as something else is asked now. */
    clear: () => set({ ...state, problem: "" }),

    /** @template T @param {() => Promise<T>} send @returns {Promise<T | undefined>} what it gave; undefined where there is a problem */
    async run(send) {
      if (state.busy) return undefined;
      set({ busy: true, problem: "" });
      try {
        const given = await send();
        set({ busy: false, problem: "" });
        return given;
      } catch (error) {
        set({ busy: false, problem: /** @type {Error} */ (error).message });
        return undefined;
      }
    },
  };
}

/** @param {string} words */
export const problemLine = (words) => html`<p class="problem" role="alert">${words || nothing}</p>`;

/**
 * A labelled field; its problem is read out with it.
 * @param {object} field
 * @param {string} field.name
 * @param {string} field.label
 * @param {string} [field.type]
 * @param {string} [field.value]
 * @param {string} [field.hint]
 * @param {string} [field.problem]
 * @param {string} [field.autocomplete]
 * @param {string} [field.placeholder]
 * @param {"numeric" | "text"} [field.keys] the keyboard of a phone
 * @param {number} [field.most] characters
 * @param {boolean} [field.required]
 * @param {boolean} [field.first] takes the focus when its form appears
 */
export function textField({ name, label, type = "text", value = "", hint = "", problem = "", autocomplete = "off", placeholder = "", keys, most, required = false, first = false }) {
  const words = problem ? `${name}-problem` : hint ? `${name}-hint` : nothing;
  // keyed: where another field takes the place, what was typed, a password perhaps, does not go on into it
  return keyed(`${name} ${label}`, html`<div class="form__field">
    <label for=${name}>${label}</label>
    <input class="field" id=${name} name=${name} type=${type} .value=${value} placeholder=${placeholder} autocomplete=${autocomplete}
      autocapitalize="none" spellcheck="false" inputmode=${keys ?? nothing} maxlength=${most ?? nothing} ?required=${required} ?autofocus=${first}
      aria-invalid=${problem ? "true" : nothing} aria-describedby=${words}>
    ${hint && !problem ? html`<p class="hint" id=${`${name}-hint`}>${hint}</p>` : nothing}
    ${problem ? html`<p class="problem" id=${`${name}-problem`} role="alert">${problem}</p>` : nothing}
  </div>`);
}

/**
 * @param {{name: string, label: string, value: string, choices: readonly (readonly [string, string])[], onChange?: (event: Event) => void}} field
 */
export const choiceField = ({ name, label, value, choices, onChange }) => html`<div class="form__field">
    <label for=${name}>${label}</label>
    <select class="field" id=${name} name=${name} @change=${onChange ?? nothing}>
      ${choices.map(([key, words]) => html`<option value=${key} ?selected=${key === value}>${words}</option>`)}
    </select>
  </div>`;

/** What is in a form's fields. @param {Event} event of the form, or of something in it @returns {Record<string, string>} */
export function fieldsOf(event) {
  const target = /** @type {HTMLElement} */ (event.currentTarget);
  const form = /** @type {HTMLFormElement} */ (target.closest("form"));
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
}

/** The first field that has a problem, or the first of all, takes the focus. @param {HTMLElement} root */
export function focusFirst(root) {
  const wanted = root.querySelector("[aria-invalid=true]") ?? root.querySelector("[autofocus]");
  /** @type {HTMLElement | null} */ (wanted)?.focus();
}
