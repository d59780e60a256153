// What the parts of the trace page share: the model, the window of time, the chosen span, the search. A part changes it through here and hears of changes.
import { foldFast, expandAll, refreshVisible, reveal, search, setOpen } from "./trace-model.js";

/** @typedef {import("./trace-model.js").TraceModel} TraceModel */

/** What changed: "window" of time, "rows" shown, "cursor" (the row the keys are on), "span" (open in the drawer), "look" (critical path), "found" (search), "marks" (logs came). */
/** @typedef {"window" | "rows" | "cursor" | "span" | "look" | "found" | "marks"} Change */

/** A narrower window than this shows nothing that the clock of a machine can tell apart. */
const leastWindowNano = 100;

export class TraceView {
  /** @param {TraceModel} model */
  constructor(model) {
    this.model = model;
    this.from = 0;
    this.to = model.durationNano;
    this.critical = false;
    /** row the keys are on, or -1 */
    this.cursor = -1;
    /** row open in the drawer, or -1 */
    this.span = -1;
    this.text = "";
    this.found = search(model, "");
    /** @type {((change: Change) => void)[]} */
    this.listeners = [];
  }

  /** @param {(change: Change) => void} listener */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /** @param {Change} change */
  changed(change) {
    for (const listener of this.listeners) listener(change);
  }

  get isZoomed() {
    return this.from > 0 || this.to < this.model.durationNano;
  }

  /** Looks at a part of the trace's time, kept within it. @param {number} from @param {number} to */
  look(from, to) {
    const all = this.model.durationNano;
    const length = Math.min(all, Math.max(Math.min(leastWindowNano, all), to - from));
    this.from = Math.min(all - length, Math.max(0, from));
    this.to = this.from + length;
    this.changed("window");
  }

  /** Zooms about an instant. @param {number} at @param {number} factor below 1 comes nearer */
  zoom(at, factor) {
    this.look(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  /** @param {number} row */
  moveTo(row) {
    if (row < 0) return;
    if (reveal(this.model, row)) this.changed("rows");
    this.cursor = row;
    this.changed("cursor");
  }

  /** Opens a span in the drawer; -1 closes it. @param {number} row */
  open(row) {
    if (row >= 0) this.moveTo(row);
    if (this.span === row) return;
    this.span = row;
    this.changed("span");
  }

  /** @param {number} row @param {boolean} open @returns {boolean} */
  fold(row, open) {
    const changed = setOpen(this.model, row, open);
    if (changed) this.changed("rows");
    return changed;
  }

  /** @param {boolean} open every subtree open, or those that are fast and fine folded again */
  foldAll(open) {
    if (open) expandAll(this.model);
    else foldFast(this.model);
    refreshVisible(this.model);
    if (this.cursor >= 0 && this.model.placeOf[this.cursor] < 0) reveal(this.model, this.cursor);
    this.changed("rows");
  }

  /** @param {boolean} critical */
  dim(critical) {
    this.critical = critical;
    this.changed("look");
  }

  /** @param {string} text */
  find(text) {
    this.text = text;
    this.found = search(this.model, text);
    this.changed("found");
  }
}
