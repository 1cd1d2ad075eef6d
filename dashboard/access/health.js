// @ts-check
/** How the backend is, in words. */

import { asObject, asText } from "../decode.js";
import { count, duration, milliseconds } from "../format.js";

/** @type {Record<string, string>} */
const PARTS = { storage: "Storage of samples", control: "Control store" };

/** @param {string} name @param {unknown} value */
function part(name, value) {
  const { status, problem, durability } = asObject(value);
  const words = [status === "ok" ? "well" : asText(problem) || asText(status), asText(durability)].filter(Boolean).join(", ");
  return [PARTS[name] ?? name, words];
}

/** @param {Record<string, any>} health @returns {(readonly [string, string])[]} */
export function aboutRows(health) {
  return [
    ["Hostpulse", asText(health.version)],
    ["State", health.status === "ok" ? "All is well" : "Something is wrong, see below"],
    ["Running for", duration(health.uptime_seconds)],
    ["Servers", count(health.servers)],
    ["Samples in 5 minutes", count(health.samples_5m)],
    ["Requests in 5 minutes", `${count(health.requests_5m)}, ${count(health.errors_5m)} with an error`],
    ["95 % of answers within", milliseconds(health.p95_ms_5m)],
    .../** @type {[string, string][]} */ (Object.entries(asObject(health.components)).map(([name, value]) => part(name, value))),
  ];
}
