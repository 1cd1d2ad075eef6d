// @ts-check
/** The charts of the Server page as one: the built-in ones, the cores, the custom ones. */

import { createCores } from "./cores.js";
import { createCustomCards } from "./custom-cards.js";
import { createPanel } from "./panel.js";
import { PLOTS } from "./plots.js";

/** @typedef {ReturnType<typeof createPanel> | ReturnType<typeof createCores>} AnyChart */

/**
 * @param {{charts: HTMLElement, custom: HTMLElement}} places
 * @param {object} page
 * @param {ReturnType<typeof import("./window-state.js").createWindowState>} page.state
 * @param {() => string} page.fileName of a download
 * @param {(chart: AnyChart) => void} page.onNew custom metrics may come at any time
 */
export function createChartSet(places, { state, fileName, onNew }) {
  const actions = { onLegend, onPick: state.choose, fileName };
  const builtIn = PLOTS.map((definition) => createPanel(definition, actions));
  const cores = createCores();
  const custom = createCustomCards(places.custom, actions, join);
  const panels = () => [...builtIn, ...custom.panels()];
  /** By key, for browser tests and for a look from the console. @type {Record<string, any>} */
  const handles = {};
  places.charts.append(...builtIn.map((panel) => panel.element), cores.element);
  [...builtIn, cores].forEach(join);

  /** @param {AnyChart} chart */
  function join(chart) {
    handles[chart.key] = chart.handle;
    onNew(chart);
  }

  /** @param {string} chart @param {string} series @param {boolean} alone */
  function onLegend(chart, series, alone) {
    const others = panels().find((panel) => panel.key === chart)?.handle.series.filter((one) => one.colour && one.key !== series) ?? [];
    const hidden = new Set(state.hidden);
    const isAlone = others.every((one) => hidden.has(`${chart}.${one.key}`));
    if (alone) others.forEach((one) => (isAlone ? hidden.delete(`${chart}.${one.key}`) : hidden.add(`${chart}.${one.key}`)));
    if (alone || hidden.has(`${chart}.${series}`)) hidden.delete(`${chart}.${series}`);
    else hidden.add(`${chart}.${series}`);
    state.hide(hidden);
  }

  return {
    handles,

    /** @returns {AnyChart[]} */
    all: () => [...panels(), cores],

    /**
     * @param {import("./plots.js").Source} source @param {import("./panel.js").Frame} frame
     * @param {{asked: string[], others: number}} customMetrics
     */
    draw(source, frame, customMetrics) {
      for (const panel of builtIn) panel.draw(source, frame);
      cores.draw(source.history, frame);
      custom.draw(customMetrics, source, frame);
    },

    /** The subjects of the charts that nothing was sent for. */
    missing: () => builtIn.filter((panel) => panel.element.hidden).map((panel) => panel.missing),

    /** @param {string} key */
    show(key) {
      const panel = panels().find((one) => one.key === key);
      if (!panel || panel.element.hidden) return;
      panel.element.scrollIntoView({ block: "center", behavior: "smooth" });
      panel.surface.element.focus({ preventScroll: true });
    },

    expandFocused() {
      const focused = panels().find((panel) => panel.element.contains(document.activeElement)) ?? panels().find((panel) => panel.isWide());
      focused?.toggleWide();
    },

    destroy() {
      for (const chart of [...panels(), cores]) chart.destroy();
    },
  };
}
