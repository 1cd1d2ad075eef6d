// @ts-check
/** What a server is, in a few words each. */

import * as format from "../format.js";

/** @typedef {import("../decode.js").Server} Server */

const MAX_ADDRESSES = 2;

/** @param {Server} row @param {number} nowMs @returns {string[]} */
export function factWords(row, nowMs) {
  const facts = row.facts ?? {};
  const addresses = Array.isArray(facts.addresses) ? facts.addresses.filter((one) => typeof one === "string") : [];
  const cores = row.cpu_count_logical ?? facts.cpu_count_logical;
  const memory = row.memory_total ?? facts.memory_total;
  return [
    row.os, row.kernel && `kernel ${row.kernel}`, facts.architecture,
    format.isNumber(cores) && format.plural(cores, "core"), format.isNumber(memory) && `${format.bytes(memory)} RAM`,
    addresses.slice(0, MAX_ADDRESSES).join(", "), row.agent_version && `agent ${row.agent_version}`,
    row.boot_time && row.status !== "down" && `up ${format.duration((nowMs - row.boot_time) / 1000)}`,
    row.interval_seconds && `every ${format.every(row.interval_seconds)}`,
  ].filter((words) => typeof words === "string" && words !== "");
}
