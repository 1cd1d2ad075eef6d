// @ts-check
/** The questions about people and keys, asked on the pages that are loaded for them. */

import { asArray, asNumber, asObject, asText, asTexts, needsCode } from "../decode.js";

/** @typedef {{id: string, name: string, role: string, disabled: boolean, created: number, second_factor: boolean, seen: number, operator: boolean}} Person */
/** @typedef {{id: string, kind: string, role: string, person: string, made_by: string, expires: number}} OpenLink */
/** @typedef {{id: string, created: number, seen: number, address: string, client: string, current: boolean}} Place */
/** @typedef {{id: string, name: string, created: number, suspended: number, deleting: boolean, people: number, servers: number}} Tenant */
/** @typedef {{number: number, time: number, actor: string, action: string, object: string, result: string, address: string}} Deed */
/** Points of one length; null is unknown, or not for one's eyes. @typedef {{name: string, keep: number | null, size: number | null, full: number | null}} Tier */
/** What an authenticator app takes: the secret, an address with it, and that as a picture. @typedef {{secret: string, address: string, image: string}} AppSecret */
/** @typedef {{password: string, code: string}} Proof */
/**
 * @typedef {object} Key
 * @property {string} id
 * @property {string} kind `agent`, `ingest`, `personal` or `enrolment`
 * @property {string} label
 * @property {number} created
 * @property {string} created_by
 * @property {number} expires 0 for never
 * @property {number} used 0 for never
 * @property {string} server
 * @property {string[]} scopes
 * @property {number | null} uses_left
 */

/** @param {unknown} value @returns {Person} */
function decodePerson(value) {
  const raw = asObject(value);
  return {
    id: asText(raw.id), name: asText(raw.name), role: asText(raw.role), disabled: raw.disabled === true, created: asNumber(raw.created),
    second_factor: raw.second_factor === true, seen: asNumber(raw.seen), operator: raw.operator === true,
  };
}

/** @param {unknown} value @returns {OpenLink} */
function decodeOpenLink(value) {
  const raw = asObject(value);
  return {
    id: asText(raw.id), kind: asText(raw.kind), role: asText(raw.role), person: asText(raw.person), made_by: asText(raw.made_by),
    expires: asNumber(raw.expires),
  };
}

/** @param {unknown} value @returns {Place} */
function decodePlace(value) {
  const raw = asObject(value);
  return {
    id: asText(raw.id), created: asNumber(raw.created), seen: asNumber(raw.seen), address: asText(raw.address),
    client: asText(raw.client), current: raw.current === true,
  };
}

/** @param {unknown} value @returns {Tenant} */
function decodeTenant(value) {
  const raw = asObject(value);
  return {
    id: asText(raw.id), name: asText(raw.name), created: asNumber(raw.created), suspended: asNumber(raw.suspended),
    deleting: raw.deleting === true, people: asNumber(raw.people), servers: asNumber(raw.servers),
  };
}

/** @param {unknown} value @returns {Key} */
function decodeKey(value) {
  const raw = asObject(value);
  return {
    id: asText(raw.id), kind: asText(raw.kind), label: asText(raw.label), created: asNumber(raw.created),
    created_by: asText(raw.created_by), expires: asNumber(raw.expires), used: asNumber(raw.used), server: asText(raw.server),
    scopes: asTexts(raw.scopes), uses_left: Number.isFinite(raw.uses_left) ? raw.uses_left : null,
  };
}

/** @param {unknown} value @returns {Deed} */
function decodeDeed(value) {
  const raw = asObject(value);
  return {
    number: asNumber(raw.number), time: asNumber(raw.time), actor: asText(raw.actor), action: asText(raw.action),
    object: asText(raw.object), result: asText(raw.result), address: asText(raw.address),
  };
}

/** @param {unknown} value @returns {Tier} */
function decodeTier(value) {
  const raw = asObject(value);
  const amount = (/** @type {unknown} */ one) => (Number.isFinite(one) ? Number(one) : null);
  return { name: asText(raw.name), keep: amount(raw.keep_ms), size: amount(raw.size_bytes), full: amount(raw.full_bytes) };
}

