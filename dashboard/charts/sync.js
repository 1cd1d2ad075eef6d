// @ts-check
/** Pointer and keys on any plot act on all plots: one crosshair, one selection, one window. */

import { MIN_SPAN } from "../timescale.js";
import { panned, pinched, timeAt } from "./gesture.js";

/** @typedef {{start: number, end: number}} Bounds */
/** @typedef {{element: HTMLElement, area: () => {left: number, right: number}}} Surface */
/**
 * @typedef {object} Handlers
 * @property {() => Bounds} bounds what all plots show
 * @property {() => number} now
 * @property {(time: number, by: number) => number} neighbour the instant that many samples further
 * @property {(time: number | null, surface: Surface | null) => void} onCursor
 * @property {(span: Bounds | null) => void} onSelect while selecting
 * @property {(bounds: Bounds) => void} onSlide while panning or pinching
 * @property {(span: Bounds) => void} onZoom a finished selection
 * @property {(bounds: Bounds) => void} onMove a finished pan or pinch
 * @property {() => void} onBack
 */

const LONG_PRESS_MS = 350;
const TOUCH_SLOP_PX = 8;
const CLICK_PX = 4;

/** @param {number} a @param {number} b */
const ordered = (a, b) => ({ start: Math.min(a, b), end: Math.max(a, b) });

