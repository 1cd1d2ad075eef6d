// @ts-check
/** A tiny observable store: plain state in, one notification per batch of changes out. */

/**
 * @template {object} State
 * @param {State} initial
 */
export function createStore(initial) {
  let state = initial;
  let scheduled = false;
  /** @type {Set<(state: State) => void>} */
  const listeners = new Set();

  function notify() {
    scheduled = false;
    for (const listener of [...listeners]) listener(state);
  }

  return {
    get: () => state,

    /** Merges the changes and tells the listeners once, after the current task. @param {Partial<State>} changes */
    set(changes) {
      state = { ...state, ...changes };
      if (scheduled) return;
      scheduled = true;
      queueMicrotask(notify);
    },

    /** @param {(state: State) => void} listener @returns {() => void} the end of the subscription */
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
