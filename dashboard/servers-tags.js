// @ts-check
/** How many tags stand beside a name: as many as are seen whole, the others as `+4`. */

const TAG_MOST = 140; // px, as in marks.css
const TAG_PADDING = 14;
const TAG_GAP = 4;
const NAME_GAP = 6; // as in servers-cells.css
const NAME_LEAST = 60; // a longer name gives way down to this
const SLACK = 2; // text on a canvas is a little narrower than in the page

/** @typedef {(text: string) => number} Measure text in px */

/** Makes what tells how wide text in a tag is; each text is measured once. @returns {Measure} */
export function tagMeasure() {
  const context = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  /** @type {Map<string, number>} */
  const known = new Map();
  return (text) => {
    const width = known.get(text) ?? context.measureText(text).width + SLACK;
    known.set(text, width);
    return width;
  };
}

/** @param {string[]} texts @param {Measure} measure */
const widthOf = (texts, measure) =>
  texts.reduce((sum, text) => sum + Math.min(TAG_MOST, measure(text) + TAG_PADDING) + TAG_GAP, -TAG_GAP);

/**
 * The marks of a name: its badges, whole tags up to `most`, and how many there are besides.
 * @param {{badges: string[], tags: string[]}} of
 * @param {{most: number, room: number}} look `room`: px for name and marks
 * @param {Measure} measure
 * @returns {{tags: string[], others: string}}
 */
export function fitTags({ badges, tags }, { most, room }, measure) {
  const left = room - NAME_LEAST - NAME_GAP;
  for (let count = Math.min(most, tags.length); ; count -= 1) {
    const others = tags.length > count ? `+${tags.length - count}` : "";
    const shown = tags.slice(0, count);
    if (count === 0 || widthOf([...badges, ...shown, others].filter(Boolean), measure) <= left) return { tags: shown, others };
  }
}
