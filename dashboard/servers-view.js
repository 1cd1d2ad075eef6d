// @ts-check
/** Puts chips, query box and table together and decides when rows may change places. */

import { html, render } from "./vendor/lit-html.js";
import { preference, savePreference } from "./preferences.js";
import { parseQuery } from "./query.js";
import { filterWords, readChoice, writeChoice } from "./servers-choice.js";
import { COLUMNS, chosenColumns, columnsText, fitColumns, nameRoom } from "./servers-columns.js";
import { createPreview, noMatch, noServers, noServersHere } from "./servers-empty.js";
import { listenToKeys } from "./servers-keys.js";
import { groupChoices, layOut, nextSort, parseSort, sortServers } from "./servers-order.js";
import { createPlaces } from "./servers-places.js";
import { WINDOW_FROM, createServersTable } from "./servers-table.js";
import { createToolbar } from "./servers-toolbar.js";

/** @typedef {import("./decode.js").Server} Server */
/** @typedef {import("./servers-choice.js").Choice} Choice */

const QUERY_DELAY_MS = 100;
const BORDERS = 2;
const PHONE = "(max-width: 799px)"; // as in servers-phone.css
const DENSITY = "density"; // of the last visit, for the skeleton

/** Few servers get tall lines, many get flat ones. @param {number} total */
export const densityFor = (total) => (total <= 20 ? "L" : total <= WINDOW_FROM ? "M" : "S");

/** @param {string} [density] what to remember @returns {string} */
function lastDensity(density) {
  if (density) savePreference(DENSITY, density);
  return preference(DENSITY, "M");
}

/** @param {HTMLElement} root */
function createFrame(root) {
  render(html`<h1 class="visually-hidden">Servers</h1><div class="toolbar"></div><div class="stage"></div>`, root);
  const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
  const notice = document.createElement("div");
  const stage = find(".stage");
  return { toolbar: find(".toolbar"), stage, notice };
}

/** @param {HTMLElement} root @param {import("./app.js").Context} context @param {() => void} onAdd */
export function createServersView(root, { store, router, clock, session }, onAdd) {
  const frame = createFrame(root);
  const phone = matchMedia(PHONE);
  const table = createServersTable({ onSort: sortBy, onToggle: toggleGroup });
  const showToolbar = createToolbar(frame.toolbar, {
    onStatus: (status) => choose({ status }),
    onQuery: typed,
    onGroup: (group) => choose({ group }),
    onColumn: switchColumn,
    onDensity: (density) => choose({ density }),
    onSort: (text) => choose({ sort: parseSort(text) }),
    onResort: () => arrange(true),
    onAdd,
  });
  const places = createPlaces({ busy: table.busy });
  frame.stage.append(table.node, frame.notice);
  /** @type {Choice} */
  let choice = readChoice(router.query);
  /** @type {Set<string>} */
  const closed = new Set();
  /** @type {Server[]} */
  let ordered = [];
  let stale = false;
  /** @type {HTMLElement | undefined} */
  let preview;
  let typingTimer = 0;

  /** Takes the newest rows; they change places only when nobody is at the table. @param {boolean} [forced] */
  function arrange(forced = false) {
    const query = parseQuery(choice.q);
    const matching = [...store.get().servers.values()].filter(
      (server) => (!choice.status || server.status === choice.status) && query.match(server),
    );
    const read = COLUMNS.find((column) => column.id === choice.sort?.column)?.sort;
    const wanted = sortServers(matching, read, choice.sort);
    ({ ordered, stale } = places.settle(wanted, forced));
    draw();
  }

  /** @param {Partial<Choice>} changes @param {{push?: boolean}} [options] */
  function choose(changes, { push = true } = {}) {
    clearTimeout(typingTimer);
    choice = { ...choice, ...changes };
    router.setQuery(writeChoice(choice), { push });
    arrange(true);
  }

  /** @param {string} q */
  function typed(q) {
    clearTimeout(typingTimer);
    choice = { ...choice, q }; // at once, so that a refresh does not put the old text back
    typingTimer = Number(setTimeout(() => choose({ q }, { push: false }), QUERY_DELAY_MS));
  }

  /** @param {string} column */
  function sortBy(column) {
    choose({ sort: column === "status" ? null : nextSort(choice.sort, column) });
  }

  /** @param {string} group */
  function toggleGroup(group) {
    if (!closed.delete(group)) closed.add(group);
    draw();
  }

  /** @param {string} id @param {boolean} on */
  function switchColumn(id, on) {
    const chosen = new Set(chosenColumns(choice.cols).map((column) => column.id));
    if (on) chosen.add(id);
    else chosen.delete(id);
    choose({ cols: columnsText(chosen) });
  }

  const canAdd = () => session.hasPeople() && session.may("manage");

  const room = () => frame.stage.clientWidth - BORDERS;

  const look = (/** @type {string} */ density) => ({
    nowMs: clock.now(), catalogue: store.get().catalogue, tags: density === "S" ? 1 : 2,
    room: nameRoom(columns(), room(), phone.matches),
  });

  function columns() {
    const chosen = chosenColumns(choice.cols);
    // a choice is a wish: it scrolls rather than loses a column; a phone has its own lines
    if (choice.cols !== null || phone.matches) return chosen;
    return fitColumns(chosen, room());
  }

  // As high as the placeholders were: a number of lines that is a surprise counts on the next visit.
  const fitting = store.get().counts ? densityFor(store.get().servers.size) : lastDensity();
  const density = () => choice.density || fitting;

  function showNotice() {
    const { servers } = store.get();
    if (!servers.size) preview ??= createPreview(columns(), look("L"));
    const words = servers.size || !preview
      ? noMatch(filterWords(choice), () => choose({ q: "", status: "" }))
      : session.hasPeople() ? noServers(canAdd() ? onAdd : null, preview) : noServersHere(location.origin, preview);
    table.node.hidden = true;
    frame.notice.hidden = false;
    render(words, frame.notice);
  }

  function showTable() {
    table.node.hidden = false;
    frame.notice.hidden = true;
    table.show({
      columns: columns(), items: layOut(ordered, choice.group, closed), look: look(density()), sort: choice.sort,
      density: density(), total: ordered.length,
    });
    if (!choice.density) lastDensity(densityFor(store.get().servers.size));
  }

  function draw() {
    const { servers, counts } = store.get();
    showToolbar({
      ...choice, counts, total: servers.size, matched: ordered.length, query: parseQuery(choice.q), stale,
      groups: groupChoices(servers.values()), columns: new Set(chosenColumns(choice.cols).map(({ id }) => id)),
      windowed: servers.size > WINDOW_FROM, canAdd: canAdd(),
    });
    if (counts === null) table.showLoading(columns(), density(), choice.sort);
    else if (ordered.length) showTable();
    else showNotice();
  }

  addEventListener("resize", draw);
  const stopKeys = listenToKeys(root);
  arrange(true);

  return {
    refreshed: () => arrange(),

    /** Ages grow between two answers too. */
    tick: () => table.tick(look(density())),

    readAddress() {
      choice = readChoice(router.query);
      arrange(true);
    },

    destroy() {
      clearTimeout(typingTimer);
      removeEventListener("resize", draw);
      stopKeys();
      table.destroy();
    },
  };
}
