// @ts-check
/** The keys of the servers list: `/` to the query box, `j` and `k` from server to server. */

/** @param {EventTarget | null} target */
const isTyping = (target) => target instanceof Element && target.matches("input, select, textarea, [contenteditable]");

/** @param {HTMLElement} root @param {number} step */
function stepRow(root, step) {
  const links = /** @type {HTMLElement[]} */ ([...root.querySelectorAll(".line .name__link")]);
  const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
}

/** @param {HTMLElement} root @returns {() => void} the end of it */
export function listenToKeys(root) {
  /** @param {KeyboardEvent} event */
  function onKey(event) {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") stepRow(root, 1);
    if (event.key === "k") stepRow(root, -1);
    if (event.key !== "/") return;
    event.preventDefault();
    /** @type {HTMLElement | null} */ (root.querySelector("#query"))?.focus();
  }
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey);
}
