// @ts-check
/** Tells what a page asks by itself from what a person asked for: only the latter keeps a session awake. */

/** @type {WeakSet<AbortSignal>} */
const byItself = new WeakSet();

/** @param {AbortSignal} signal of questions that the page asks by itself */
export function inBackground(signal) {
  byItself.add(signal);
  return signal;
}

/** @param {AbortSignal | undefined} signal */
export const isBackground = (signal) => signal !== undefined && byItself.has(signal);
