// @ts-check
/** The product's addresses: which page a path names, and the page's state in the query. */

/** @typedef {"servers" | "server" | "settings" | "welcome" | "sign-in" | "arrival" | "missing"} PageName */
/** @typedef {{name: PageName, id: string}} Route `id`: of the server, or the section of the settings */

/** @type {Record<string, PageName>} */
const PATHS = {
  "/": "servers", "/settings": "settings", "/welcome": "welcome", "/sign-in": "sign-in", "/sign-in/oidc/callback": "arrival",
};

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a broken escape: the API will say that there is no such server
  }
}

/** @param {string} pathname @returns {Route} */
export function matchRoute(pathname) {
  if (Object.hasOwn(PATHS, pathname)) return { name: PATHS[pathname], id: "" };
  const below = /^\/(servers|settings)\/([^/]+)\/?$/.exec(pathname);
  if (!below) return { name: "missing", id: "" };
  return { name: below[1] === "servers" ? "server" : "settings", id: decode(below[2]) };
}

/** @param {string} id */
export const serverPath = (id) => `/servers/${encodeURIComponent(id)}`;

/**
 * Returns the address with those query fields changed; null or "" removes a field.
 * @param {string} href @param {Record<string, string | null | undefined>} changes
 */
export function withQuery(href, changes) {
  const url = new URL(href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  // these stand readable in an address: cpu>80 tag:prod
  const query = url.searchParams.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return url.pathname + (query ? `?${query}` : "") + url.hash;
}

/** @param {MouseEvent} event @returns {HTMLAnchorElement | null} the link this click follows inside the product */
function followedLink(event) {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return null;
  if (link.hash && link.pathname === location.pathname) return null;
  return matchRoute(link.pathname).name === "missing" ? null : link;
}

/**
 * Follows links and Back/Forward without a reload. `onChange` hears about every change of the
 * address that the page did not make itself with `setQuery`.
 * @param {(route: Route, how: "start" | "link" | "history") => void} onChange
 */
export function createRouter(onChange) {
  /** The present page's wish to be asked before it is left. @type {{href: string, question: () => Promise<boolean> | null} | null} */
  let wish = null;

  /** @param {"start" | "link" | "history"} how */
  function changed(how) {
    wish = null;
    onChange(router.route, how);
  }

  async function goBack() {
    const answer = wish?.question();
    if (!wish || !answer) return changed("history");
    const wanted = location.href;
    history.pushState(null, "", wish.href); // the browser has left already
    if (await answer) router.go(wanted);
  }

  /** @param {string} href */
  async function follow(href) {
    if (await (wish?.question() ?? true)) router.go(href);
  }

  const router = {
    get route() {
      return matchRoute(location.pathname);
    },
    get query() {
      return new URLSearchParams(location.search);
    },

    /** @param {string} href */
    go(href) {
      history.pushState(null, "", href);
      changed("link");
    },

    /** Asks before a link or Back leads away. @param {() => Promise<boolean> | null} question null: nothing would be lost */
    askBeforeLeaving(question) {
      wish = { href: location.href, question };
    },

    /** Goes on in place of the present page, to which Back does not lead then. @param {string} href */
    goInstead(href) {
      history.replaceState(null, "", href);
      changed("link");
    },

    /** Gives the present page another address, without showing anything. @param {string} href */
    replace(href) {
      history.replaceState(null, "", href);
    },

    /**
     * Writes the page's state into the address: `push` when Back should undo it.
     * @param {Record<string, string | null | undefined>} changes @param {{push?: boolean}} [options]
     */
    setQuery(changes, { push = false } = {}) {
      const href = withQuery(location.href, changes);
      if (href === location.pathname + location.search + location.hash) return;
      if (push) history.pushState(null, "", href);
      else history.replaceState(null, "", href);
    },

    start() {
      addEventListener("popstate", () => void goBack());
      document.addEventListener("click", (event) => {
        const link = followedLink(event);
        if (!link) return;
        event.preventDefault();
        void follow(link.href);
      });
      changed("start");
    },
  };
  return router;
}
