// The waterfall: only the rows in view are in the document, however many spans there are.
import { clear, h } from "./dom.js";
import { integer } from "./format.js";
import { t } from "./i18n.js";
import { foldedGroup, hasChildren, isOpen, statusError } from "./trace-model.js";
import { WaterfallRow } from "./trace-row.js";
import { Scale, timeTicks } from "./trace-scale.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */

/** Rows kept above and below what is in view, so that a fast scroll does not run into white. */
const overscanRows = 12;

/** Indent of a level, and the width it may take in all: deep traces get narrower steps. */
const indentPixels = 12;
const mostIndentPixels = 168;

/** Room right of the bars for a duration. */
const lengthPixels = 64;
const narrowLengthPixels = 44;
const narrowWidth = 760;

/** The tallest element that every browser lays out right; above it rows would be lost. */
const mostPixels = 15_000_000;

/** One notch of a wheel with Ctrl comes nearer by this much. */
const wheelFactor = 0.8;

export class Waterfall {
  /** @param {HTMLElement} host @param {TraceView} view */
  constructor(host, view) {
    this.view = view;
    this.host = host;
    this.ticks = h("div", { class: "tks" });
    this.axis = h("div", { class: "axis", "aria-hidden": "true" }, h("span", null, t("Trace.ServiceAndOperation")), this.ticks);
    this.rows = h("div", { class: "wf", role: "treegrid", tabindex: "0", "aria-label": t("Trace.Waterfall") });
    host.append(this.axis, this.rows);
    /** @type {Map<number, WaterfallRow>} by place */
    this.live = new Map();
    /** @type {WaterfallRow[]} */
    this.spare = [];
    this.rowHeight = 24;
    this.room = lengthPixels;
    this.step = indentPixels;
    this.scale = new Scale(view.from, view.to, 1);
    this.frame = 0;
    this.stale = true;
    /** places in the document: first, and one past the last */
    this.first = 0;
    this.last = 0;
    /** the place at the top of the view */
    this.top = 0;
    this.schedule = () => {
      this.frame ||= requestAnimationFrame(() => this.render());
    };
    this.abort = new AbortController();
    const { signal } = this.abort;
    // Capture: whichever ancestor scrolls, its event passes here.
    addEventListener("scroll", this.schedule, { capture: true, passive: true, signal });
    addEventListener("resize", () => this.refresh(), { signal });
    this.observer = new ResizeObserver(() => this.refresh());
    this.observer.observe(this.rows);
    this.rows.addEventListener("click", (event) => this.onClick(event), { signal });
    host.addEventListener("wheel", (event) => this.onWheel(event), { passive: false, signal });
    this.axis.addEventListener("pointerdown", (event) => this.onAxisDrag(event), { signal });
    view.onChange((change) => {
      if (signal.aborted) return;
      if (change === "cursor") this.showCursor();
      this.refresh();
    });
    this.refresh();
  }

  destroy() {
    this.abort.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    clear(this.host);
  }

  /** Everything in view is filled afresh at the next frame. */
  refresh() {
    this.stale = true;
    this.schedule();
  }

  measure() {
    const narrow = innerWidth <= narrowWidth;
    this.rowHeight = narrow ? 44 : 24;
    const nameWidth = parseFloat(getComputedStyle(this.rows).getPropertyValue("--name")) || 380;
    this.room = narrow ? narrowLengthPixels : lengthPixels;
    const width = this.rows.clientWidth - nameWidth - 8 - this.room;
    this.scale = new Scale(this.view.from, this.view.to, Math.max(10, width));
    this.step = narrow ? 0 : Math.max(2, Math.min(indentPixels, Math.floor(mostIndentPixels / Math.max(1, this.view.model.maxDepth))));
    const height = this.view.model.visible.length * this.rowHeight;
    if (height > mostPixels) this.rowHeight = Math.max(12, Math.floor(mostPixels / this.view.model.visible.length));
    this.rows.style.height = `${this.view.model.visible.length * this.rowHeight}px`;
    this.rows.style.setProperty("--rowh", `${this.rowHeight}px`);
    this.rows.classList.toggle("crit", this.view.critical);
    this.rows.setAttribute("aria-rowcount", integer(this.view.model.visible.length).replaceAll(",", ""));
    this.drawAxis();
  }

  render() {
    this.frame = 0;
    if (this.stale) this.measure();
    const { visible } = this.view.model;
    const box = this.rows.getBoundingClientRect();
    const top = Math.floor(-box.top / this.rowHeight);
    const bottom = Math.ceil((innerHeight - box.top) / this.rowHeight);
    // A jump replaces every row: what is in view first, what is beyond it in the frame after.
    const far = !this.stale && Math.abs(top - this.top) > bottom - top;
    this.top = top;
    const beyond = far ? 0 : overscanRows;
    const first = Math.max(0, top - beyond);
    const last = Math.min(visible.length, bottom + beyond);
    if (far) this.schedule();
    if (!this.stale && first === this.first && last === this.last) return;
    this.first = first;
    this.last = last;
    for (const [place, row] of this.live) {
      if (place >= first && place < last) continue;
      this.live.delete(place);
      this.spare.push(row);
    }
    for (let place = first; place < last; place++) {
      let row = this.live.get(place);
      const made = !row;
      if (!row) {
        row = this.spare.pop() ?? this.make();
        this.live.set(place, row);
        row.element.style.top = `${place * this.rowHeight}px`;
        row.element.hidden = false;
      } else if (this.stale) row.element.style.top = `${place * this.rowHeight}px`;
      row.room = this.room;
      if (made || this.stale) row.fill(this.view, visible[place], this.scale, this.step);
    }
    for (const row of this.spare) if (!row.element.hidden) row.element.hidden = true;
    this.stale = false;
    if (this.view.cursor >= 0) this.rows.setAttribute("aria-activedescendant", `span-${this.view.cursor}`);
  }

