// @ts-check
/** The query box's little language: words, `tag:prod`, `cpu>80`, `-down`, `"two words"`. */

/** @typedef {import("./decode.js").Server} Server */
/** @typedef {(server: Server) => boolean} Match */
/** @typedef {{start: number, end: number, message: string}} QueryError */
/** @typedef {{match: Match, errors: QueryError[], empty: boolean}} Query */

const TOKEN = /-?(?:[a-z]+(?:>=|<=|[:<>=]))?(?:"[^"]*"?|[^\s"]+)|\S+/gi;
const COMPARISON = /^([a-z]+)(>=|<=|>|<|=)(.*)$/i;
const FIELD = /^([a-z]+):(.*)$/i;
const NUMBER = /^(\d+(?:\.\d+)?)\s*(%|[kmgt]?(?:b(?:\/s)?)?)$/i;
/** @type {Record<string, number>} */
const SCALE = { k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** @param {number | undefined} left @param {number | undefined} right */
const sum = (left, right) => (left === undefined && right === undefined ? undefined : (left ?? 0) + (right ?? 0));

/** @type {Record<string, (server: Server) => number | undefined>} */
const NUMBERS = {
  cpu: (server) => server.cpu_percent_total,
  mem: (server) => server.memory_percent,
  swap: (server) => server.swap_percent,
  disk: (server) => server.disk_percent,
  load: (server) => server.load_per_core,
  net: (server) => sum(server.bytes_recv_per_sec, server.bytes_sent_per_sec),
  temp: (server) => server.temperature_celsius,
};

/** @type {Record<string, (server: Server, value: string) => boolean>} */
const FIELDS = {
  tag: (server, value) => server.tags.some((tag) => fits(tag, value)),
  group: (server, value) => server.tags.some((tag) => fits(tag, `group:${value}`)),
  os: (server, value) => contains(server.os, value),
  status: (server, value) => server.status === value,
  mount: (server, value) => contains(server.disk_mountpoint, value),
};

/** @type {Record<string, (left: number, right: number) => boolean>} */
const COMPARE = {
  ">": (left, right) => left > right,
  "<": (left, right) => left < right,
  ">=": (left, right) => left >= right,
  "<=": (left, right) => left <= right,
  "=": (left, right) => left === right,
};

/** @param {string | undefined} text @param {string} part lower case */
const contains = (text, part) => (text ?? "").toLowerCase().includes(part);

/** `region:fra` is found by itself, by `region` and by `fra`. @param {string} tag @param {string} value */
function fits(tag, value) {
  const whole = tag.toLowerCase();
  return whole === value || whole.split(":").includes(value);
}

/** @param {string} word @returns {Match} */
const wordMatch = (word) => (server) =>
  contains(server.hostname, word) || contains(server.name, word) || server.status === word || contains(server.os, word) ||
  server.tags.some((tag) => contains(tag, word));

/** @param {string} text */
const unquoted = (text) => text.replaceAll('"', "").toLowerCase();

/** @param {string} name @param {string} sign @param {string} text @returns {Match | string} the match, or what is wrong */
function comparison(name, sign, text) {
  const read = NUMBERS[name];
  if (!read) return `"${name}" cannot be compared. Known: ${Object.keys(NUMBERS).join(", ")}.`;
  const number = NUMBER.exec(text);
  if (!number) return `"${name}${sign}" needs a number, as in ${name}${sign}80.`;
  const limit = Number(number[1]) * (SCALE[number[2][0]?.toLowerCase()] ?? 1);
  return (server) => {
    const value = read(server);
    return value !== undefined && COMPARE[sign](value, limit);
  };
}

/** @param {string} name @param {string} value @returns {Match | string} */
function field(name, value) {
  const test = FIELDS[name];
  if (!test) return `There is no field "${name}". Known: ${Object.keys(FIELDS).join(", ")}.`;
  if (!value) return `"${name}:" needs a value, as in tag:prod.`;
  return (server) => test(server, value);
}

/** @param {string} token without its minus @returns {Match | string} */
function term(token) {
  if (token.startsWith('"')) return wordMatch(unquoted(token));
  const compared = COMPARISON.exec(token);
  if (compared) return comparison(compared[1].toLowerCase(), compared[2], unquoted(compared[3]));
  const named = FIELD.exec(token);
  if (named) return field(named[1].toLowerCase(), unquoted(named[2]));
  return wordMatch(unquoted(token));
}

/**
 * Reads a query; a token that means nothing is reported with its place and left out.
 * @param {string} text @returns {Query}
 */
export function parseQuery(text) {
  /** @type {Match[]} */
  const matches = [];
  /** @type {QueryError[]} */
  const errors = [];
  for (const found of text.matchAll(TOKEN)) {
    const negated = found[0].length > 1 && found[0].startsWith("-");
    const result = term(negated ? found[0].slice(1) : found[0]);
    if (typeof result === "string") {
      errors.push({ start: found.index, end: found.index + found[0].length, message: result });
    } else {
      matches.push(negated ? (server) => !result(server) : result);
    }
  }
  return { match: (server) => matches.every((match) => match(server)), errors, empty: matches.length === 0 };
}
