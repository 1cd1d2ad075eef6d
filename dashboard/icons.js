// @ts-check
/** The small pictures of the product; shape carries the meaning, colour only repeats it. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Each picture is a list of shapes [path, how]: "fill" in the current colour, "line" as a stroke,
 * "cut" as a stroke in the colour of the surface below.
 * @type {Record<string, [string, "fill" | "line" | "cut"][]>}
 */
const SHAPES = {
  up: [["M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z", "fill"], ["M4.8 8.2l2.2 2.2 4.2-4.6", "cut"]],
  down: [["M3 1.5h10A1.5 1.5 0 0 1 14.5 3v10a1.5 1.5 0 0 1-1.5 1.5H3A1.5 1.5 0 0 1 1.5 13V3A1.5 1.5 0 0 1 3 1.5z", "fill"],
    ["M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2", "cut"]],
  late: [["M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z", "line"], ["M8 4.8V8l2.4 1.6", "line"]],
  waiting: [["M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z", "fill"], ["M4.6 8h.01M8 8h.01M11.4 8h.01", "cut"]],
  paused: [["M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1z", "fill"], ["M6.2 5.4v5.2M9.8 5.4v5.2", "cut"]],
  ascending: [["M8 4.5l4 7H4z", "fill"]],
  descending: [["M8 11.5l-4-7h8z", "fill"]],
  chevron: [["M4 6l4 4 4-4", "line"]],
  copy: [["M6 5.5h7.5V14H6z", "line"], ["M3.5 10.5h-1V2H10v1.5", "line"]],
  cloned: [["M2.5 2.5H10V10H2.5z", "line"], ["M6 13.5h7.5V6", "line"]],
  close: [["M4 4l8 8M12 4l-8 8", "line"]],
  check: [["M3.5 8.5l3 3 6-7", "line"]],
  plus: [["M8 3.5v9M3.5 8h9", "line"]],
  person: [["M8 2a2.8 2.8 0 1 1 0 5.6A2.8 2.8 0 0 1 8 2z", "line"], ["M2.8 14a5.2 5.2 0 0 1 10.4 0", "line"]],
  settings: [["M2 5h6.5M12.5 5H14M2 11h1.5M7.5 11H14", "line"], ["M10.5 3.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z", "line"],
    ["M5.5 9.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6z", "line"]],
  light: [["M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6z", "line"],
    ["M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1.1 1.1M11.9 11.9L13 13M13 3l-1.1 1.1M4.1 11.9L3 13", "line"]],
  dark: [["M13.2 10A6 6 0 0 1 6 2.8a5.6 5.6 0 1 0 7.2 7.2z", "line"]],
  system: [["M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2z", "line"], ["M8 2a6 6 0 0 1 0 12z", "fill"]],
};

/** @param {keyof typeof SHAPES} name @returns {SVGSVGElement} a new picture, invisible to screen readers */
export function icon(name) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("class", `icon icon--${name}`);
  picture.setAttribute("aria-hidden", "true");
  for (const [path, how] of SHAPES[name] ?? []) {
    const shape = document.createElementNS(SVG, "path");
    shape.setAttribute("d", path);
    shape.setAttribute("class", `icon__${how}`);
    picture.append(shape);
  }
  return picture;
}
