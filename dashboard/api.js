// @ts-check
/** Every question the pages ask the backend; nothing else in the dashboard calls fetch. */

import { isBackground } from "./background.js";
import {
  decodeCatalogue, decodeHistory, decodeLatest, decodeServer, decodeServers, decodeSeriesList, decodeSession, needsCode,
} from "./decode.js";
import { noAccess } from "./session.js";

/** @typedef {import("./decode.js").Server} Server */
/** @typedef {{signal?: AbortSignal}} Asking */

export const TIMEOUT_MS = 8000;
const GATEWAY_ERRORS = [502, 503, 504];

/** Why an answer did not come: `unreachable` when asking again may help, `status` 0 when there was none. */
export class ApiError extends Error {
  /** @param {string} message @param {{status?: number, requestId?: string}} [details] */
  constructor(message, { status = 0, requestId = "" } = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.requestId = requestId;
    this.unreachable = status === 0 || GATEWAY_ERRORS.includes(status);
  }
}

/** @param {Response} response */
async function refusal(response) {
  /** @type {any} */
  const body = await response.json().catch(() => ({}));
  const message = typeof body?.error === "string" ? body.error : `The server answered ${response.status}.`;
  const requestId = typeof body?.request_id === "string" ? body.request_id : "";
  return new ApiError(message, { status: response.status, requestId });
}

/** @param {string} path @param {Record<string, string | number | undefined>} query */
function address(path, query) {
  const fields = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(fields.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

/** @param {string} server @param {string} [question] */
const serverAddress = (server, question = "") =>
  `/api/servers/${encodeURIComponent(server)}${question ? `/${question}` : ""}`;

/** @param {unknown} answer @returns {Server} */
function oneServer(answer) {
  const row = decodeServer(answer);
  if (!row) throw new ApiError("The server answered without an id. Reload the page.", { status: 500 });
  return /** @type {Server} */ ({ hostname: row.id, status: "waiting", tags: [], flags: [], ...row });
}

/** @param {{send?: (url: string, options: RequestInit) => Promise<Response>, timeoutMs?: number, access?: import("./session.js").Access}} [seams] */
export function createApi({ send = (url, options) => fetch(url, options), timeoutMs = TIMEOUT_MS, access = noAccess() } = {}) {
  /**
   * Asks once. An abort by the caller passes through as it is; all else becomes an ApiError.
   * @param {string} url @param {RequestInit & Asking & {isSignIn?: boolean}} [options] `isSignIn`: a 401 says nothing about the session
   */
  async function ask(url, { signal, isSignIn = false, ...options } = {}) {
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const background = isBackground(signal) ? { "X-Background": "1" } : {};
    try {
      const response = await send(url, { ...options, headers: { ...options.headers, ...background }, signal: either });
      if (response.status === 401 && !isSignIn) access.ended();
      if (!response.ok) throw await refusal(response);
      return await response.json();
    } catch (error) {
      if (error instanceof ApiError || signal?.aborted) throw error;
      if (deadline.aborted) throw new ApiError(`The server did not answer within ${timeoutMs / 1000} s.`);
      throw new ApiError("The server cannot be reached.");
    }
  }

  /**
   * Asks for a change.
   * @param {string} method @param {string} path @param {unknown} [body] @param {{isSignIn?: boolean}} [options]
   */
  function change(method, path, body, options) {
    const headers = { "Content-Type": "application/json", ...(access.csrf && { "X-CSRF-Token": access.csrf }) };
    return ask(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), ...options });
  }

  return {
    change,

    /** What has no name of its own here: see access/office.js. @param {string} path @param {Asking} [options] */
    get: (path, options) => ask(path, options),

    /** Who is signed in. @param {Asking} [options] */
    async session({ signal } = {}) {
      return decodeSession(await ask("/api/session", { signal }));
    },

    /** @param {{name: string, password: string, remember: boolean}} given @returns {Promise<boolean>} whether a code is asked now */
    async signIn(given) {
      return needsCode(await change("POST", "/api/session", given, { isSignIn: true }));
    },

    /** The second step. @param {string} code of the app, or a recovery code */
    async giveCode(code) {
      await change("PUT", "/api/session", { code }, { isSignIn: true });
    },

    async signOut() {
      await change("DELETE", "/api/session");
    },

    /** @param {string} tenant */
    async switchTenant(tenant) {
      await change("PUT", "/api/session/tenant", { tenant });
    },

    /**
     * The list; with `since` (the `now` of the previous answer) only the rows that changed.
     * @param {Asking & {since?: number, spark?: string}} [options]
     */
    async servers({ since, spark = "30m", signal } = {}) {
      return decodeServers(await ask(address("/api/servers", { spark, since }), { signal }));
    },

    /** @param {string} server an id or a hostname @param {Asking} [options] @returns {Promise<Server>} */
    async server(server, { signal } = {}) {
      return oneServer(await ask(serverAddress(server), { signal }));
    },

    /** @param {string} server @param {Asking} [options] */
    async latest(server, { signal } = {}) {
      return decodeLatest(await ask(serverAddress(server, "latest"), { signal }));
    },

    /**
     * @param {string} server
     * @param {Asking & {metrics: string[], start?: number | string, end?: number | string, points?: number, instance?: string}} options
     */
    async history(server, { metrics, signal, ...window }) {
      const url = address(serverAddress(server, "history"), { metrics: metrics.join(","), ...window });
      return decodeHistory(await ask(url, { signal }));
    },

    /** @param {string} server @param {Asking} [options] */
    async series(server, { signal } = {}) {
      return decodeSeriesList(await ask(serverAddress(server, "series"), { signal }));
    },

    /** @param {Asking} [options] */
    async catalogue({ signal } = {}) {
      return decodeCatalogue(await ask("/api/catalogue", { signal }));
    },

    /** What people say of a server. @param {string} server @param {{name?: string, tags?: string[], note?: string, paused?: boolean}} said */
    async say(server, said) {
      return oneServer(await change("PATCH", serverAddress(server), said));
    },

    /** Forgets the server and its history. @param {string} server */
    async remove(server) {
      await change("DELETE", serverAddress(server));
    },
  };
}
