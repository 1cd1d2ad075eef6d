// @ts-check
/**
 * Boots the dashboard and shows the page that the address names.
 *
 * A page is a module with `mount(root, context)`; what it returns has `unmount()` and, if it wants
 * to hear about Back and Forward within itself, `update()`.
 */

import { startAccount } from "./account-menu.js";
import { createApi } from "./api.js";
import { createClock } from "./clock.js";
import * as format from "./format.js";
import { createLive } from "./live.js";
import * as servers from "./pages/servers.js";
import { createRouter } from "./router.js";
import { createSession, noAccess } from "./session.js";
import { createAnnouncer, createTitle, startFreshness, startTheme } from "./shell.js";
import { startStanding } from "./standing.js";
import { createStore } from "./store.js";

/** @typedef {import("./decode.js").Server} Server */
/**
 * @typedef {object} State
 * @property {Map<string, Server>} servers by id; as of `answeredMs`
 * @property {import("./decode.js").Counts | null} counts null before the first answer
 * @property {number} answeredMs the `now` of the newest list, 0 before
 * @property {Map<string, import("./decode.js").Metric>} catalogue by name; empty before it is loaded
 */
/** @typedef {{unmount: () => void, update?: () => void}} Page */
/** @typedef {ReturnType<typeof createContext>} Context */

const EMPTY = { servers: new Map(), counts: null, answeredMs: 0 };

/** @type {Record<import("./router.js").PageName, () => Promise<{mount: (root: HTMLElement, context: any) => Promise<Page>}>>} */
const PAGES = {
  servers: async () => servers,
  server: () => import("./pages/server.js"),
  settings: async () => (await import("./pages/access.js")).settings,
  welcome: async () => (await import("./pages/access.js")).welcome,
  "sign-in": async () => (await import("./pages/access.js")).signIn,
  arrival: async () => (await import("./pages/access.js")).arrival,
  missing: () => import("./pages/missing.js"),
};

/** What whoever is not signed in may see besides the sign-in page. @type {Set<string>} */
const OPEN_PAGES = new Set(["welcome", "arrival"]);

function createContext() {
  const clock = createClock();
  /** @type {ReturnType<typeof createStore<State>>} */
  const store = createStore({ ...EMPTY, catalogue: new Map() });
  const live = createLive({ clock });
  const router = createRouter((route, how) => void pages.show(route, how));
  const access = noAccess();
  const api = createApi({ access });
  return {
    api, clock, store, live, router, format, session: createSession(api, access),
    announce: createAnnouncer(), setTitle: createTitle(store),
  };
}

/** Swaps pages in and out of the main part. @param {() => Context} context */
function createPages(context) {
  const main = /** @type {HTMLElement} */ (document.getElementById("main"));
  /** @type {Page | null} */
  let page = null;
  let path = "";
  let turn = 0;

  /** What is shown to whoever is here. @param {import("./router.js").PageName} name */
  function shownFor(name) {
    if (context().session.needsSignIn()) return OPEN_PAGES.has(name) ? name : "sign-in";
    return name === "sign-in" ? "servers" : name;
  }

  /** @param {import("./router.js").Route} route */
  async function moduleFor({ name }) {
    const { router, session } = context();
    const early = session.state ? null : PAGES[name](); // on its way while the session is asked for
    early?.catch(() => {});
    if (!session.state) await session.load();
    const shown = shownFor(name);
    if (name === "sign-in" && shown !== name) router.replace("/");
    path = location.pathname;
    return shown === name && early ? early : PAGES[shown]();
  }

  function leave() {
    page?.unmount();
    page = null;
    path = location.pathname;
    const root = document.createElement("div");
    main.replaceChildren(root);
    return root;
  }

  /** @param {import("./router.js").Route} route @param {string} how "person": another one is here, so nothing stays */
  async function show(route, how) {
    if (page && location.pathname === path && how !== "person") return page.update?.();
    const mine = ++turn;
    const root = leave();
    document.querySelectorAll(".topnav a").forEach((link) => markCurrent(link, route.name));
    try {
      const module = await moduleFor(route);
      if (mine !== turn) return;
      const mounted = await module.mount(root, context());
      if (mine !== turn) return mounted.unmount();
      page = mounted;
    } catch (error) {
      console.error(error);
      if (mine === turn) showFailure(root);
    }
    if (how === "link") arrive(root);
  }
  return { show };
}

/** A server's page belongs to the list: there the link is the current section, not the page. @param {Element} link @param {string} name */
function markCurrent(link, name) {
  const section = /** @type {HTMLElement} */ (link).dataset.page;
  if (section === name) link.setAttribute("aria-current", "page");
  else if (section === "servers" && name === "server") link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

/** A followed link starts at the top, with the focus on the new page. @param {HTMLElement} root */
function arrive(root) {
  scrollTo(0, 0);
  const heading = /** @type {HTMLElement} */ (root.querySelector("h1") ?? root);
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** @param {HTMLElement} root */
function showFailure(root) {
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.setAttribute("role", "alert");
  notice.textContent = "This page could not be shown. Reload it; if that does not help, look into the browser's console.";
  root.replaceChildren(notice);
}

/** Loads the catalogue once; if that fails, again after the next answer that arrives. @param {Context} context */
function loadCatalogue({ api, live, session, store }) {
  let asking = false;
  const load = async () => {
    if (asking || store.get().catalogue.size || !session.may("read")) return;
    asking = true;
    try {
      store.set({ catalogue: await api.catalogue() });
    } catch {
      // the banner already says that the backend is away
    } finally {
      asking = false;
    }
  };
  live.subscribe((state) => void (state.failures === 0 && load()));
  session.subscribe(load);
}

/** Another person sees nothing of the one before; who was away is asked for again. @param {Context} context */
function followSession({ live, router, session, store }) {
  const mark = () => document.documentElement.toggleAttribute("data-signed-out", session.needsSignIn());
  mark();
  session.subscribe((isAnother) => {
    mark();
    if (!isAnother) return;
    live.forget();
    store.set(EMPTY);
    void pages.show(router.route, "person");
  });
  live.subscribe(({ failures, lastDataMs }) => void (failures === 0 && lastDataMs !== null && !session.state && session.load()));
}

/** @type {Context} */
const context = createContext();
const pages = createPages(() => context);
/** For browser tests and for a look from the console. */
Object.assign(globalThis, { hostpulse: { charts: {}, store: context.store, live: context.live } });
startTheme();
startFreshness(context.live, context.clock);
startAccount(context);
startStanding(context);
loadCatalogue(context);
void context.session.load().then(() => followSession(context));
context.router.start();
