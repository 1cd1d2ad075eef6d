// @ts-check
/** What was typed into the forms of a page and not sent yet. */

/** @param {HTMLFormElement} form */
const written = (form) => JSON.stringify([...new FormData(form)]);

/** @param {HTMLElement} root @returns {{isThere: () => boolean, end: () => void}} whether anything would be lost */
export function watchUnsaved(root) {
  /** What stood in a form before somebody came to it. @type {Map<HTMLFormElement, string>} */
  const before = new Map();

  /** @param {Event} event */
  function come({ target }) {
    const form = target instanceof Element ? target.closest("form") : null;
    if (form && !before.has(form)) before.set(form, written(form));
  }

  /** @param {Event} event */
  const sent = ({ target }) => void before.delete(/** @type {HTMLFormElement} */ (target));

  const isThere = () => [...before].some(([form, was]) => form.isConnected && written(form) !== was);

  /** @param {Event} event */
  function closing(event) {
    if (isThere()) event.preventDefault();
  }

  root.addEventListener("focusin", come);
  root.addEventListener("submit", sent);
  addEventListener("beforeunload", closing);
  return {
    isThere,
    end() {
      root.removeEventListener("focusin", come);
      root.removeEventListener("submit", sent);
      removeEventListener("beforeunload", closing);
    },
  };
}
