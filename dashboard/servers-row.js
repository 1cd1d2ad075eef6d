// @ts-check
/** The two kinds of lines in the servers list: a server, and the heading of a group. */

import { STATUSES } from "./decode.js";
import { percent, plural } from "./format.js";
import { icon } from "./icons.js";
import { STATUS_WORDS } from "./status.js";

/** @typedef {import("./servers-columns.js").Column} Column */
/** @typedef {import("./servers-columns.js").Look} Look */
/** @typedef {import("./servers-order.js").Item} Item */
/** @typedef {{node: HTMLElement, update: (item: Item, look: Look) => void}} Row */

/** @param {string} className */
function tableRow(className) {
  const row = document.createElement("tr");
  row.className = className;
  row.setAttribute("role", "row");
  return row;
}

/** @param {Element} node @param {string} name @param {string} value */
function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** @param {readonly Column[]} columns @returns {Row} */
export function createServerRow(columns) {
  const node = tableRow("line");
  const cells = columns.map((column) => {
    const cell = document.createElement("td");
    cell.setAttribute("role", "cell");
    cell.className = `c-${column.id}${column.number ? " num" : ""}`;
    cell.dataset.label = column.label;
    node.append(cell);
    return { ages: column.ages, update: column.create(cell) };
  });
  /** @type {unknown} */
  let shown;
  /** @type {Look | undefined} */
  let seen;
  return {
    node,
    update(item, look) {
      if (item.kind !== "server") return;
      const same = item.server === shown && look.catalogue === seen?.catalogue && look.tags === seen.tags && look.room === seen.room;
      shown = item.server;
      seen = look;
      setAttribute(node, "data-state", item.server.status);
      setAttribute(node, "aria-rowindex", String(item.index + 1));
      for (const cell of cells) if (cell.ages || !same) cell.update(item.server, look);
    },
  };
}

/** A line exactly as high as a real one, until the first answer. @param {readonly Column[]} columns */
export function createSkeletonRow(columns) {
  const node = tableRow("line line--skeleton");
  node.setAttribute("aria-hidden", "true");
  for (const column of columns) {
    const cell = node.appendChild(document.createElement("td"));
    cell.className = `c-${column.id}`;
    cell.appendChild(document.createElement("span")).className = "skeleton";
  }
  return node;
}

/** @param {import("./decode.js").Counts} counts */
function countNodes(counts) {
  return STATUSES.filter((status) => counts[status]).map((status) => {
    const node = document.createElement("span");
    node.className = "group__count";
    node.title = STATUS_WORDS[status];
    const word = document.createElement("span");
    word.className = "visually-hidden";
    word.textContent = ` ${STATUS_WORDS[status]}`;
    node.append(icon(status), String(counts[status]), word);
    return node;
  });
}

/** @param {number} columns @returns {Row} */
export function createGroupRow(columns) {
  const node = tableRow("group");
  const cell = document.createElement("td");
  cell.colSpan = columns;
  cell.setAttribute("role", "cell");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "group__name";
  const counts = document.createElement("span");
  counts.className = "group__counts";
  const facts = document.createElement("span");
  facts.className = "muted";
  const box = document.createElement("div");
  box.className = "group__box";
  box.append(button, counts, facts);
  cell.append(box);
  node.append(cell);
  let drawn = "";
  return {
    node,
    update(item) {
      if (item.kind !== "group") return;
      const key = JSON.stringify(item);
      if (key === drawn) return;
      drawn = key;
      button.dataset.group = item.name;
      button.setAttribute("aria-expanded", String(item.open));
      button.replaceChildren(icon("chevron"), item.name);
      counts.replaceChildren(...countNodes(item.counts));
      facts.textContent = `${plural(item.size, "server")} · mean CPU ${percent(item.meanCpu)} · fullest disk ${percent(item.maxDisk)}`;
    },
  };
}
