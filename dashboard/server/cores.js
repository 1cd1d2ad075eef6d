// @ts-check
/** The card of the cores: the heat map, and in words what the crosshair is on. */

import { RIGHT_PX, GUTTER_PX } from "../charts/chart.js";
import { createCursor } from "../charts/cursor.js";
import { drawHeat, heatMap, rowHeight } from "../charts/heat.js";
import { gapSpans, hasValue } from "../charts/history.js";
import * as format from "../format.js";
import { html, nothing, render } from "../vendor/lit-html.js";
import { coresAt, FEW, shownCores } from "./core-values.js";

/** @typedef {import("../charts/history.js").Series} Series */
/** @typedef {import("./panel.js").Frame} Frame */

export function createCores() {
  const element = document.createElement("section");
  element.className = "panel panel--full card";
  element.id = "chart-cores";
  element.setAttribute("aria-label", "CPU cores");
  element.hidden = true;
  render(html`<div class="panel__head"></div><div class="plot plot--heat" tabindex="0" role="group"
    aria-label="CPU cores: arrow keys read values"><canvas role="img"></canvas></div><div class="legend"></div>`, element);
  const [head, surface, foot] = [".panel__head", ".plot", ".legend"].map((name) => /** @type {HTMLElement} */ (element.querySelector(name)));
  const canvas = /** @type {HTMLCanvasElement} */ (surface.querySelector("canvas"));
  /** @type {{all: boolean, cores: Series[], history: any, frame: Frame | null, index: number, time: number | null, row: number}} */
  const now = { all: false, cores: [], history: null, frame: null, index: -1, time: null, row: -1 };
  const area = () => ({ left: GUTTER_PX, right: surface.clientWidth - RIGHT_PX, top: 0, bottom: surface.clientHeight });
  const cursor = createCursor(surface, area);

  function paint() {
    const { frame, history, cores } = now;
    if (!frame || element.hidden || !surface.clientWidth) return;
    surface.style.height = `${rowHeight(cores.length) * cores.length}px`;
    const { left, right } = area();
    const map = heatMap({ ...history, series: cores }, frame.bounds, right - left);
    const present = (i) => frame.grid.index[i] >= 0 && cores.some((core) => core.mean[frame.grid.index[i]] !== null);
    const gaps = gapSpans(frame.grid.xs, present, history, frame.bounds);
    drawHeat(canvas, map, { bounds: frame.bounds, gaps, left, right, palette: frame.palette });
  }

  function words() {
    const { frame, index, cores, time, row } = now;
    if (time === null || !frame) return html`<span class="heat-scale" aria-hidden="true">0%${[0, 1, 2, 3, 4, 5].map((step) =>
      html`<i data-step=${step}></i>`)}100%</span><span class="muted">hatched = no data</span>`;
    const core = cores[row];
    const value = core?.max[index];
    return html`<span>${frame.instant(time)}</span>
      ${core && format.isNumber(value) ? html`<b>cpu${core.instance} ${format.percent(value)}</b>` : nothing}
      <b class="legend__value">${coresAt(cores, index)}</b>`;
  }

  function drawHead(total) {
    const some = now.cores.length < total || now.all;
    render(html`<h2>CPU cores</h2>
      <span class="panel__subtitle">${some && !now.all ? `the ${now.cores.length} busiest of ${total}` : format.plural(total, "core")} · maximum per cell</span>
      ${some && total > FEW ? html`<button type="button" class="btn btn--small" @click=${toggleAll}>${now.all ? "Show the busiest" : "Show all"}</button>` : nothing}`, head);
  }

  function toggleAll() {
    now.all = !now.all;
    if (now.frame) draw(now.history, now.frame);
  }

  /** @param {import("../charts/history.js").History} history @param {Frame} frame */
  function draw(history, frame) {
    const every = history.series.filter((one) => one.metric === "cpu_percent_per_core" && hasValue(one.mean));
    Object.assign(now, { cores: shownCores(every, now.all), history, frame });
    element.hidden = every.length < 2;
    if (element.hidden) return;
    canvas.setAttribute("aria-label", `CPU cores, ${frame.words}: at the end ${coresAt(every, history.times.length - 1)}`);
    drawHead(every.length);
    paint();
    render(words(), foot);
  }

  surface.addEventListener("pointermove", (event) => {
    now.row = Math.floor((event.clientY - surface.getBoundingClientRect().top) / rowHeight(now.cores.length));
  });
  surface.addEventListener("pointerleave", () => { now.row = -1; });
  const observer = new ResizeObserver(paint);
  observer.observe(surface);

  return {
    key: "cores", element, surface: { element: surface, area }, draw,
    /** @param {{time: number | null, index: number, pointed: boolean}} at */
    point({ time, index, pointed }) {
      if (!now.frame || element.hidden) return;
      Object.assign(now, { time, index });
      cursor.point(time, now.frame.bounds, pointed && time !== null ? now.frame.instant(time) : "");
      render(words(), foot);
    },
    /** @param {{start: number, end: number} | null} span */
    select(span) {
      if (now.frame) cursor.select(span, now.frame.bounds);
    },
    /** @param {{start: number, end: number}} bounds */
    slide(bounds) {
      if (now.frame) now.frame = { ...now.frame, bounds };
      paint();
    },
    destroy: () => observer.disconnect(),
    handle: {
      get cursorTime() {
        return now.time;
      },
      get series() {
        return now.cores;
      },
    },
  };
}
