// @ts-check
/** Answers of the API made safe: unknown fields pass, wrong or missing ones are dropped, never fatal. */

/**
 * @typedef {object} Server
 * @property {string} id
 * @property {string} hostname
 * @property {"up" | "late" | "down" | "waiting" | "paused"} status
 * @property {string[]} tags
 * @property {string[]} flags `clock_ahead`, `cloned`, `no_key`
 * @property {string} [name] given by people
 * @property {boolean} [enrolled] has a key of its own
 * @property {string} [note]
 * @property {(number | null)[]} [spark]
 * @property {number} [first_seen]
 * @property {number} [last_seen]
 * @property {number} [time]
 * @property {number} [interval_seconds]
 * @property {number} [clock_offset_ms]
 * @property {number} [boot_time]
 * @property {number} [cpu_count_logical]
 * @property {number} [memory_total]
 * @property {number} [number]
 * @property {number} [cpu_percent_total]
 * @property {number} [memory_percent]
 * @property {number} [swap_percent]
 * @property {number} [disk_percent]
 * @property {string} [disk_mountpoint]
 * @property {number} [bytes_recv_per_sec]
 * @property {number} [bytes_sent_per_sec]
 * @property {number} [load_per_core]
 * @property {number} [temperature_celsius]
 * @property {number} [processes_total]
 * @property {string} [os]
 * @property {string} [kernel]
 * @property {string} [agent_version]
 * @property {Record<string, any>} [facts]
 */

/**
 * @typedef {object} Session
 * @property {boolean} auth false with --no-auth: nobody signs in
 * @property {boolean} signed_in
 * @property {boolean} needs_setup nobody owns this backend yet
 * @property {boolean} plain_http
 * @property {string} provider what people call the OpenID provider; "" for none
 * @property {string} name
 * @property {string} role
 * @property {string} tenant
 * @property {Record<string, string>} tenants names by id
 * @property {number} visit_until when the visit of an operator ends, 0 for who belongs here
 * @property {boolean} suspended
 * @property {string[]} may
 * @property {string} csrf
 * @property {boolean} needs_code the password was right; a code is to come
 */

/** @typedef {Record<"up" | "late" | "down" | "waiting" | "paused", number>} Counts */
/** @typedef {{now: number, total: number, delta: boolean, counts: Counts, servers: Partial<Server>[]}} ServersAnswer */
/**
 * @typedef {object} Metric
 * @property {string} name
 * @property {string} group
 * @property {string} unit
 * @property {string} label
 * @property {string} [per]
 * @property {number} [low]
 * @property {number} [high]
 * @property {number} [decimals]
 * @property {boolean} [counter]
 * @property {number} [warning]
 * @property {number} [critical]
 */
/** @typedef {{metric: string, instance: string, unit: string, mean: (number | null)[], min: (number | null)[], max: (number | null)[]}} Series */
/** @typedef {{start: number, end: number, step: number, raw: boolean, times: number[], series: Series[]}} History */

export const STATUSES = /** @type {const} */ (["down", "late", "waiting", "up", "paused"]);

const TEXTS = ["hostname", "name", "note", "disk_mountpoint", "os", "kernel", "agent_version"];
const NUMBERS = [
  "number", "first_seen", "last_seen", "time", "interval_seconds", "clock_offset_ms", "boot_time", "cpu_count_logical",
  "memory_total", "cpu_percent_total", "memory_percent", "swap_percent", "disk_percent", "bytes_recv_per_sec",
  "bytes_sent_per_sec", "load_per_core", "temperature_celsius", "processes_total",
];

/** @param {unknown} value @returns {Record<string, any>} */
export const asObject = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? /** @type {any} */ (value) : {};
/** @param {unknown} value @returns {any[]} */
export const asArray = (value) => (Array.isArray(value) ? value : []);
/** @param {unknown} value @param {number} [fallback] */
export const asNumber = (value, fallback = 0) => (Number.isFinite(value) ? Number(value) : fallback);
/** @param {unknown} value */
export const asText = (value) => (typeof value === "string" ? value : "");
/** @param {unknown} value */
export const asTexts = (value) => asArray(value).filter((item) => typeof item === "string");
/** @param {unknown} value @returns {(number | null)[]} */
const asPoints = (value) => asArray(value).map((item) => (Number.isFinite(item) ? item : null));