  make() {
    const row = new WaterfallRow();
    this.rows.append(row.element);
    return row;
  }

  drawAxis() {
    const { from, to } = this.view;
    const ticks = timeTicks(from, to, Math.max(2, Math.floor(this.scale.width / 90)));
    this.ticks.replaceChildren(...ticks.map((tick) => h("b", { style: `left:${this.scale.x(tick.at).toFixed(1)}px` }, tick.label)));
  }

  /** Brings the row of the keys into view. */
  showCursor() {
    const place = this.view.model.placeOf[this.view.cursor];
    if (place === undefined || place < 0) return;
    if (this.stale) this.measure();
    const top = this.rows.getBoundingClientRect().top + place * this.rowHeight;
    const upper = this.axis.getBoundingClientRect().bottom;
    const lower = innerHeight - (innerWidth <= narrowWidth ? 64 : 8);
    const by = top < upper ? top - upper - this.rowHeight * 3 : top + this.rowHeight > lower ? top + this.rowHeight * 4 - lower : 0;
    if (by !== 0) scrollBy({ top: by, behavior: "instant" });
  }

  /** @param {MouseEvent} event */
  onClick(event) {
    const target = event.target instanceof Element ? event.target : null;
    const line = target?.closest(".ln");
    if (!(line instanceof HTMLElement) || !target) return;
    const row = Number(line.dataset.row);
    const { view } = this;
    const badge = target.closest(".badge");
    if (badge instanceof HTMLElement) {
      if (badge.dataset.fold === "group") {
        const group = view.model.groups[view.model.groupOf[row]];
        group.folded = true;
        view.fold(row, false) || view.changed("rows");
      } else view.fold(row, true);
      return;
    }
    if (target.closest(".tw") && (foldedGroup(view.model, row) || hasChildren(view.model, row))) {
      view.fold(row, !isOpen(view.model, row));
      return;
    }
    if (getSelection()?.type === "Range") return;
    view.open(row);
  }

  /** Ctrl and the wheel zoom about the pointer, as in a map. @param {WheelEvent} event */
  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const at = this.timeAt(event.clientX);
    this.view.zoom(at, event.deltaY < 0 ? wheelFactor : 1 / wheelFactor);
  }

  /** @param {number} clientX */
  timeAt(clientX) {
    const x = clientX - this.ticks.getBoundingClientRect().left;
    return this.view.from + (Math.min(this.scale.width, Math.max(0, x)) / this.scale.width) * (this.view.to - this.view.from);
  }

  /** A drag along the axis looks at what it covers. @param {PointerEvent} event */
  onAxisDrag(event) {
    if (event.button !== 0 || !(event.target instanceof Element) || !event.target.closest(".tks")) return;
    event.preventDefault();
    const begin = event.clientX;
    const left = this.ticks.getBoundingClientRect().left;
    const mark = h("i", { class: "drag" });
    this.ticks.append(mark);
    this.axis.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ e) => {
      mark.style.left = `${Math.min(begin, e.clientX) - left}px`;
      mark.style.width = `${Math.abs(e.clientX - begin)}px`;
    };
    const up = (/** @type {PointerEvent} */ e) => {
      this.axis.removeEventListener("pointermove", move);
      mark.remove();
      if (Math.abs(e.clientX - begin) > 4) this.view.look(this.timeAt(Math.min(begin, e.clientX)), this.timeAt(Math.max(begin, e.clientX)));
    };
    this.axis.addEventListener("pointermove", move);
    this.axis.addEventListener("pointerup", up, { once: true });
    this.axis.addEventListener("pointercancel", up, { once: true });
  }

  /**
   * What a key does here; false when nothing.
   * @param {string} key @returns {boolean}
   */
  onKey(key) {
    const { view } = this;
    const { model } = view;
    const place = view.cursor >= 0 ? model.placeOf[view.cursor] : -1;
    const page = Math.max(1, Math.floor((innerHeight - 200) / this.rowHeight));
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page };
    const step = /** @type {Record<string, number>} */ (steps)[key];
    if (step !== undefined) return this.go(Math.min(model.visible.length - 1, Math.max(0, place + step)));
    if (key === "Home") return this.go(0);
    if (key === "End") return this.go(model.visible.length - 1);
    if (view.cursor < 0) return false;
    if (key === "ArrowRight") {
      if (!view.fold(view.cursor, true) && hasChildren(model, view.cursor)) this.go(place + 1);
      return true;
    }
    if (key === "ArrowLeft") {
      const row = view.cursor;
      if (isOpen(model, row)) view.fold(row, false);
      else if (model.parent[row] >= 0) view.moveTo(model.parent[row]);
      return true;
    }
    if (key === "Enter") {
      view.open(view.cursor);
      return true;
    }
    return false;
  }

  /** @param {number} place */
  go(place) {
    this.view.moveTo(this.view.model.visible[place]);
    return true;
  }
}

/** @param {TraceView} view the rows with errors, for the jump's label */
export const errorCount = (view) => view.model.status.reduce((sum, status) => sum + (status === statusError ? 1 : 0), 0);
