// @ts-check
/** The columns of the servers list: what each one reads, how wide it is, how its cells stay current. */

import { createSpark } from "./charts/spark.js";
import { MISSING, ago, byteRate, celsius, count, duration, isoTime, load, percent } from "./format.js";
import { icon } from "./icons.js";
import { serverPath } from "./router.js";
import { fitTags, tagMeasure } from "./servers-tags.js";
import { ageSeconds, hasValues, level, nameOf, oddities, sampleTime, statusText, statusTitle } from "./status.js";

/** @typedef {import("./decode.js").Server} Server */
/** What cells need beside the server. @typedef {{nowMs: number, catalogue: Map<string, import("./decode.js").Metric>, tags: number, room: number}} Look `room`: px for a name and its tags */
/** @typedef {(server: Server, look: Look) => void} Update */
/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label
 * @property {number} width px; 0 takes the rest
 * @property {boolean} [number] right-aligned
 * @property {boolean} [optional] off until chosen
 * @property {number} [keep] columns with the smallest number leave first when room is short
 * @property {(server: Server) => number | string | undefined} [sort]
 * @property {boolean} [ages] changes with the time alone
 * @property {(cell: HTMLElement) => Update} create fills an empty cell and returns what keeps it current
 */

/** @param {string} tag @param {string} className */
function part(tag, className) {
  const node = document.createElement(tag);
  node.className = className;
  return node;
}

/** @param {Element} node @param {string} text */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Writes the value or, where there is none, a dash that is read out as "no data". @param {HTMLElement} cell @param {Element} node @param {string} text */
function setValue(cell, node, text) {
  if (node.textContent === text) return;
  node.textContent = text;
  if (text === MISSING) cell.setAttribute("aria-label", "no data");
  else cell.removeAttribute("aria-label");
}

/** @param {(server: Server) => string} read */
function numberCell(read) {
  /** @param {HTMLElement} cell @returns {Update} */
  return (cell) => {
    const value = cell.appendChild(part("span", "value"));
    return (server) => setValue(cell, value, hasValues(server) ? read(server) : MISSING);
  };
}

/** A percent with its bar, coloured by the catalogue's lines. @param {string} metric @param {(server: Server) => number | undefined} read */
function meterCell(metric, read) {
  /** @param {HTMLElement} cell @returns {Update} */
  return (cell) => {
    const value = cell.appendChild(part("span", "value"));
    const meter = cell.appendChild(part("span", "meter"));
    const fill = /** @type {HTMLElement} */ (meter.appendChild(part("span", "meter__fill")));
    return (server, look) => {
      const number = hasValues(server) ? read(server) : undefined;
      setValue(cell, value, percent(number));
      meter.hidden = number === undefined;
      fill.style.inlineSize = `${Math.min(100, number ?? 0)}%`;
      const severity = level(look.catalogue.get(metric), number);
      if (cell.dataset.level !== severity) cell.dataset.level = severity;
    };
  };
}

/** @param {HTMLElement} cell @returns {Update} */
function diskCell(cell) {
  const update = meterCell("disk_percent", (server) => server.disk_percent)(cell);
  const mount = cell.appendChild(part("span", "mount"));
  return (server, look) => {
    update(server, look);
    const shown = hasValues(server) && server.disk_percent !== undefined ? (server.disk_mountpoint ?? "") : "";
    setText(mount, shown);
    cell.title = shown;
  };
}

/** @param {HTMLElement} cell @returns {Update} */
function statusCell(cell) {
  const status = /** @type {HTMLElement} */ (cell.appendChild(part("span", "status")));
  const word = document.createElement("span");
  return (server, look) => {
    if (status.dataset.state !== server.status) {
      status.dataset.state = server.status;
      status.replaceChildren(icon(server.status), word);
    }
    setText(word, statusText(server, look.nowMs));
    cell.title = statusTitle(server, look.nowMs);
  };
}

/** @param {string} text @param {string} [kind] */
function tagNode(text, kind = "") {
  const node = part("span", `tag${kind}`);
  node.textContent = text;
  return node;
}

