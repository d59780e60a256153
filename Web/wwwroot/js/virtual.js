// Long lists: only the rows in view are in the document. Rows may differ in height; a height is measured once a row was drawn.
import { h } from "./dom.js";

/**
 * @template T
 * @typedef {object} ListOptions
 * @property {number} rowHeight  px, of a row not measured yet
 * @property {(item: T, index: number) => HTMLElement} render
 * @property {(item: T) => string} key  stays with an item; heights are kept by it
 * @property {() => void} [onEnd]  the reader came near the end
 */

/** Rows drawn beyond the edges, so that a quick scroll meets no blank. */
const overscan = 12;

/** Rows from the end at which more is asked for. */
const nearEnd = 30;

/**
 * Scrolls with the page: the list is as high as all its rows.
 * @template T
 * @param {HTMLElement} element
 * @param {ListOptions<T>} options
 */
export function virtualList(element, options) {
  /** @type {T[]} */
  let items = [];
  /** @type {Map<string, number>} */
  const heights = new Map();
  /** @type {number[]} offset of each row, and the whole height at the end */
  let offsets = [0];
  const body = h("div", { class: "vlist", role: "presentation" });
  element.append(body);
  /** @type {Map<string, {node: HTMLElement, index: number}>} */
  let drawn = new Map();
  let asked = false;

  const measure = () => {
    offsets = new Array(items.length + 1);
    offsets[0] = 0;
    for (let i = 0; i < items.length; i++)
      offsets[i + 1] =
        offsets[i] + (heights.get(options.key(items[i])) ?? options.rowHeight);
    body.style.height = `${offsets[items.length]}px`;
  };

  /** The row at an offset. @param {number} y */
  const find = (y) => {
    let [low, high] = [0, items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle + 1] <= y) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  const draw = () => {
    asked = false;
    if (!element.isConnected) return;
    const top = -body.getBoundingClientRect().top;
    const first = Math.max(0, find(top) - overscan);
    const last = Math.min(items.length, find(top + innerHeight) + overscan);
    /** @type {typeof drawn} */
    const next = new Map();
    for (let i = first; i < last; i++) {
      const key = options.key(items[i]);
      const node = drawn.get(key)?.node ?? options.render(items[i], i);
      node.style.position = "absolute";
      node.style.insetInline = "0";
      node.style.top = `${offsets[i]}px`;
      next.set(key, { node, index: i });
    }
    for (const [key, { node }] of drawn) if (!next.has(key)) node.remove();
    let previous = null;
    for (const { node } of next.values()) {
      if (node.parentNode !== body)
        body.insertBefore(
          node,
          previous ? previous.nextSibling : body.firstChild,
        );
      previous = node;
    }
    drawn = next;
    let moved = false;
    for (const [key, { node }] of next) {
      const height = node.offsetHeight;
      if (height > 0 && height !== (heights.get(key) ?? options.rowHeight)) {
        heights.set(key, height);
        moved = true;
      }
    }
    if (moved) {
      measure();
      for (const { node, index } of drawn.values())
        node.style.top = `${offsets[index]}px`;
    }
    if (items.length > 0 && last >= items.length - nearEnd) options.onEnd?.();
  };

  const schedule = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(draw);
  };
  addEventListener("scroll", schedule, { passive: true });
  addEventListener("resize", schedule);

  return {
    /** @param {T[]} next */
    set(next) {
      items = next;
      measure();
      draw();
    },
    /** Draws a row again, after it was opened or closed. @param {T} item */
    redraw(item) {
      const key = options.key(item);
      drawn.get(key)?.node.remove();
      drawn.delete(key);
      heights.delete(key);
      measure();
      draw();
    },
    destroy() {
      removeEventListener("scroll", schedule);
      removeEventListener("resize", schedule);
      body.remove();
    },
  };
}
