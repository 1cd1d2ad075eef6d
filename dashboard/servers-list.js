// @ts-check
/** The list of servers as the newest answers tell it; a delta changes only what it names. */

import { STATUSES } from "./decode.js";

/** @typedef {import("./decode.js").Server} Server */
/** @typedef {import("./decode.js").Counts} Counts */

/** @param {Partial<Server>} row @returns {Server} */
const complete = (row) =>
  /** @type {Server} */ ({ hostname: row.id, status: "waiting", tags: [], flags: [], ...row });

/** @param {Iterable<Server>} servers @returns {Counts} */
export function countByStatus(servers) {
  const counts = /** @type {Counts} */ (Object.fromEntries(STATUSES.map((status) => [status, 0])));
  for (const server of servers) counts[server.status] += 1;
  return counts;
}

// Values that a server stops sending must not stay: a delta's row leaves out only what is a fact.
const READINGS = [
  "cpu_percent_total", "memory_percent", "swap_percent", "disk_percent", "bytes_recv_per_sec", "bytes_sent_per_sec",
  "load_per_core", "temperature_celsius", "processes_total", "clock_offset_ms",
];

/** @param {Server} old @param {Partial<Server>} news a row with its id is whole, but for the line of CPU @returns {Server} */
function changed(old, news) {
  if (news.id !== undefined) return complete({ spark: old.spark, ...news });
  /** @type {Record<string, any>} */
  const kept = { ...old };
  for (const name of READINGS) delete kept[name];
  return /** @type {Server} */ ({ ...kept, flags: [], ...news });
}

/**
 * Merges an answer into the servers known so far; a delta's rows name theirs by `number`. `whole` is
 * false when it does not add up (one was removed): then the full list must be asked for.
 * @param {Map<string, Server>} known @param {import("./decode.js").ServersAnswer} answer
 */
export function mergeServers(known, answer) {
  const servers = new Map(answer.delta ? known : []);
  const ids = new Map([...servers.values()].map(({ number, id }) => [number, id]));
  let found = true;
  for (const row of answer.servers) {
    const id = row.id ?? ids.get(row.number);
    if (id === undefined) {
      found = false;
      continue;
    }
    const old = answer.delta ? servers.get(id) : undefined;
    servers.set(id, old ? changed(old, row) : complete(row));
  }
  const whole = found && servers.size === answer.total;
  return { servers, counts: countByStatus(servers.values()), whole };
}
