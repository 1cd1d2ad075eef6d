// @ts-check
/** The list of all servers. */

/** @param {HTMLElement} root @param {import("../app.js").Context} context */
export async function mount(root, { live }) {
  root.textContent = "Servers";
  return { unmount: () => live.stop() };
}
