// @ts-check
/** Who is signed in here and what they may do, as the backend says it. */

/** @typedef {import("./decode.js").Session} Session */
/** What `api.js` needs of it: the token of changes, and whom to tell that nobody is signed in (any more). @typedef {{csrf: string, ended: () => void}} Access */

/** @returns {Access} */
export const noAccess = () => ({ csrf: "", ended: () => {} });

const NOBODY = { signed_in: false, name: "", role: "", may: [], csrf: "", needs_code: false };

/** @param {Session} session @returns {string} changes when another person, or another organisation, is here */
const identity = ({ signed_in, name, tenant }) => (signed_in ? JSON.stringify([name, tenant]) : "");

/**
 * @param {{session: () => Promise<Session>, signOut: () => Promise<void>, switchTenant: (tenant: string) => Promise<void>}} api
 * @param {Access} access
 */
export function createSession(api, access) {
  /** @type {Session | null} */
  let state = null;
  /** Whether somebody was signed in and is no more, without having signed out. */
  let isOver = false;
  let isLeaving = false;
  /** @type {Set<(isAnother: boolean) => void>} */
  const listeners = new Set();
  /** @type {Promise<void> | null} */
  let asking = null;

  /** @param {Session} next */
  function change(next) {
    // The first answer is no change, unless what was shown meanwhile is not for whoever is here.
    const isAnother = state ? identity(next) !== identity(state) : next.auth && !next.signed_in;
    state = next;
    access.csrf = next.csrf;
    for (const listener of [...listeners]) listener(isAnother);
  }

  async function ask() {
    try {
      const next = await api.session();
      if (next.signed_in) isOver = false;
      change(next);
    } catch {
      // the banner says that the backend is away; the next answer that arrives asks again
    } finally {
      asking = null;
    }
  }

  access.ended = () => {
    if (!state) return void session.load();
    if (state.signed_in && !isLeaving) isOver = true;
    change({ ...state, ...NOBODY });
  };

  const session = {
    /** null before the first answer. */
    get state() {
      return state;
    },
    get isOver() {
      return isOver;
    },

    /** Asks who is signed in; never fails. */
    load() {
      asking ??= ask();
      return asking;
    },

    /** Ends this session; raises what keeps it from that. */
    async leave() {
      isLeaving = true;
      try {
        await api.signOut();
        access.ended();
      } finally {
        isLeaving = false;
      }
    },

    /** Looks at another organisation; raises what keeps it from that. @param {string} tenant */
    async switchTo(tenant) {
      await api.switchTenant(tenant);
      await session.load();
    },

    /** Whether a person has to sign in before there is anything to see. */
    needsSignIn: () => state !== null && state.auth && !state.signed_in,

    /** @param {string} need such as "manage" */
    may: (need) => state?.may.includes(need) ?? false,

    /** Whether people are a matter here at all: not with --no-auth. */
    hasPeople: () => state?.auth ?? false,

    /** @param {(isAnother: boolean) => void} listener `isAnother`: another person or organisation @returns {() => void} the end of it */
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return session;
}
