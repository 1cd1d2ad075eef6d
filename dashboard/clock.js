// @ts-check
/** The server's clock, as far as its answers tell; ages are never measured by the browser's alone. */

/** @param {() => number} [browserNow] */
export function createClock(browserNow = () => Date.now()) {
  let offsetMs = 0;
  return {
    /** The server's time now, epoch milliseconds. */
    now: () => browserNow() + offsetMs,

    /** Takes the `now` of an answer. @param {number | undefined} serverNow */
    sync(serverNow) {
      if (Number.isFinite(serverNow)) offsetMs = Number(serverNow) - browserNow();
    },
  };
}
