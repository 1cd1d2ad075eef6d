// @ts-check
/** Which servers the list shows, in what order and under which headings. */

import { isNumber } from "./format.js";
import { SEVERITY, nameOf } from "./status.js";
import { countByStatus } from "./servers-list.js";

/** @typedef {import("./decode.js").Server} Server */
/** @typedef {{column: string, descending: boolean} | null} Sort null is the default: worst status first */
/** @typedef {(server: Server) => number | string | undefined} SortValue */
/** @typedef {{kind: "server", key: string, server: Server, index: number}} ServerItem */
/**
 * @typedef {object} GroupItem
 * @property {"group"} kind
 * @property {string} key
 * @property {string} name
 * @property {number} size
 * @property {import("./decode.js").Counts} counts
 * @property {number | undefined} meanCpu
 * @property {number | undefined} maxDisk
 * @property {boolean} open
 */
/** @typedef {ServerItem | GroupItem} Item */

const UNGROUPED = "(none)";
const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** web-2 before web-10; equal names stay apart by their id. @param {Server} left @param {Server} right */
const byName = (left, right) =>
  natural.compare(nameOf(left), nameOf(right)) || natural.compare(left.id, right.id);

/** @param {Server} left @param {Server} right */
const bySeverity = (left, right) => SEVERITY[left.status] - SEVERITY[right.status] || byName(left, right);

/** @param {number | string} left @param {number | string} right */
const compareValues = (left, right) =>
  typeof left === "number" && typeof right === "number" ? left - right : natural.compare(String(left), String(right));

/** Missing values come last in both directions. @param {SortValue} read @param {boolean} descending */
function byValue(read, descending) {
  /** @param {Server} left @param {Server} right */
  return (left, right) => {
    const [a, b] = [read(left), read(right)];
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined) || byName(left, right);
    return (descending ? compareValues(b, a) : compareValues(a, b)) || byName(left, right);
  };
}

/** @param {Server[]} servers @param {SortValue | undefined} read @param {Sort} sort */
export function sortServers(servers, read, sort) {
  return [...servers].sort(sort && read ? byValue(read, sort.descending) : bySeverity);
}

/** `-cpu` is descending. @param {string | null} text @returns {Sort} */
export function parseSort(text) {
  if (!text || text === "status") return null;
  return text.startsWith("-") ? { column: text.slice(1), descending: true } : { column: text, descending: false };
}

/** @param {Sort} sort */
export const sortText = (sort) => (sort ? `${sort.descending ? "-" : ""}${sort.column}` : null);

/** A header goes descending, ascending, default. @param {Sort} sort @param {string} column @returns {Sort} */
export function nextSort(sort, column) {
  if (sort?.column !== column) return { column, descending: true };
  return sort.descending ? { column, descending: false } : null;
}

/** What the list can be grouped by: the keys of `key:value` tags, plain tags, status, OS. @param {Iterable<Server>} servers */
export function groupChoices(servers) {
  const keys = new Set();
  let plain = false;
  for (const server of servers) {
    for (const tag of server.tags) {
      const at = tag.indexOf(":");
      if (at > 0) keys.add(`tag:${tag.slice(0, at)}`);
      else plain = true;
    }
  }
  return ["status", "os", ...(plain ? ["tag"] : []), ...[...keys].sort(natural.compare)];
}

/** @param {Server} server @param {string} group */
export function groupName(server, group) {
  if (group === "status") return server.status;
  if (group === "os") return server.os ?? UNGROUPED;
  if (group === "tag") return server.tags.find((tag) => !tag.includes(":")) ?? UNGROUPED;
  const prefix = `${group.replace(/^tag:/, "")}:`;
  return server.tags.find((tag) => tag.startsWith(prefix))?.slice(prefix.length) ?? UNGROUPED;
}

/** @param {(number | undefined)[]} values */
const present = (values) => /** @type {number[]} */ (values.filter(isNumber));

/** @param {string} name @param {Server[]} servers @param {boolean} open @returns {GroupItem} */
function groupItem(name, servers, open) {
  const cpu = present(servers.map((server) => server.cpu_percent_total));
  const disk = present(servers.map((server) => server.disk_percent));
  return {
    kind: "group", key: `group ${name}`, name, size: servers.length, counts: countByStatus(servers), open,
    meanCpu: cpu.length ? cpu.reduce((sum, value) => sum + value, 0) / cpu.length : undefined,
    maxDisk: disk.length ? Math.max(...disk) : undefined,
  };
}

/**
 * Lays ordered servers out as lines: plain, or under the headings of their groups.
 * @param {Server[]} servers @param {string} group "" for none @param {Set<string>} closed names of folded groups
 * @returns {Item[]}
 */
export function layOut(servers, group, closed) {
  /** @param {Server} server @param {number} index @returns {ServerItem} */
  const line = (server, index) => ({ kind: "server", key: server.id, server, index });
  if (!group) return servers.map(line);
  /** @type {Map<string, Server[]>} */
  const groups = new Map();
  for (const server of servers) {
    const name = groupName(server, group);
    const members = groups.get(name);
    if (members) members.push(server);
    else groups.set(name, [server]);
  }
  const names = [...groups.keys()];
  // by status the list's own order, worst first, is the right one for the groups too
  if (group !== "status") names.sort((a, b) => Number(a === UNGROUPED) - Number(b === UNGROUPED) || natural.compare(a, b));
  let index = 0;
  return names.flatMap((name) => {
    const members = groups.get(name) ?? [];
    const open = !closed.has(name);
    return [groupItem(name, members, open), ...(open ? members.map((server) => line(server, index++)) : [])];
  });
}
