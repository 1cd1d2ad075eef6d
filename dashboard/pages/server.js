// @ts-check
/** The Server page: everything about one server in one window of time. */

import { FIRST_REFRESH_MS, REFRESH_MS } from "../live.js";
import { createView } from "../server/view.js";
import { createFeed } from "../server/feed.js";
import { createWindowState } from "../server/window-state.js";
import { serverKeys } from "../server/keys.js";
import { nameOf } from "../status.js";
import { boundsOf, rangeFor, windowWords } from "../timescale.js";

/**
 * @param {HTMLElement} root
 * @param {import("../app.js").Context} context
 */
export async function mount(root, context) {
  const { api, clock, live, router, store, setTitle } = context;
  const { id } = router.route;
  const ending = new AbortController();
  const feed = createFeed({ api, clock, id });
  const state = createWindowState(router, { now: () => clock.now(), onWindow: reload, onLook: () => view.draw() });
  const view = createView(root, { id, feed, state, context, signal: ending.signal });
  Object.assign(/** @type {any} */ (globalThis).hostpulse, { charts: view.handles });
  let beginning = true;
  setTitle(id);

  /** @param {AbortSignal} signal */
  async function refresh(signal) {
    try {
      await feed.refresh(state.window, signal);
    } catch (error) {
      if (/** @type {any} */ (error).status === 404) {
        view.showMissing();
        live.setLabel("No such server");
      }
      throw error;
    }
    setTitle(feed.data.row ? nameOf(feed.data.row) : id);
    view.show();
    if (beginning) begin();
  }

  // An hour that is nearly all empty says little: a young server is shown closer.
  function begin() {
    beginning = false;
    const { times, end, raw } = feed.data.history;
    if (raw && times.length) state.beginWith(rangeFor(end - times[0]));
  }

  function reload() {
    feed.forget();
    view.showLoading();
    void live.start(refresh, () => (feed.isNew() ? FIRST_REFRESH_MS : REFRESH_MS));
  }

  // A window of the past is asked for once; then there is nothing to wait for.
  const settle = live.subscribe(({ failures, paused, lastDataMs }) => {
    if (state.window.kind === "live" || paused || failures || lastDataMs === null || !view.isCurrent()) return;
    live.pause(`Paused · ${windowWords(state.window, state.zone)}`);
  });
  const forget = store.subscribe(() => view.draw());
  const tick = setInterval(() => view.drawHead(), 1000);
  serverKeys({ state, view, signal: ending.signal, bounds: () => boundsOf(state.window, clock.now()) });
  reload();

  return {
    update: () => state.read(),
    unmount() {
      ending.abort();
      clearInterval(tick);
      settle();
      forget();
      live.stop();
      live.setLabel("");
      view.destroy();
    },
  };
}
