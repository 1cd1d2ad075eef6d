// @ts-check
/** What the names of interfaces, disks and file systems tell. */

const VIRTUAL_NIC = /^(lo\d*$|veth|docker|br-|virbr|cali|flannel|cni|cilium|tap|tun|vnet|dummy|ifb|nodelocaldns|kube-)/;
const PSEUDO_FS = new Set([
  "tmpfs", "devtmpfs", "squashfs", "overlay", "ramfs", "efivarfs", "proc", "sysfs", "cgroup2", "devpts", "mqueue",
  "hugetlbfs", "fuse.lxcfs", "fuse.portal", "fuse.gvfsd-fuse", "nsfs", "autofs",
]);

/** @param {string} nic */
export const isPhysical = (nic) => !VIRTUAL_NIC.test(nic);

/** @param {string | undefined} fstype */
export const isPseudo = (fstype) => PSEUDO_FS.has(fstype ?? "");

/**
 * The whole disk a device of a mount lies on: `/dev/nvme0n1p2` is on `nvme0n1`; "" when none of them fits.
 * @param {string} device
 * @param {string[]} disks
 */
export function diskOf(device, disks) {
  const name = device.replace(/^\/dev\//, "");
  const fits = disks.filter((disk) => name === disk || (name.startsWith(disk) && /^p?\d+$/.test(name.slice(disk.length))));
  return fits.sort((a, b) => b.length - a.length)[0] ?? "";
}
