// @ts-check
/** What people chose on the servers list, as it stands in the address. */

import { parseSort, sortText } from "./servers-order.js";

/**
 * @typedef {object} Choice
 * @property {string} q
 * @property {string} status "" for all
 * @property {string} group "" for none
 * @property {string} density "" for automatic
 * @property {string | null} cols null for the usual ones
 * @property {import("./servers-order.js").Sort} sort
 */

/** @param {URLSearchParams} query @returns {Choice} */
export function readChoice(query) {
  const density = query.get("density") ?? "";
  return {
    q: query.get("q") ?? "",
    status: query.get("status") ?? "",
    group: query.get("group") ?? "",
    density: ["S", "M", "L"].includes(density) ? density : "",
    cols: query.get("cols"),
    sort: parseSort(query.get("sort")),
  };
}

/** The fields of the address that say this. @param {Choice} choice @returns {Record<string, string | null>} */
export const writeChoice = ({ sort, ...texts }) => ({ ...texts, sort: sortText(sort) });

/** The filter in words. @param {Choice} choice */
export const filterWords = ({ q, status }) =>
  [q && `"${q}"`, status && `the status "${status}"`].filter(Boolean).join(" with ");
