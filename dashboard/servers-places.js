// @ts-check
/** Decides when servers may change places in the list: never under a pointer, never twice in 5 s. */

/** @typedef {import("./decode.js").Server} Server */

export const STILL_MS = 4900; // what just moved rests until the next refresh

/**
 * Keeps the order people are looking at; servers that are new to it follow at the end.
 * @param {Server[]} wanted @param {Map<string, number>} places the place of each id before
 */
export function keepOrder(wanted, places) {
  const place = (/** @type {Server} */ server) => places.get(server.id) ?? Infinity;
  // Infinity - Infinity is NaN: two newcomers stay as they are wanted
  const kept = [...wanted].sort((left, right) => place(left) - place(right) || 0);
  return { kept, moved: kept.some((server, index) => server.id !== wanted[index].id) };
}

/** @param {{busy: () => boolean, now?: () => number}} seams `busy` while someone works in the table */
export function createPlaces({ busy, now = () => performance.now() }) {
  /** @type {Map<string, number>} */
  let places = new Map();
  let movedAtMs = -Infinity;

  /**
   * Takes the wanted order, or as much of it as is allowed now; `stale` when that is not all.
   * @param {Server[]} wanted @param {boolean} forced someone asked for it
   */
  function settle(wanted, forced) {
    const { kept, moved } = keepOrder(wanted, places);
    const mayMove = forced || !moved || places.size === 0 || (!busy() && now() - movedAtMs >= STILL_MS);
    if (moved && mayMove && !forced && places.size) movedAtMs = now();
    const ordered = mayMove ? wanted : kept;
    places = new Map(ordered.map((server, index) => [server.id, index]));
    return { ordered, stale: !mayMove };
  }
  return { settle };
}