/** @param {unknown} value @returns {Partial<Server> | null} what the row says; null if it names no server */
export function decodeServer(value) {
  const raw = asObject(value);
  const named = typeof raw.id === "string" && raw.id !== "";
  if (!named && !Number.isFinite(raw.number)) return null;
  /** @type {Record<string, any>} */
  const row = named ? { id: raw.id } : {};
  for (const name of NUMBERS) if (Number.isFinite(raw[name])) row[name] = raw[name];
  for (const name of TEXTS) if (typeof raw[name] === "string") row[name] = raw[name];
  if (STATUSES.includes(raw.status)) row.status = raw.status;
  if (typeof raw.enrolled === "boolean") row.enrolled = raw.enrolled;
  if ("tags" in raw) row.tags = asTexts(raw.tags);
  if ("flags" in raw) row.flags = asTexts(raw.flags);
  if (Array.isArray(raw.spark)) row.spark = asPoints(raw.spark);
  if ("facts" in raw) row.facts = asObject(raw.facts);
  return row;
}

/** @param {unknown} value @returns {ServersAnswer} */
export function decodeServers(value) {
  const raw = asObject(value);
  const counts = asObject(raw.counts);
  const servers = asArray(raw.servers).map(decodeServer).filter((row) => row !== null);
  return {
    now: asNumber(raw.now),
    total: asNumber(raw.total, servers.length),
    delta: raw.delta === true,
    counts: /** @type {Counts} */ (Object.fromEntries(STATUSES.map((name) => [name, asNumber(counts[name])]))),
    servers,
  };
}

/** @param {unknown} value @param {number} length @returns {Series} */
function decodeSeries(value, length) {
  const raw = asObject(value);
  const fit = (/** @type {unknown} */ list) => {
    const points = asPoints(list).slice(0, length);
    while (points.length < length) points.push(null);
    return points;
  };
  const mean = fit(raw.mean);
  return {
    metric: asText(raw.metric), instance: asText(raw.instance), unit: asText(raw.unit), mean,
    min: Array.isArray(raw.min) ? fit(raw.min) : mean, max: Array.isArray(raw.max) ? fit(raw.max) : mean,
  };
}

/** @param {unknown} value @returns {History} */
export function decodeHistory(value) {
  const raw = asObject(value);
  const times = asArray(raw.times).filter(Number.isFinite);
  return {
    start: asNumber(raw.start), end: asNumber(raw.end), step: asNumber(raw.step, 5000), raw: raw.raw === true, times,
    series: asArray(raw.series).map((item) => decodeSeries(item, times.length)),
  };
}

/** @param {unknown} value @returns {{metric: string, instance: string, unit: string}[]} */
export function decodeSeriesList(value) {
  return asArray(asObject(value).series).map((item) => {
    const raw = asObject(item);
    return { metric: asText(raw.metric), instance: asText(raw.instance), unit: asText(raw.unit) };
  });
}

/** @param {unknown} value @returns {Map<string, Metric>} the metrics by name */
export function decodeCatalogue(value) {
  const metrics = asArray(asObject(value).metrics).map(asObject).filter((metric) => asText(metric.name));
  return new Map(metrics.map((metric) => [metric.name, /** @type {Metric} */ (metric)]));
}

/** @param {unknown} value @returns {{id: string, hostname: string, received_at: number, time: number, report: Record<string, any>}} */
export function decodeLatest(value) {
  const raw = asObject(value);
  return {
    id: asText(raw.id), hostname: asText(raw.hostname), received_at: asNumber(raw.received_at),
    time: asNumber(raw.time), report: asObject(raw.report),
  };
}

/** Whether a code is asked before a session begins. @param {unknown} value what came of a password */
export const needsCode = (value) => asObject(value).needs_code === true;

/** @param {unknown} value @returns {Session} */
export function decodeSession(value) {
  const raw = asObject(value);
  const tenants = Object.entries(asObject(raw.tenants)).map(([id, name]) => [id, asText(name) || id]);
  return {
    auth: raw.auth !== false, signed_in: raw.signed_in === true, needs_setup: raw.needs_setup === true,
    plain_http: raw.plain_http === true, provider: asText(raw.provider), name: asText(raw.name), role: asText(raw.role),
    tenant: asText(raw.tenant), tenants: Object.fromEntries(tenants), visit_until: asNumber(raw.visit_until), suspended: raw.suspended === true,
    may: asTexts(raw.may), csrf: asText(raw.csrf),
    needs_code: raw.needs_code === true,
  };
}