/** Made with the first name: there is no canvas before there is a page. @type {import("./servers-tags.js").Measure | undefined} */
let measure;

/** @param {HTMLElement} cell @returns {Update} */
function nameCell(cell) {
  const box = cell.appendChild(part("span", "name"));
  const link = /** @type {HTMLAnchorElement} */ (box.appendChild(part("a", "name__link")));
  const tags = box.appendChild(part("span", "name__tags"));
  let drawn = "";
  return (server, look) => {
    const name = nameOf(server);
    setText(link, name);
    const href = serverPath(server.id);
    if (link.getAttribute("href") !== href) link.setAttribute("href", href);
    const odd = oddities(server);
    const key = JSON.stringify([name, server.hostname, server.tags, look.tags, look.room, odd]);
    if (key === drawn) return;
    drawn = key;
    measure ??= tagMeasure();
    const badges = odd.map(({ words }) => words);
    const fitting = fitTags({ badges, tags: server.tags }, { most: look.tags, room: look.room }, measure);
    tags.replaceChildren(
      ...odd.map(({ words, title }) => Object.assign(tagNode(words, " tag--warn"), { title })),
      ...[...fitting.tags, fitting.others].filter(Boolean).map((tag) => tagNode(tag)),
    );
    const called = name === server.hostname ? name : `${name} (${server.hostname})`;
    cell.title = [called, server.tags.join(", ")].filter(Boolean).join(" · ");
  };
}

/** @param {HTMLElement} cell @returns {Update} */
function sparkCell(cell) {
  const spark = createSpark();
  cell.append(spark.node);
  return (server) => spark.update(server.spark);
}

/** @param {HTMLElement} cell @returns {Update} */
function sampleCell(cell) {
  const value = cell.appendChild(part("span", "value"));
  return (server, look) => {
    setValue(cell, value, ago(ageSeconds(server, look.nowMs)));
    const taken = sampleTime(server);
    cell.title = taken === undefined ? "" : isoTime(taken);
  };
}

/** The uptime goes on while the server reports, so it is told from the boot time. @param {HTMLElement} cell @returns {Update} */
function uptimeCell(cell) {
  const value = cell.appendChild(part("span", "value"));
  return (server, look) => {
    const seconds = server.boot_time === undefined ? undefined : (look.nowMs - server.boot_time) / 1000;
    setValue(cell, value, hasValues(server) ? duration(seconds) : MISSING);
  };
}

/** @param {(server: Server) => string | undefined} read */
function textCell(read) {
  /** @param {HTMLElement} cell @returns {Update} */
  return (cell) => {
    const value = cell.appendChild(part("span", "text"));
    return (server) => {
      const text = read(server) || MISSING;
      setValue(cell, value, text);
      cell.title = text === MISSING ? "" : text;
    };
  };
}

/** Only what is shown counts when sorting. @param {(server: Server) => number | undefined} read */
const shown = (read) => (/** @type {Server} */ server) => (hasValues(server) ? read(server) : undefined);