/** @param {unknown} value @param {string} name */
const textOf = (value, name) => asText(asObject(value)[name]);

/** @param {unknown} value @param {string} name @template T @param {(item: unknown) => T} decode */
const listOf = (value, name, decode) => asArray(asObject(value)[name]).map(decode);

/** @param {string} id */
const part = (id) => encodeURIComponent(id);

/** @param {Pick<ReturnType<typeof import("../api.js").createApi>, "get" | "change">} api */
export function createOffice({ get, change }) {
  return {
    /** @param {string} token */
    async aboutLink(token) {
      const answer = await change("POST", "/api/links/about", { token });
      return { kind: textOf(answer, "kind"), name: textOf(answer, "name"), tenant: textOf(answer, "tenant"), role: textOf(answer, "role") };
    },
    /** Makes a member of who is signed in. @param {string} token */
    join: (token) => change("POST", "/api/links/join", { token }),
    /** Lets this browser look at charts with the set-up link. @param {string} token */
    look: (token) => change("POST", "/api/links/look", { token }),
    /** @param {{token: string, name: string, password: string}} given @returns {Promise<boolean>} whether a code is asked now */
    useLink: async (given) => needsCode(await change("POST", "/api/links/use", given)),

    /** Where the provider's page is, for a browser that comes back to `to`. @param {{to: string, link?: string}} wish */
    departure: async (wish) => textOf(await change("POST", "/api/provider/departures", wish), "url"),
    /** Signs in whom the provider sent back; says where they wanted to go. @param {{state: string, code: string, error: string}} said */
    arrive: async (said) => textOf(await change("POST", "/api/provider/arrivals", said, { isSignIn: true }), "to"),
    /** How one may sign in to the own account. */
    async account() {
      const answer = asObject(await get("/api/account"));
      return { hasPassword: answer.has_password === true, isLinked: answer.linked === true };
    },
    /** Where the provider's page is, for an account that links itself. @param {string} password */
    linkAccount: async (password) => textOf(await change("POST", "/api/provider/link", { password }), "url"),
    unlinkAccount: () => change("DELETE", "/api/provider/link"),

    /** @param {string} old @param {string} next */
    changePassword: (old, next) => change("PUT", "/api/password", { old, new: next }),
    places: async () => listOf(await get("/api/sessions"), "sessions", decodePlace),
    /** @param {string} [id] all others without one */
    signOutThere: (id = "") => change("DELETE", id ? `/api/sessions/${part(id)}` : "/api/sessions"),

    async secondFactor() {
      const raw = asObject(await get("/api/second-factor"));
      return { on: raw.on === true, left: asNumber(raw.codes_left) };
    },
    /** @param {string} password @returns {Promise<AppSecret>} */
    async beginSecondFactor(password) {
      const answer = await change("POST", "/api/second-factor", { password });
      return { secret: textOf(answer, "secret"), address: textOf(answer, "address"), image: textOf(answer, "image") };
    },
    /** @param {string} code @returns {Promise<string[]>} the recovery codes */
    turnSecondFactorOn: async (code) => asTexts(asObject(await change("PUT", "/api/second-factor", { code })).codes),
    /** @param {Proof} proof */
    turnSecondFactorOff: (proof) => change("POST", "/api/second-factor/off", proof),
    /** @param {Proof} proof @returns {Promise<string[]>} */
    newRecoveryCodes: async (proof) => asTexts(asObject(await change("POST", "/api/second-factor/codes", proof)).codes),

    openLinks: async () => listOf(await get("/api/links"), "links", decodeOpenLink),
    /** @param {string} id */
    withdrawLink: (id) => change("DELETE", `/api/links/${part(id)}`),
    people: async () => listOf(await get("/api/people"), "people", decodePerson),
    /** @param {string} role @returns {Promise<string>} the link */
    invite: async (role) => textOf(await change("POST", "/api/people", { role }), "link"),
    /** @param {string} id @param {{role?: string, disabled?: boolean}} changes */
    changePerson: (id, changes) => change("PATCH", `/api/people/${part(id)}`, changes),
    /** @param {string} id */
    removeSecondFactor: (id) => change("DELETE", `/api/people/${part(id)}/second-factor`),
    /** @param {string} id @returns {Promise<string>} the link */
    resetLink: async (id) => textOf(await change("POST", `/api/people/${part(id)}/reset`), "link"),
    /** @param {number} before 0 for the newest */
    async deeds(before) {
      const answer = await get(`/api/audit${before ? `?before=${before}` : ""}`);
      return { deeds: listOf(answer, "entries", decodeDeed), endsWell: asObject(answer).ends_well === true };
    },

    /** @returns {Promise<{tenants: Tenant[], most: number}>} */
    async tenants() {
      const answer = await get("/api/tenants");
      return { tenants: listOf(answer, "tenants", decodeTenant), most: asNumber(asObject(answer).most_servers) };
    },
    /** @param {{id: string, name: string}} given @returns {Promise<string>} the link of its first owner */
    makeTenant: async (given) => textOf(await change("POST", "/api/tenants", given), "link"),
    /** @param {string} id @param {{name?: string, suspended?: boolean}} changes */
    changeTenant: (id, changes) => change("PATCH", `/api/tenants/${part(id)}`, changes),
    /** @param {string} id */
    deleteTenant: (id) => change("DELETE", `/api/tenants/${part(id)}`),
    /** @param {string} id @returns {Promise<string>} the link */
    ownerLink: async (id) => textOf(await change("POST", `/api/tenants/${part(id)}/owner`), "link"),
    /** @param {string} id @param {string} reason */
    visit: (id, reason) => change("POST", `/api/tenants/${part(id)}/visit`, { reason }),

    keys: async () => listOf(await get("/api/keys"), "keys", decodeKey),
    /** @param {string} label @returns {Promise<string>} the key */
    makeKey: async (label) => textOf(await change("POST", "/api/keys", { label }), "key"),
    tokens: async () => listOf(await get("/api/tokens"), "keys", decodeKey),
    /** @param {{label: string, scopes: string[], days: number}} wanted @returns {Promise<string>} the token */
    makeToken: async (wanted) => textOf(await change("POST", "/api/tokens", wanted), "key"),
    /** @param {string} id */
    revokeToken: (id) => change("DELETE", `/api/tokens/${part(id)}`),
    /** @param {string} id */
    revokeKey: (id) => change("DELETE", `/api/keys/${part(id)}`),
    /** @param {{minutes: number, uses: number, tags: string[]}} wanted */
    async makeEnrolment(wanted) {
      const answer = await change("POST", "/api/enrolments", wanted);
      return { id: textOf(answer, "id"), token: textOf(answer, "token"), url: textOf(answer, "url") };
    },
    /** Which servers came by a token, and why the last one was sent away; "" if none was. @param {string} id */
    async enrolment(id) {
      const answer = asObject(await get(`/api/enrolments/${part(id)}`));
      return { servers: asTexts(answer.servers), refused: asText(answer.refused) };
    },

    async retention() {
      const raw = asObject(await get("/api/retention"));
      return {
        storage: asText(raw.storage), tiers: asArray(raw.tiers).map(decodeTier), servers: asNumber(raw.servers), size: asNumber(raw.size_bytes),
        mostSamples: asNumber(raw.most_samples), budget: asNumber(raw.budget_bytes), problem: asText(raw.problem),
      };
    },

    health: async () => asObject(await get("/api/health")),
  };
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * An address of this backend as others can reach it: the backend may know itself as localhost only,
 * while this page came from elsewhere.
 * @param {string} href @param {string} [here] the origin of this page
 */
export function reachable(href, here = location.origin) {
  const url = new URL(href);
  const page = new URL(here);
  if (!LOOPBACK.test(url.hostname) || LOOPBACK.test(page.hostname)) return href;
  return page.origin + (href.slice(url.origin.length));
}
