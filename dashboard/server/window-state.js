// @ts-check
/** The page's state, all of it in the address: window, time zone, hidden series, chosen instances. */

import { preference, ZONE } from "../preferences.js";
import {
  boundsOf, liveWindow, sameWindow, shiftWindow, widenWindow, windowFields, windowFromQuery,
} from "../timescale.js";

/** @typedef {import("../timescale.js").Window} Window */

/** @param {string} text @returns {import("../timescale.js").Zone} */
const zoneNamed = (text) => (text === "utc" ? "utc" : "local");

const usualZone = () => zoneNamed(preference(ZONE, "local"));

/** @param {URLSearchParams} query */
const readHidden = (query) => new Set((query.get("hide") ?? "").split(",").filter(Boolean).map(decodeName));

/** @param {string} text */
function decodeName(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * @param {ReturnType<typeof import("../router.js").createRouter>} router
 * @param {{now: () => number, onWindow: () => void, onLook: () => void}} listeners `onWindow` when other data is needed
 */
export function createWindowState(router, { now, onWindow, onLook }) {
  let window = windowFromQuery(router.query);
  let look = readLook();
  /** How often Back stays on this page; with none left, "back" means live. */
  let depth = 0;

  function readLook() {
    const { query } = router;
    return {
      zone: zoneNamed(query.get("tz") ?? usualZone()),
      hidden: readHidden(query),
      choice: { nic: query.get("nic") ?? "", disk: query.get("disk") ?? "" },
    };
  }

  /** @param {Record<string, string | null>} fields */
  function setLook(fields) {
    router.setQuery(fields);
    look = readLook();
    onLook();
  }

  /** @param {Window} next */
  function setWindow(next) {
    if (sameWindow(next, window)) return;
    window = next;
    router.setQuery(windowFields(next), { push: true });
    depth += 1;
    onWindow();
  }

  const bounds = () => boundsOf(window, now());

  return {
    get window() {
      return window;
    },
    get zone() {
      return look.zone;
    },
    get hidden() {
      return look.hidden;
    },
    get choice() {
      return look.choice;
    },
    setWindow,

    /** Begins with a shorter range where nobody chose one. @param {string} range */
    beginWith(range) {
      if (router.query.has("range") || window.kind !== "live" || window.range === range) return;
      window = liveWindow(range);
      router.setQuery(windowFields(window));
      onWindow();
    },

    shift: (/** @type {number} */ share) => setWindow(shiftWindow(bounds(), share, now())),
    widen: () => setWindow(widenWindow(bounds(), now())),
    goLive: () => setWindow(liveWindow()),

    /** Undoes the last change of the window, or returns to live from an address that was opened so. */
    back() {
      if (depth > 0) history.back();
      else if (window.kind === "fixed") setWindow(liveWindow());
    },

    /** Back or Forward: the address says what to show. */
    read() {
      const next = windowFromQuery(router.query);
      depth = Math.max(0, depth - 1);
      look = readLook();
      if (sameWindow(next, window)) return onLook();
      window = next;
      onWindow();
    },

    /** @param {import("../timescale.js").Zone} zone */
    setZone: (zone) => setLook({ tz: zone === usualZone() ? null : zone }),

    /** @param {"nic" | "disk"} what @param {string} instance */
    choose: (what, instance) => setLook({ [what]: instance || null }),

    /** @param {Iterable<string>} hidden `chart.series` */
    hide: (hidden) => setLook({ hide: [...hidden].map(encodeURIComponent).join(",") || null }),
  };
}
