// @ts-check
/** Numbers, times and words as people read them; the only place that rounds for display. */

export const MISSING = "–";

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const SECONDS = { d: 86_400, h: 3600, min: 60, s: 1 };

/** @typedef {number | null | undefined} Value */

/** @param {Value} value @returns {value is number} */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** Rounds to 3 significant digits, never below whole units from 100 on. @param {number} value */
function threeDigits(value) {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toFixed(0);
  return value.toFixed(size >= 9.995 ? 1 : 2);
}

/** @param {number} value @param {number} base @param {string[]} units */
function scaled(value, base, units) {
  let power = 0;
  let rest = value;
  while (Math.abs(rest) >= base - 0.5 && power < units.length - 1) {
    rest /= base;
    power += 1;
  }
  const digits = power === 0 ? rest.toFixed(0) : threeDigits(rest);
  return `${digits} ${units[power]}`;
}

/** `3.9%` below 10, whole numbers above. @param {Value} value */
export function percent(value) {
  if (!isNumber(value)) return MISSING;
  const digits = Math.abs(value) < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return `${digits}%`;
}

/** A capacity in binary units: `15.7 GiB`. @param {Value} value */
export const bytes = (value) => (isNumber(value) ? scaled(value, 1024, BINARY) : MISSING);

/** A rate in decimal units: `6.08 MB/s`. @param {Value} value */
export const byteRate = (value) => (isNumber(value) ? `${scaled(value, 1000, DECIMAL)}/s` : MISSING);

/** @param {Value} value */
export const load = (value) => (isNumber(value) ? value.toFixed(2) : MISSING);

/** `0.42 ms`, `12 ms`, `1.4 s`. @param {Value} value */
export function milliseconds(value) {
  if (!isNumber(value)) return MISSING;
  if (value === 0) return "0 ms";
  if (value < 0.995) return `${value.toFixed(2)} ms`;
  if (value < 9.95) return `${value.toFixed(1)} ms`;
  if (value < 999.5) return `${value.toFixed(0)} ms`;
  return `${(value / 1000).toFixed(1)} s`;
}

/** `1,234`, from 10,000 on `12.3 k`. @param {Value} value */
export function count(value) {
  if (!isNumber(value)) return MISSING;
  const size = Math.abs(value);
  if (size >= 999_950_000) return `${threeDigits(value / 1e9)} G`;
  if (size >= 999_950) return `${threeDigits(value / 1e6)} M`;
  if (size >= 9999.5) return `${threeDigits(value / 1000)} k`;
  if (size < 10 && !Number.isInteger(value)) return value.toFixed(size < 1 ? 2 : 1);
  return Math.round(value).toLocaleString("en-US");
}

const SCALES = /** @type {[number, string][]} */ ([[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]]);

/** A number of which nothing is known: `17`, `1,234`, `12.3 k`, `0.0042`, `-3.5`. @param {Value} value */
export function number(value) {
  if (!isNumber(value)) return MISSING;
  const size = Math.abs(value);
  if (size < 9999.5) return Number.isInteger(value) || size >= 999.5 ? Math.round(value).toLocaleString("en-US") : String(+value.toPrecision(3));
  const [factor, name] = SCALES.find(([one]) => size >= one * 0.9995) ?? [1, ""];
  return `${threeDigits(value / factor)} ${name}`;
}

/** @param {Value} value */
export const celsius = (value) => (isNumber(value) ? `${value.toFixed(0)} °C` : MISSING);

/** @param {Value} value */
const megabits = (value) =>
  isNumber(value) ? (value >= 1000 ? `${+(value / 1000).toFixed(1)} Gb/s` : `${value} Mb/s`) : MISSING;

/** The two largest units: `46 d 3 h`, `3 h 12 min`, `14 min`, `23 s`. @param {Value} seconds */
export function duration(seconds) {
  if (!isNumber(seconds)) return MISSING;
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / SECONDS.d);
  const hours = Math.floor((whole % SECONDS.d) / SECONDS.h);
  const minutes = Math.floor((whole % SECONDS.h) / SECONDS.min);
  if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
  if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  return minutes ? `${minutes} min` : `${whole} s`;
}

/** The largest unit alone, where room is short: `3 h`. @param {Value} seconds */
export const shortDuration = (seconds) => duration(seconds).split(" ").slice(0, 2).join(" ");

/** A rhythm, exactly: `5 s`, `100 s`, `2 min`. @param {number} seconds */
export const every = (seconds) => (seconds % 60 ? `${seconds} s` : duration(seconds));

/** `2 s ago`. @param {Value} seconds */
export const ago = (seconds) => (isNumber(seconds) ? `${shortDuration(seconds)} ago` : MISSING);

/** @param {number} value */
const two = (value) => String(value).padStart(2, "0");

/** The local time of day `08:12:04`. @param {number} ms */
export function clockTime(ms) {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** The local date `2026-11-23`. @param {number} ms */
export function day(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `2026-11-23 08:12:04`, local. @param {number} ms */
export const dateTime = (ms) => `${day(ms)} ${clockTime(ms)}`;

/** ISO 8601 with the local zone's offset, for titles and exports. @param {number} ms */
export function isoTime(ms) {
  const minutes = -new Date(ms).getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const zone = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${day(ms)}T${clockTime(ms)}${zone}`;
}

/** `1 server`, `2 servers`. @param {number} number @param {string} noun */
export const plural = (number, noun) => `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

// Wherever a spreadsheet may see a cell begin, whatever its separator; the mark is among them, so that it can be taken away.
const FORMULA = /(?<=^|[,;"\t\r\n])(?=[=+\-@\t\r'＝＋－＠])/g;

/** A cell of a CSV file that no spreadsheet runs as a formula. @param {string | number | null | undefined} value */
export function csvCell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const harmless = value.replace(FORMULA, "'");
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** @type {Record<string, (value: Value) => string>} */
const BY_UNIT = {
  percent, bytes, load, celsius, count,
  ms: milliseconds,
  seconds: duration,
  bytes_per_sec: byteRate,
  mbit_per_sec: megabits,
  count_per_sec: (value) => (isNumber(value) ? `${count(value)}/s` : MISSING),
  "": number,
  flag: (value) => (isNumber(value) ? (value ? "yes" : "no") : MISSING),
};

/** Formats a value in the catalogue's unit. @param {Value} value @param {string} unit */
export const inUnit = (value, unit) => (BY_UNIT[unit] ?? count)(value);