/** @param {Handlers} handlers */
export function createSync(handlers) {
  /** @type {{mode: "none" | "select" | "pan" | "press" | "touch" | "pinch", surface: Surface | null, x: number, bounds: Bounds}} */
  const gesture = { mode: "none", surface: null, x: 0, bounds: { start: 0, end: 0 } };
  /** @type {Map<number, {from: number, at: number}>} */
  const fingers = new Map();
  let cursor = NaN;
  let anchor = NaN;
  let frame = 0;
  let pressTimer = 0;

  /** @param {PointerEvent} event @param {Surface} surface */
  const xOf = (event, surface) => event.clientX - surface.element.getBoundingClientRect().left;

  /** @param {number} x @param {Surface} surface */
  const timeOf = (x, surface) => timeAt(x, surface.area(), handlers.bounds());

  /** @param {typeof gesture.mode} mode @param {Surface} surface @param {number} x */
  function begin(mode, surface, x) {
    Object.assign(gesture, { mode, surface, x, bounds: handlers.bounds() });
  }

  function end() {
    clearTimeout(pressTimer);
    gesture.mode = "none";
    handlers.onSelect(null);
  }

  /** @param {number | null} time @param {Surface | null} surface */
  function moveCursor(time, surface) {
    cursor = time ?? NaN;
    handlers.onCursor(time, surface);
  }

  /** @param {number} x @param {Surface} surface */
  function follow(x, surface) {
    const { mode } = gesture;
    if (mode === "select") handlers.onSelect(ordered(timeAt(gesture.x, surface.area(), gesture.bounds), timeOf(x, surface)));
    if (mode === "pan") handlers.onSlide(panned(gesture.bounds, x - gesture.x, surface.area(), handlers.now()));
    else moveCursor(timeOf(x, surface), surface);
  }

  /** @param {PointerEvent} event @param {Surface} surface */
  function pointerDown(event, surface) {
    const x = xOf(event, surface);
    if (event.pointerType === "touch") return fingerDown(event, surface, x);
    if (event.button !== 0) return;
    surface.element.setPointerCapture(event.pointerId);
    begin(event.shiftKey ? "pan" : "select", surface, x);
  }

  /** @param {PointerEvent} event @param {Surface} surface @param {number} x */
  function fingerDown(event, surface, x) {
    fingers.set(event.pointerId, { from: x, at: x });
    clearTimeout(pressTimer);
    if (fingers.size === 2) {
      for (const finger of fingers.values()) finger.from = finger.at;
      return begin("pinch", surface, x);
    }
    begin("press", surface, x);
    pressTimer = Number(setTimeout(() => {
      gesture.mode = "touch";
      moveCursor(timeOf(x, surface), surface);
    }, LONG_PRESS_MS));
  }

  /** @param {PointerEvent} event @param {Surface} surface */
  function pointerMove(event, surface) {
    const x = xOf(event, surface);
    if (event.pointerType === "touch" && !fingerMove(event, x)) return;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => (gesture.mode === "pinch" ? handlers.onSlide(pinch(surface)) : follow(x, surface)));
  }

  /** Says whether the plot and not the page follows this finger. @param {PointerEvent} event @param {number} x */
  function fingerMove(event, x) {
    const finger = fingers.get(event.pointerId);
    if (finger) finger.at = x;
    if (gesture.mode === "press" && Math.abs(x - gesture.x) > TOUCH_SLOP_PX) end();
    return gesture.mode === "touch" || gesture.mode === "pinch";
  }

  /** @param {Surface} surface */
  function pinch(surface) {
    const [one, other] = [...fingers.values()];
    const limits = { now: handlers.now(), minSpan: MIN_SPAN };
    return pinched(gesture.bounds, [one.from, other.from], [one.at, other.at], surface.area(), limits);
  }

  /** @param {PointerEvent} event @param {Surface} surface */
  function pointerUp(event, surface) {
    cancelAnimationFrame(frame);
    const x = xOf(event, surface);
    const { mode } = gesture;
    const moved = Math.abs(x - gesture.x) >= CLICK_PX;
    const slid = mode === "pinch" ? pinch(surface) : panned(gesture.bounds, x - gesture.x, surface.area(), handlers.now());
    const selected = ordered(timeAt(gesture.x, surface.area(), gesture.bounds), timeOf(x, surface));
    fingers.delete(event.pointerId);
    end();
    if (mode === "touch") moveCursor(null, null);
    if (mode === "select" && moved) handlers.onZoom(selected);
    if ((mode === "pan" && moved) || mode === "pinch") handlers.onMove(slid);
  }

  /** @param {PointerEvent} event */
  function pointerCancel(event) {
    const sliding = gesture.mode === "pan" || gesture.mode === "pinch";
    fingers.delete(event.pointerId);
    end();
    if (sliding) handlers.onSlide(gesture.bounds);
    moveCursor(null, null);
  }

  /** @param {KeyboardEvent} event @param {Surface} surface */
  function keyDown(event, surface) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (by) moveByKey(by, event.shiftKey, surface);
    else if (event.key === "Enter" && !Number.isNaN(anchor)) zoomToKeys();
    else if (event.key === "Escape") escape();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} by @param {boolean} selecting @param {Surface} surface */
  function moveByKey(by, selecting, surface) {
    const from = Number.isNaN(cursor) ? handlers.bounds().end : cursor;
    if (selecting && Number.isNaN(anchor)) anchor = from;
    if (!selecting) anchor = NaN;
    moveCursor(handlers.neighbour(from, by), surface);
    handlers.onSelect(selecting ? ordered(anchor, cursor) : null);
  }

  function zoomToKeys() {
    const span = ordered(anchor, cursor);
    anchor = NaN;
    handlers.onSelect(null);
    handlers.onZoom(span);
  }

  function escape() {
    const busy = gesture.mode !== "none" || !Number.isNaN(anchor);
    const { mode, bounds } = gesture;
    anchor = NaN;
    end();
    if (mode === "pan") handlers.onSlide(bounds);
    if (!busy) handlers.onBack();
  }

  return {
    /** Ends what the pointer or the keys have begun; says whether there was anything to end. */
    cancel() {
      const busy = gesture.mode !== "none" || !Number.isNaN(anchor);
      if (busy) escape();
      return busy;
    },

    /** Takes the crosshair away until the pointer moves again: what it was on is not there any more. */
    leave() {
      cancelAnimationFrame(frame);
      moveCursor(null, null);
    },

    /** @param {Surface} surface @param {AbortSignal} signal the end of the page */
    add(surface, signal) {
      const on = (name, listener, options = {}) =>
        surface.element.addEventListener(name, (event) => listener(event, surface), { signal, ...options });
      on("pointerdown", pointerDown);
      on("pointermove", pointerMove);
      on("pointerup", pointerUp);
      on("pointercancel", pointerCancel);
      on("pointerleave", () => {
        cancelAnimationFrame(frame);
        if (gesture.mode === "none") moveCursor(null, null);
      });
      on("blur", () => { anchor = NaN; moveCursor(null, null); handlers.onSelect(null); });
      on("dblclick", () => handlers.onBack());
      on("keydown", keyDown);
      // A finger that reads the crosshair must not scroll the page; all other touches may.
      on("touchmove", (event) => (gesture.mode === "touch" || gesture.mode === "pinch") && event.preventDefault(), { passive: false });
    },
  };
}
