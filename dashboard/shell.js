// @ts-check
/** What surrounds every page: freshness pill, banner, theme, title, announcements. */

import { clockTime } from "./format.js";
import { icon } from "./icons.js";
import { freshness } from "./live.js";
import { savePreference } from "./preferences.js";
import { titlePrefix } from "./status.js";

const THEMES = ["system", "light", "dark"];
const ANNOUNCE_EVERY_MS = 10_000;
const PULSE = { frames: { opacity: [1, 0.25, 1] }, ms: 800 };

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Wires the button that goes through system, light and dark. */
export function startTheme() {
  const root = document.documentElement;
  const button = byId("theme");
  const show = () => {
    const choice = root.dataset.themeChoice ?? "system";
    button.replaceChildren(icon(/** @type {any} */ (choice)));
    button.setAttribute("aria-label", `Theme: ${choice}`);
    button.title = `Theme: ${choice}`;
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.themeChoice ?? "system") + 1) % THEMES.length];
    if (!savePreference("theme", next)) return; // the system's theme stays
    root.dispatchEvent(new Event("themechoice"));
  });
  root.addEventListener("themechange", show);
  show();
}

/** @param {import("./live.js").LiveState} state @param {number} browserNow */
export function bannerWords(state, browserNow) {
  const { error } = state;
  if (!state.failures || !error) return null;
  const unreachable = !("unreachable" in error) || error.unreachable;
  const requestId = "requestId" in error && error.requestId ? ` (request ${error.requestId})` : "";
  const reason = unreachable ? "Cannot reach the server." : `${error.message}${requestId}`;
  const showing = state.lastDataMs === null ? "" : ` Showing data from ${clockTime(state.lastDataMs)}.`;
  const seconds = Math.max(0, Math.ceil((state.retryAtMs - browserNow) / 1000));
  return { reason: reason + showing, retry: seconds ? `Retrying in ${seconds} s.` : "Retrying…" };
}

/** @param {ReturnType<typeof import("./live.js").createLive>} live */
function createBanner(live) {
  const root = document.documentElement;
  const banner = byId("banner");
  const reason = document.createElement("strong");
  const retry = document.createElement("span");
  retry.setAttribute("aria-hidden", "true"); // a countdown must not be read out every second
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn--small";
  button.textContent = "Retry now";
  button.addEventListener("click", () => void live.refreshNow());
  return () => {
    const words = bannerWords(live.state, Date.now());
    banner.hidden = !words;
    root.toggleAttribute("data-unreachable", Boolean(words));
    if (!words) {
      root.style.removeProperty("--banner-height");
      return banner.replaceChildren();
    }
    if (reason.textContent !== words.reason) reason.textContent = words.reason;
    retry.textContent = words.retry;
    if (!banner.firstChild) banner.append(reason, " ", retry, button);
    // what sticks to the top must stick below the banner
    root.style.setProperty("--banner-height", `${banner.offsetHeight}px`);
  };
}

/** The dot beats once for each answer: nothing moves unless data moves. @param {HTMLElement} dot */
function beat(dot) {
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) dot.animate(PULSE.frames, PULSE.ms);
}

/**
 * Keeps pill and banner true, each second and at each change.
 * @param {ReturnType<typeof import("./live.js").createLive>} live @param {{now: () => number}} clock
 */
export function startFreshness(live, clock) {
  const pill = byId("freshness");
  const text = /** @type {HTMLElement} */ (pill.querySelector(".pill__text"));
  const dot = /** @type {HTMLElement} */ (pill.querySelector(".pill__dot"));
  const showBanner = createBanner(live);
  let answeredMs = live.state.lastDataMs;
  const show = () => {
    const { tone, text: words } = freshness(live.state, clock.now());
    pill.dataset.tone = tone;
    if (text.textContent !== words) text.textContent = words;
    showBanner();
    if (live.state.lastDataMs !== answeredMs) beat(dot);
    answeredMs = live.state.lastDataMs;
  };
  live.subscribe(show);
  setInterval(show, 1000);
  show();
}

/** Returns a function that says a sentence to screen readers, at most one in 10 s. */
export function createAnnouncer() {
  const node = byId("announcer");
  let lastMs = -ANNOUNCE_EVERY_MS;
  let timer = 0;
  /** @param {string} sentence */
  return (sentence) => {
    clearTimeout(timer);
    const waitMs = Math.max(0, lastMs + ANNOUNCE_EVERY_MS - performance.now());
    timer = Number(setTimeout(() => {
      lastMs = performance.now();
      node.textContent = sentence;
    }, waitMs));
  };
}

/** Returns a function that sets the page's title behind the number of servers down. @param {{subscribe: Function, get: () => any}} store */
export function createTitle(store) {
  let title = "Servers";
  const show = () => {
    const text = `${titlePrefix(store.get().counts?.down ?? 0)}${title} · Hostpulse`;
    if (document.title !== text) document.title = text;
  };
  store.subscribe(show);
  /** @param {string} words */
  return (words) => {
    title = words;
    show();
  };
}
