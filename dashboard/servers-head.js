// @ts-check
/** The head of the servers table: column widths, names and sort directions. */

import { icon } from "./icons.js";

/** @typedef {import("./servers-columns.js").Column} Column */
/** @typedef {import("./servers-order.js").Sort} Sort */

/** @param {string} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children */
export function element(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** @param {Column} column @param {Sort} sort */
export function ariaSort(column, sort) {
  if (!sort) return column.id === "status" ? "descending" : "none";
  if (sort.column !== column.id) return "none";
  return sort.descending ? "descending" : "ascending";
}

/** @param {Column} column @param {Sort} sort */
function headerCell(column, sort) {
  const cell = element("th", { scope: "col", role: "columnheader", class: `c-${column.id}${column.number ? " num" : ""}` });
  if (!column.sort && column.id !== "status") {
    cell.append(column.label);
    return cell;
  }
  const direction = ariaSort(column, sort);
  cell.setAttribute("aria-sort", direction);
  const button = element("button", { type: "button", class: "sort", "data-column": column.id }, column.label);
  if (direction !== "none") button.append(icon(direction));
  cell.append(button);
  return cell;
}

/** @param {Column} column */
function widthOf(column) {
  const col = element("col", {});
  col.style.width = column.width ? `${column.width}px` : "auto";
  return col;
}

/** @param {(column: string) => void} onSort */
export function createHead(onSort) {
  const head = element("thead", { role: "rowgroup" });
  const widths = element("colgroup", {});
  let drawn = "";

  /** Draws columns and directions if they are others than before. @param {readonly Column[]} columns @param {Sort} sort */
  function show(columns, sort) {
    const text = JSON.stringify([columns.map((column) => column.id), sort]);
    if (text === drawn) return;
    drawn = text;
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset?.column;
    head.replaceChildren(element("tr", { role: "row" }, ...columns.map((column) => headerCell(column, sort))));
    widths.replaceChildren(...columns.map(widthOf));
    if (focused) /** @type {HTMLElement | null} */ (head.querySelector(`[data-column="${focused}"]`))?.focus();
  }

  head.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("button");
    if (button?.dataset.column) onSort(button.dataset.column);
  });
  return { head, widths, show };
}
