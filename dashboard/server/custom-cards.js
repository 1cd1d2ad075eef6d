// @ts-check
/** The section of the custom metrics: one card for each, made when it is first seen. */

import * as format from "../format.js";
import { html, render } from "../vendor/lit-html.js";
import { customPlot, MAX_CARDS, present } from "./custom.js";
import { createPanel } from "./panel.js";

/** @typedef {ReturnType<typeof createPanel>} Panel */

/** @param {number} others */
const othersWords = (others) => (others
  ? `Not drawn: ${format.plural(others, "other custom metric")}. There is room for the first ${MAX_CARDS} by name, and for none with a comma in it or a space at its end.`
  : "");

/**
 * @param {HTMLElement} root
 * @param {import("./panel.js").PanelActions} actions
 * @param {(panel: Panel) => void} onNew
 */
export function createCustomCards(root, actions, onNew) {
  const section = document.createElement("section");
  section.className = "custom";
  section.hidden = true;
  section.setAttribute("aria-label", "Custom");
  render(html`<h2>Custom</h2><div class="charts"></div><p class="not-reported"></p>`, section);
  root.append(section);
  const [cards, rest] = [".charts", ".not-reported"].map((name) => /** @type {HTMLElement} */ (section.querySelector(name)));
  /** @type {Map<string, Panel>} */
  const panels = new Map();

  /** Makes the cards that are missing, each at its place. @param {string[]} metrics */
  function add(metrics) {
    for (const metric of metrics.filter((one) => !panels.has(one))) {
      const panel = createPanel(customPlot(metric), actions);
      panels.set(metric, panel);
      onNew(panel);
    }
  }

  /** @param {string[]} asked */
  function arrange(asked) {
    const wanted = asked.flatMap((metric) => panels.get(metric)?.element ?? []);
    wanted.forEach((card, i) => { if (cards.children[i] !== card) cards.insertBefore(card, cards.children[i] ?? null); });
  }

  return {
    panels: () => [...panels.values()],

    /**
     * @param {{asked: string[], others: number}} custom
     * @param {import("./plots.js").Source} source @param {import("./panel.js").Frame} frame
     */
    draw({ asked, others }, source, frame) {
      add(present(asked, source.history));
      arrange(asked);
      for (const panel of panels.values()) panel.draw(source, frame);
      rest.textContent = othersWords(others);
      section.hidden = !others && [...panels.values()].every((panel) => panel.element.hidden);
    },
  };
}
