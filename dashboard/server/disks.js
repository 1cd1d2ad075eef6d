// @ts-check
/** The mounts of a report, the fullest first. */

import { findSeries, lastValue } from "../charts/history.js";
import * as format from "../format.js";
import { fullInWords, isSoon } from "./forecast.js";
import { diskOf, isPseudo } from "./names.js";

/**
 * @typedef {object} DiskRow
 * @property {string} mount
 * @property {string} device
 * @property {string} fstype
 * @property {boolean} pseudo
 * @property {boolean} stuck
 * @property {string} note a word when something is wrong with the mount
 * @property {number} [percent]
 * @property {number} [free]
 * @property {number} [size]
 * @property {number} [inodes]
 * @property {string} fullIn
 * @property {number | null} [read]
 * @property {number | null} [write]
 * @property {number | null} [busy]
 */

/** @param {unknown} value */
const text = (value) => (typeof value === "string" ? value : "");
/** @param {unknown} value */
const number = (value) => (format.isNumber(/** @type {any} */ (value)) ? Number(value) : undefined);

/**
 * @param {any} report as received
 * @param {import("../charts/history.js").History} history
 * @param {Map<string, import("./forecast.js").Growth>} growth by mount
 * @returns {DiskRow[]}
 */
export function diskRows(report, history, growth) {
  const partitions = Array.isArray(report?.disk?.partitions) ? report.disk.partitions : [];
  const disks = [...new Set(history.series.filter((one) => one.metric === "read_bytes_per_sec").map((one) => one.instance))];
  const rows = partitions.filter((one) => text(one?.mountpoint)).map((one) => diskRow(one, disks.filter(Boolean), history, growth.get(one.mountpoint)));
  return rows.sort((a, b) => Number(b.stuck) - Number(a.stuck) || (b.percent ?? -1) - (a.percent ?? -1) || a.mount.localeCompare(b.mount));
}

/**
 * `full in 3.4 d` of a mount that will be within two weeks, else "".
 * @param {any} report as received @param {Map<string, import("./forecast.js").Growth>} growth by mount @param {string} mount
 */
export function fullSoonWords(report, growth, mount) {
  const partitions = Array.isArray(report?.disk?.partitions) ? report.disk.partitions : [];
  const free = number(partitions.find((one) => one?.mountpoint === mount)?.free);
  const known = growth.get(mount);
  return isSoon(known, free) ? `full in ${fullInWords(known, free)}` : "";
}

/** @param {any} partition @param {string[]} disks @param {import("../charts/history.js").History} history @param {import("./forecast.js").Growth | undefined} growth @returns {DiskRow} */
function diskRow(partition, disks, history, growth) {
  const device = text(partition.device);
  const disk = diskOf(device, disks);
  const rate = (metric) => (disk ? lastValue(findSeries(history, metric, disk)?.mean ?? []) : null);
  return {
    mount: partition.mountpoint, device, fstype: text(partition.fstype), pseudo: isPseudo(text(partition.fstype)),
    stuck: Boolean(partition.stuck), note: partition.stuck ? "does not answer" : partition.readonly ? "read-only" : "",
    percent: number(partition.percent), free: number(partition.free), size: number(partition.total),
    inodes: number(partition.inodes_percent), fullIn: partition.readonly ? format.MISSING : fullInWords(growth, number(partition.free)),
    read: rate("read_bytes_per_sec"), write: rate("write_bytes_per_sec"), busy: rate("disk_busy_percent"),
  };
}

