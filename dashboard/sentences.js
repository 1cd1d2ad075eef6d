// @ts-check
/** Sentences of the server, and texts that people type, taken apart. */

/**
 * A sentence of the server that begins with a field, as `name: is taken.`, taken apart.
 * @param {string} sentence @param {readonly string[]} fields those of the form
 * @returns {{field: string, words: string}} `field` is "" when it is about none of them
 */
export function problemOf(sentence, fields) {
  const found = /^([a-z_]+): (.+)$/s.exec(sentence);
  if (!found || !fields.includes(found[1])) return { field: "", words: sentence };
  return { field: found[1], words: found[2][0].toUpperCase() + found[2].slice(1) };
}

/** `prod, db` as tags. @param {string} text */
export const tagsOf = (text) => [...new Set(text.split(",").map((tag) => tag.trim()).filter(Boolean))];