/** @type {readonly Column[]} */
export const COLUMNS = [
  { id: "status", label: "Status", width: 136, ages: true, create: statusCell },
  { id: "name", label: "Name", width: 0, create: nameCell, sort: nameOf },
  { id: "cpu", label: "CPU", width: 112, keep: 9, sort: shown((server) => server.cpu_percent_total),
    create: meterCell("cpu_percent_total", (server) => server.cpu_percent_total) },
  { id: "spark", label: "CPU, 30 min", width: 112, keep: 5, create: sparkCell },
  { id: "memory", label: "Memory", width: 112, keep: 8, sort: shown((server) => server.memory_percent),
    create: meterCell("memory_percent", (server) => server.memory_percent) },
  { id: "disk", label: "Fullest disk", width: 188, keep: 7, sort: shown((server) => server.disk_percent), create: diskCell },
  { id: "in", label: "Net in", width: 92, number: true, keep: 4, sort: shown((server) => server.bytes_recv_per_sec),
    create: numberCell((server) => byteRate(server.bytes_recv_per_sec)) },
  { id: "out", label: "Net out", width: 92, number: true, keep: 3, sort: shown((server) => server.bytes_sent_per_sec),
    create: numberCell((server) => byteRate(server.bytes_sent_per_sec)) },
  { id: "load", label: "Load/core", width: 88, number: true, keep: 2, sort: shown((server) => server.load_per_core),
    create: numberCell((server) => load(server.load_per_core)) },
  { id: "uptime", label: "Uptime", width: 96, number: true, keep: 1, ages: true, create: uptimeCell,
    sort: shown((server) => (server.boot_time === undefined ? undefined : -server.boot_time)) },
  { id: "sample", label: "Sample", width: 104, number: true, keep: 6, ages: true, create: sampleCell,
    sort: (server) => (server.last_seen === undefined ? undefined : -server.last_seen) },
  { id: "swap", label: "Swap", width: 112, optional: true, sort: shown((server) => server.swap_percent),
    create: meterCell("swap_percent", (server) => server.swap_percent) },
  { id: "temperature", label: "Temp", width: 72, number: true, optional: true,
    sort: shown((server) => server.temperature_celsius), create: numberCell((server) => celsius(server.temperature_celsius)) },
  { id: "processes", label: "Processes", width: 92, number: true, optional: true,
    sort: shown((server) => server.processes_total), create: numberCell((server) => count(server.processes_total)) },
  { id: "os", label: "OS", width: 160, optional: true, sort: (server) => server.os, create: textCell((server) => server.os) },
  { id: "kernel", label: "Kernel", width: 140, optional: true, sort: (server) => server.kernel,
    create: textCell((server) => server.kernel) },
  { id: "agent", label: "Agent", width: 84, optional: true, sort: (server) => server.agent_version,
    create: textCell((server) => server.agent_version) },
];

const NAME_MIN_WIDTH = 220;
const CELL_PADDING = 16; // as in servers-table.css
const BESIDE_NAME = 148; // on a phone: padding, a gap and the longest status
const ALWAYS = ["status", "name"];

/** The columns named in `cols=cpu,memory`; null is the default set. @param {string | null} text */
export function chosenColumns(text) {
  if (text === null) return COLUMNS.filter((column) => !column.optional);
  const names = text.split(",");
  return COLUMNS.filter((column) => ALWAYS.includes(column.id) || names.includes(column.id));
}

/** The address's text for a choice; null when it is the default. @param {Set<string>} chosen */
export function columnsText(chosen) {
  const names = COLUMNS.filter((column) => chosen.has(column.id) && !ALWAYS.includes(column.id)).map((column) => column.id);
  const usual = COLUMNS.filter((column) => !column.optional && !ALWAYS.includes(column.id)).map((column) => column.id);
  return names.join() === usual.join() ? null : names.join() || "none";
}

/** @param {readonly Column[]} columns */
export const totalWidth = (columns) => columns.reduce((sum, column) => sum + (column.width || NAME_MIN_WIDTH), 0);

/** What a name and its tags have of a list this wide. @param {readonly Column[]} columns @param {number} width px @param {boolean} phone */
export const nameRoom = (columns, width, phone) =>
  (phone ? width - BESIDE_NAME : Math.max(NAME_MIN_WIDTH, width - totalWidth(columns) + NAME_MIN_WIDTH) - CELL_PADDING);

/** Leaves out the least needed columns until the rest fits. @param {readonly Column[]} columns @param {number} room px */
export function fitColumns(columns, room) {
  let fitting = [...columns];
  const leaving = columns.filter((column) => column.keep).sort((a, b) => (a.keep ?? 0) - (b.keep ?? 0));
  for (const column of leaving) {
    if (totalWidth(fitting) <= room) break;
    fitting = fitting.filter((other) => other !== column);
  }
  return fitting;
}

/** Columns that people may switch on and off. */
export const SWITCHABLE = COLUMNS.filter((column) => !ALWAYS.includes(column.id));
