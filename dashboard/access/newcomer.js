// @ts-check
/** Recognises the server that is waited for. */

/** @typedef {import("../decode.js").Server} Server */

/**
 * The server that enrolled since then, if one did.
 * @param {Iterable<Server>} servers @param {Set<string>} before ids of those that had a key
 */
export const newcomer = (servers, before) => [...servers].find((server) => server.enrolled && !before.has(server.id));

/** @param {Iterable<Server>} servers */
export const withKey = (servers) => new Set([...servers].filter((server) => server.enrolled).map((server) => server.id));

/** `0:34`. @param {number} ms */
export function stopwatch(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
