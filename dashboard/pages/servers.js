// @ts-check
/** The list of all servers: its state lives in the address, its rows in the store. */

import { FIRST_REFRESH_MS, REFRESH_MS } from "../live.js";
import { closeMenus } from "../menus.js";
import { mergeServers } from "../servers-list.js";
import { createServersView } from "../servers-view.js";
import { statusNews } from "../status.js";

/** @typedef {import("../app.js").Context} Context */

const TICK_MS = 1000;

/** Asks for what changed and takes it into the store; after a removal, for everything. @param {Context} context @param {AbortSignal} signal */
export async function refreshServers({ api, clock, store, announce }, signal) {
  const { servers: known, answeredMs } = store.get();
  let answer = await api.servers({ since: answeredMs || undefined, signal });
  let merged = mergeServers(known, answer);
  if (answer.delta && !merged.whole) {
    answer = await api.servers({ signal });
    merged = mergeServers(known, answer);
  }
  clock.sync(answer.now);
  const news = statusNews(known, merged.servers);
  if (news) announce(news);
  store.set({ servers: merged.servers, counts: merged.counts, answeredMs: answer.now });
}

/** @param {HTMLElement} root @param {Context} context */
export async function mount(root, context) {
  const { live, store, setTitle } = context;
  let adding = false;
  const view = createServersView(root, context, () => void add());
  const ticker = setInterval(view.tick, TICK_MS);
  const ends = [store.subscribe(view.refreshed), closeMenus(root), () => clearInterval(ticker), view.destroy];
  setTitle("Servers");
  void live.start((signal) => refreshServers(context, signal), () => (store.get().servers.size && !adding ? REFRESH_MS : FIRST_REFRESH_MS));

  async function add() {
    const { openAddServer } = await import("./access.js");
    adding = true;
    openAddServer(context, () => (adding = false));
  }

  return {
    update: view.readAddress,
    unmount() {
      live.stop();
      for (const end of ends) end();
    },
  };
}
