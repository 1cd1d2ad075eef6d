// @ts-check
/**
 * The table of the servers list. Above 150 lines only those in view are in the page, and a refresh
 * touches only text that changed: with 500 servers the layout of all rows would cost far too much.
 */

import { totalWidth } from "./servers-columns.js";
import { createHead, element } from "./servers-head.js";
import { createGroupRow, createServerRow, createSkeletonRow } from "./servers-row.js";

/** @typedef {import("./servers-columns.js").Column} Column */
/** @typedef {import("./servers-columns.js").Look} Look */
/** @typedef {import("./servers-order.js").Item} Item */
/** @typedef {import("./servers-order.js").Sort} Sort */
/** @typedef {import("./servers-row.js").Row} Row */

export const WINDOW_FROM = 150;
const SPARE_LINES = 10; // above and below what is in view
const SKELETON_LINES = 8;

/** Which lines to draw: those in view and a few spare ones. @param {number} above px scrolled past @param {number} height px in view @param {number} line px @param {number} total */
export function windowOf(above, height, line, total) {
  if (total <= WINDOW_FROM) return { first: 0, last: total };
  const first = Math.max(0, Math.floor(above / line) - SPARE_LINES);
  const last = Math.min(total, Math.ceil((above + height) / line) + SPARE_LINES);
  return { first: Math.min(first, last), last };
}

/**
 * @param {{onSort: (column: string) => void, onToggle: (group: string) => void}} actions
 */
export function createServersTable({ onSort, onToggle }) {
  const spacers = [0, 1].map(() => element("tr", { class: "spacer", "aria-hidden": "true" }));
  const { head, widths, show: showHead } = createHead(onSort);
  const body = element("tbody", { role: "rowgroup" }, ...spacers);
  const caption = element("caption", { class: "visually-hidden" }, "Servers");
  const table = element("table", { class: "servers", role: "table" }, caption, widths, head, body);
  const region = element("div", { class: "list card" }, table);
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /** @type {{columns: readonly Column[], items: Item[], look: Look}} */
  let shown = { columns: [], items: [], look: { nowMs: 0, catalogue: new Map(), tags: 2, room: 0 } };
  let frame = 0;

  const lineHeight = () => parseFloat(getComputedStyle(table).getPropertyValue("--row")) || 36;

  function linesInView() {
    const top = body.getBoundingClientRect().top;
    return windowOf(Math.max(0, -top), innerHeight - Math.max(0, top), lineHeight(), shown.items.length);
  }

  /** @param {Item} item */
  function rowFor(item) {
    let row = rows.get(item.key);
    if (row) return row;
    row = item.kind === "group" ? createGroupRow(shown.columns.length) : createServerRow(shown.columns);
    rows.set(item.key, row);
    return row;
  }

  /** Puts the lines in view into the page, in order, reusing the rows that are there. */
  function draw() {
    const { first, last } = linesInView();
    const drawn = shown.items.slice(first, last);
    const heading = headingAbove(first);
    if (heading) drawn.unshift(heading);
    const keys = new Set(drawn.map((item) => item.key));
    for (const [key, row] of rows) {
      if (keys.has(key)) continue;
      row.node.remove();
      rows.delete(key);
    }
    const line = lineHeight();
    setHeight(spacers[0], (first - (heading ? 1 : 0)) * line);
    setHeight(spacers[1], (shown.items.length - last) * line);
    let next = spacers[0].nextSibling;
    for (const item of drawn) {
      const row = rowFor(item);
      row.update(item, shown.look);
      if (row.node === next) next = next.nextSibling;
      else body.insertBefore(row.node, next);
    }
  }

  /** The heading of the group that the first drawn line is in, when it stands above. @param {number} first */
  function headingAbove(first) {
    if (first === 0 || shown.items[first]?.kind === "group") return undefined;
    let index = first;
    while (index >= 0 && shown.items[index].kind !== "group") index -= 1;
    return shown.items[index];
  }

  function drawSoon() {
    if (shown.items.length <= WINDOW_FROM || frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  }

  body.addEventListener("click", (event) => {
    const button = /** @type {Element} */ (event.target).closest("button");
    if (button?.dataset.group !== undefined) onToggle(button.dataset.group);
  });
  addEventListener("scroll", drawSoon, { passive: true });
  addEventListener("resize", drawSoon);

  return {
    node: region,

    /**
     * Shows these lines; whatever is already right in the page stays untouched.
     * @param {{columns: readonly Column[], items: Item[], look: Look, sort: Sort, density: string, total: number}} next
     */
    show({ columns, items, look, sort, density, total }) {
      if (columns.map((column) => column.id).join() !== shown.columns.map((column) => column.id).join()) clearRows();
      table.dataset.density = density;
      shown = { columns, items, look };
      showHead(columns, sort);
      setWidth(columns);
      if (table.hasAttribute("aria-busy")) body.replaceChildren(...spacers);
      table.removeAttribute("aria-busy");
      table.setAttribute("aria-rowcount", String(total));
      setScrolls(region, table.offsetWidth > region.clientWidth);
      draw();
    },

    /** Shows the head and empty lines until there is an answer. @param {readonly Column[]} columns @param {string} density @param {Sort} sort */
    showLoading(columns, density, sort) {
      clearRows();
      table.dataset.density = density;
      shown = { ...shown, columns, items: [] };
      showHead(columns, sort);
      setWidth(columns);
      table.setAttribute("aria-busy", "true");
      body.replaceChildren(...Array.from({ length: SKELETON_LINES }, () => createSkeletonRow(columns)));
    },

    /** Brings ages up to date without a new answer. @param {Look} look */
    tick(look) {
      shown = { ...shown, look };
      const byKey = new Map(shown.items.map((item) => [item.key, item]));
      for (const [key, row] of rows) {
        const item = byKey.get(key);
        if (item) row.update(item, look);
      }
    },

    /** True while people point at it or work in it: then nothing may move. */
    busy: () => body.matches(":hover") || body.contains(document.activeElement),

    destroy() {
      removeEventListener("scroll", drawSoon);
      removeEventListener("resize", drawSoon);
      cancelAnimationFrame(frame);
    },
  };

  /** @param {readonly Column[]} columns */
  function setWidth(columns) {
    table.style.minInlineSize = `${totalWidth(columns)}px`;
  }

  function clearRows() {
    for (const row of rows.values()) row.node.remove();
    rows.clear();
  }
}

/** @param {HTMLElement} node @param {number} px */
function setHeight(node, px) {
  const height = `${Math.max(0, px)}px`;
  if (node.style.blockSize !== height) node.style.blockSize = height;
  node.hidden = px <= 0;
}

/** A region that scrolls sideways must be reachable by keyboard and have a name. @param {HTMLElement} region @param {boolean} scrolls */
function setScrolls(region, scrolls) {
  if (region.hasAttribute("data-scrolls") === scrolls) return;
  region.toggleAttribute("data-scrolls", scrolls);
  if (scrolls) {
    region.tabIndex = 0;
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", "Servers");
  } else {
    for (const name of ["tabindex", "role", "aria-label"]) region.removeAttribute(name);
  }
}
