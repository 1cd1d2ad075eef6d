// @ts-check
/** What one likes better, kept in this browser. */

const PREFIX = "hostpulse.";
export const ZONE = "zone";

/** @param {string} name @param {string} usual @returns {string} */
export function preference(name, usual) {
  try {
    return localStorage.getItem(PREFIX + name) ?? usual;
  } catch {
    return usual; // storage is forbidden
  }
}

/** @param {string} name @param {string} value @returns {boolean} whether it is kept */
export function savePreference(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
    return true;
  } catch {
    return false;
  }
}
