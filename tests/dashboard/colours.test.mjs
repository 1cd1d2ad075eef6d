import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const CSS = new URL("../../dashboard/css/", import.meta.url);
const TOKENS = readFileSync(new URL("tokens.css", CSS), "utf8");

const TEXTS = ["text", "text-2", "text-3", "accent", "up-text", "warn-text", "crit-text", "paused-text", "info-text"];
const SURFACES = ["bg", "surface", "surface-2"];
const STATES = ["up", "warn", "crit", "paused", "info"];
const SERIES = ["s1", "s2", "s3", "s4", "s5", "s6"];
const HEAT = ["h0", "h1", "h2", "h3", "h4", "h5"];
const HEAT_INK_MIN = { light: 4.9, dark: 4.7 };
// CIEDE2000 that must remain between any two, for every kind of colour vision
const STATES_APART = { light: 14.8, dark: 15.8 };
const SERIES_APART = { light: { 3: 17.6, 4: 16.2, 6: 15.7 }, dark: { 3: 17.5, 4: 14, 6: 12.9 } };
const ROUNDING = 0.05; // the floors are given with one decimal

/** Linear RGB as people with each kind of vision get it (Machado, Oliveira and Fernandes 2009, severity 1). */
const VISION = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** The colours of one theme by name, read from the real file. */
function themeColours(selector) {
  const start = TOKENS.indexOf(`${selector} {`);
  const block = TOKENS.slice(start, TOKENS.indexOf("\n}", start));
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\s*;/gi)].map(([, name, colour]) => [name, colour]));
}
const THEMES = { light: themeColours(":root"), dark: themeColours(':root[data-theme="dark"]') };

const linear = (colour) =>
  [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));

function luminance(colour) {
  const [r, g, b] = linear(colour);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function lab(colour, matrix = VISION.normal) {
  const rgb = linear(colour);
  const [r, g, b] = matrix.map((row) => Math.min(1, Math.max(0, row.reduce((sum, part, index) => sum + part * rgb[index], 0))));
  const f = (t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const y = f(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = f((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const degrees = (radians) => (radians * 180) / Math.PI;
const cosine = (angle) => Math.cos((angle * Math.PI) / 180);
const sine = (angle) => Math.sin((angle * Math.PI) / 180);
const hue = (a, b) => (a === 0 && b === 0 ? 0 : (degrees(Math.atan2(b, a)) + 360) % 360);

function meanHue(one, other) {
  if (Math.abs(one - other) <= 180) return (one + other) / 2;
  return (one + other + (one + other < 360 ? 360 : -360)) / 2;
}

/** How far apart two CIELAB colours look: CIEDE2000. */
function difference([l1, a1, b1], [l2, a2, b2]) {
  const seventh = (c) => Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7));
  const stretch = 1 + 0.5 * (1 - seventh((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2));
  const [c1, c2] = [Math.hypot(a1 * stretch, b1), Math.hypot(a2 * stretch, b2)];
  const [h1, h2] = [hue(a1 * stretch, b1), hue(a2 * stretch, b2)];
  const turn = c1 * c2 === 0 ? 0 : ((h2 - h1 + 540) % 360) - 180;
  const [lightness, chroma] = [(l1 + l2) / 2, (c1 + c2) / 2];
  const h = c1 * c2 === 0 ? h1 + h2 : meanHue(h1, h2);
  const t = 1 - 0.17 * cosine(h - 30) + 0.24 * cosine(2 * h) + 0.32 * cosine(3 * h + 6) - 0.2 * cosine(4 * h - 63);
  const dl = (l2 - l1) / (1 + (0.015 * (lightness - 50) ** 2) / Math.sqrt(20 + (lightness - 50) ** 2));
  const dc = (c2 - c1) / (1 + 0.045 * chroma);
  const dh = (2 * Math.sqrt(c1 * c2) * sine(turn / 2)) / (1 + 0.015 * chroma * t);
  const rotation = -sine(60 * Math.exp(-(((h - 275) / 25) ** 2))) * 2 * seventh(chroma);
  return Math.sqrt(dl ** 2 + dc ** 2 + dh ** 2 + rotation * dc * dh);
}

function closestPair(colours) {
  let least = Infinity;
  for (const matrix of Object.values(VISION)) {
    const seen = colours.map((colour) => lab(colour, matrix));
    seen.forEach((one, at) => seen.slice(at + 1).forEach((other) => (least = Math.min(least, difference(one, other)))));
  }
  return least;
}

const atLeast = (value, floor, what) => assert.ok(value >= floor, `${what}: ${value.toFixed(2)} is below ${floor}`);

test("the measure itself is right on the published pairs of CIEDE2000", () => {
  const pairs = [
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
    [[90.8027, -2.0831, 1.441], [91.1528, -1.6435, 0.0447], 1.4441],
  ];
  for (const [one, other, expected] of pairs) assert.ok(Math.abs(difference(one, other) - expected) < 1e-3);
  assert.equal(contrast("#000000", "#ffffff"), 21);
});

for (const [theme, colours] of Object.entries(THEMES)) {
  test(`${theme}: every text stands out from every surface by 4.5`, () => {
    for (const surface of SURFACES) for (const text of TEXTS) atLeast(contrast(colours[text], colours[surface]), 4.5, `${text} on ${surface}`);
    for (const state of STATES) atLeast(contrast(colours[`${state}-text`], colours[`${state}-bg`]), 4.5, `${state}-text on ${state}-bg`);
    for (const mark of ["accent", "crit"]) atLeast(contrast(colours[`${mark}-ink`], colours[mark]), 4.5, `${mark}-ink on ${mark}`);
  });

  test(`${theme}: marks, borders of controls and the focus ring stand out by 3`, () => {
    for (const surface of SURFACES) {
      for (const mark of [...STATES, "border-strong", "focus"]) atLeast(contrast(colours[mark], colours[surface]), 3, `${mark} on ${surface}`);
    }
    for (const series of SERIES) atLeast(contrast(colours[series], colours.surface), 3, `${series} on surface`);
  });

  test(`${theme}: states and series stay apart for every kind of colour vision`, () => {
    atLeast(closestPair(STATES.map((state) => colours[state])), STATES_APART[theme] - ROUNDING, "states");
    for (const [first, floor] of Object.entries(SERIES_APART[theme])) {
      atLeast(closestPair(SERIES.slice(0, Number(first)).map((name) => colours[name])), floor - ROUNDING, `the first ${first} series`);
    }
  });

  test(`${theme}: the heat scale changes its lightness in one direction and carries readable ink`, () => {
    const lightness = HEAT.map((name) => lab(colours[name])[0]);
    const sign = theme === "light" ? -1 : 1;
    lightness.slice(1).forEach((value, index) => assert.ok(sign * (value - lightness[index]) > 0, `h${index + 1}`));
    for (const name of HEAT) {
      const ink = Math.max(contrast(colours[name], colours["heat-ink-dark"]), contrast(colours[name], colours["heat-ink-light"]));
      atLeast(ink, HEAT_INK_MIN[theme] - ROUNDING, `ink on ${name}`);
    }
  });
}

test("both themes name the same colours", () => {
  assert.deepEqual(Object.keys(THEMES.light), Object.keys(THEMES.dark));
  assert.ok(Object.keys(THEMES.light).length > 35);
});

test("no other stylesheet has a colour of its own", () => {
  for (const file of readdirSync(CSS).filter((name) => name.endsWith(".css") && name !== "tokens.css")) {
    const found = readFileSync(new URL(file, CSS), "utf8").match(/#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(/gi);
    assert.equal(found, null, `${file}: ${found}`);
  }
});
