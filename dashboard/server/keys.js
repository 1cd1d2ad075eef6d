// @ts-check
/** The keys of the Server page; none of them while typing. */

import { liveWindow, RANGES } from "../timescale.js";

/** @param {EventTarget | null} target */
const isTyping = (target) => target instanceof HTMLElement && Boolean(target.closest("input, textarea, select, dialog, [contenteditable]"));

/**
 * @param {object} page
 * @param {ReturnType<typeof import("./window-state.js").createWindowState>} page.state
 * @param {ReturnType<typeof import("./view.js").createView>} page.view
 * @param {() => {start: number, end: number}} page.bounds
 * @param {AbortSignal} page.signal
 */
export function serverKeys({ state, view, bounds, signal }) {
  /** @type {Record<string, () => void>} */
  const keys = {
    l: () => (state.window.kind === "live" ? freeze() : state.goLive()),
    u: () => state.setZone(state.zone === "utc" ? "local" : "utc"),
    e: () => view.expandFocused(),
    Escape: () => closeMenus() || view.cancel() || state.back(),
  };
  RANGES.forEach(({ key }, i) => { keys[String(i + 1)] = () => state.setWindow(liveWindow(key)); });

  function freeze() {
    const { start, end } = bounds();
    const whole = (ms) => Math.round(ms / 1000) * 1000;
    state.setWindow({ kind: "fixed", from: whole(start), to: whole(end) });
  }

  /** Closes what is open over the page; says whether something was. @param {EventTarget | null} [inside] what stays open */
  function closeMenus(inside = null) {
    const open = [...document.querySelectorAll("details.menu[open]")].filter((menu) => !(inside instanceof Node && menu.contains(inside)));
    for (const menu of open) menu.removeAttribute("open");
    return open.length > 0;
  }

  document.addEventListener("pointerdown", (event) => void closeMenus(event.target), { signal });
  document.addEventListener("keydown", (event) => {
    // From within a menu too: its fields are no place to stay in.
    const menu = event.target instanceof Element && event.target.closest("details.menu[open]");
    if (event.key === "Escape" && menu) {
      closeMenus();
      event.preventDefault();
      menu.querySelector("summary")?.focus();
    }
  }, { signal });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }, { signal });
}
