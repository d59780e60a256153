// One row of the waterfall: made once, filled again for each span that scrolls into it.
import { serviceColor } from "./colors.js";
import { h, icon } from "./dom.js";
import { duration, integer, text } from "./format.js";
import { t, tn } from "./i18n.js";
import { barRange, errorsIn, foldedGroup, hasChildren, isCritical, isOpen, kinds, nameOf, standsFor, statusError } from "./trace-model.js";
import { coverage } from "./trace-scale.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */

const svgName = "http://www.w3.org/2000/svg";

/** Wide enough to hold "waits for …" within the bar. */
const labelPixels = 150;

/** A parent whose own work is below this share is drawn thin while its children show. */
const thinShare = 0.2;

/** Marks of log records on one bar; more would only cover it. */
const mostMarks = 24;

/** A letter of a duration, about. */
const letterPixels = 6;

export class WaterfallRow {
  constructor() {
    this.row = -1;
    /** pixels right of the timeline that a duration may use */
    this.room = 64;
    this.indent = h("span", { class: "ind" });
    this.twisty = h("span", { class: "tw", "aria-hidden": "true" });
    this.swatch = h("i", { class: "sw" });
    this.service = h("span", { class: "sv" });
    this.error = h("span", { class: "bad er", role: "img", "aria-label": t("Trace.Error") }, icon("bad"));
    this.name = h("code");
    this.badge = h("button", { class: "badge", type: "button", tabindex: "-1" });
    this.peer = h("span", { class: "t3 tiny pe" });
    this.bar = h("span", { class: "sp" });
    this.label = h("span", { class: "pn" });
    this.lines = document.createElementNS(svgName, "svg");
    this.path = document.createElementNS(svgName, "path");
    this.ticks = document.createElementNS(svgName, "path");
    this.path.setAttribute("class", "cp");
    this.ticks.setAttribute("class", "tk");
    this.lines.append(this.ticks, this.path);
    this.marks = h("span", { class: "ms" });
    this.length = h("span", { class: "du" });
    this.line = h("span", { class: "tl" }, this.bar, this.label, this.lines, this.marks, this.length);
    this.element = h(
      "div",
      { class: "ln", role: "row" },
      h("div", { class: "nm", role: "gridcell" }, this.indent, this.twisty, this.swatch, this.service, this.error, this.name, this.badge, this.peer),
      h("div", { class: "tc", role: "gridcell" }, this.line),
    );
  }

  /**
   * @param {TraceView} view @param {number} row @param {import("./trace-scale.js").Scale} scale @param {number} step pixels of indent for each level
   */
  fill(view, row, scale, step) {
    const { model } = view;
    this.row = row;
    const group = foldedGroup(model, row);
    const failed = group ? group.rows.some((one) => errorsIn(model, one) > 0) : model.status[row] === statusError;
    const service = model.services[model.service[row]];
    const color = serviceColor(service);
    const dim = view.critical && !isCritical(model, row);
    const place = model.placeOf[row];
    const element = this.element;
    element.className = `ln${dim ? " dim" : ""}${view.cursor === row ? " on" : ""}${view.found.hit[row] ? " hit" : ""}`;
    element.style.setProperty("--c", color);
    element.id = `span-${row}`;
    element.dataset.row = String(row);
    element.setAttribute("aria-rowindex", String(place + 1));
    element.setAttribute("aria-level", String(model.depth[row] + 1));
    element.setAttribute("aria-selected", String(view.cursor === row));
    const folds = !!group || hasChildren(model, row);
    if (folds) element.setAttribute("aria-expanded", String(isOpen(model, row)));
    else element.removeAttribute("aria-expanded");
    this.indent.style.width = `${model.depth[row] * step + 10}px`;
    this.indent.style.setProperty("--step", `${step}px`);
    this.twisty.textContent = !folds ? "" : isOpen(model, row) ? "▾" : "▸";
    this.service.textContent = service;
    this.error.hidden = !failed;
    this.name.textContent = nameOf(model, row);
    this.name.title = model.detail[row] >= 0 ? model.names[model.detail[row]] : this.name.textContent;
    this.fillBadge(view, row, group);
    const peer = model.peer[row] >= 0 && !group ? model.names[model.peer[row]] : "";
    this.peer.textContent = peer;
    this.fillBar(view, row, scale, group, failed, peer);
  }

  /** @param {TraceView} view @param {number} row @param {import("./trace-model.js").Group | null} group */
  fillBadge(view, row, group) {
    const { model } = view;
    const hidden = group ? 0 : model.collapsed[row] ? model.end[row] - row - 1 : 0;
    const own = model.groupOf[row] >= 0 && !group && model.groups[model.groupOf[row]].rows[0] === row ? model.groups[model.groupOf[row]] : null;
    this.badge.hidden = !group && !hidden && !own;
    if (this.badge.hidden) return;
    this.badge.className = `badge${group ? " warn" : ""}`;
    this.badge.dataset.fold = own && !hidden ? "group" : "row";
    this.badge.textContent = group || (own && !hidden) ? `×${integer((group ?? own)?.count ?? 0)}` : `+${integer(hidden)}`;
    this.badge.title = group ? t("Trace.GroupFolded") : hidden ? tn("Trace.Folded", hidden) : t("Trace.GroupOpen");
  }

  /**
   * @param {TraceView} view @param {number} row @param {import("./trace-scale.js").Scale} scale
   * @param {import("./trace-model.js").Group | null} group @param {boolean} failed @param {string} peer
   */
  fillBar(view, row, scale, group, failed, peer) {
    const { model } = view;
    const { from, to } = barRange(model, row);
    const [left, right] = [scale.x(from), scale.x(to)];
    const shown = right >= 0 && left <= scale.width;
    const [start, stop] = [Math.max(-2, left), Math.min(scale.width + 2, Math.max(right, left + 2))];
    this.bar.hidden = !shown || !!group;
    const thin = isOpen(model, row) && model.self[row] < thinShare * model.duration[row];
    this.bar.className = `sp${failed ? " err" : ""}${thin ? " thin" : ""}${left < -2 ? " cutl" : ""}${right > scale.width + 2 ? " cutr" : ""}`;
    this.bar.style.left = `${start.toFixed(1)}px`;
    this.bar.style.width = `${Math.max(2, stop - start).toFixed(1)}px`;
    const waits = !!peer && !thin && shown && stop - start > labelPixels && kinds[model.kind[row]] !== "server";
    this.label.hidden = !waits;
    if (waits) {
      this.label.textContent = t("Trace.WaitsFor", peer);
      this.label.style.left = `${Math.max(0, start).toFixed(1)}px`;
      this.label.style.maxWidth = `${(stop - start).toFixed(0)}px`;
    }
    const width = Math.max(0, Math.ceil(scale.width));
    this.lines.setAttribute("width", String(width));
    this.ticks.setAttribute("d", group ? coverage(scale, intervalsOf(model, group.rows), 5, 12, true) : "");
    this.ticks.setAttribute("class", failed ? "tk err" : "tk");
    this.path.setAttribute("d", coverage(scale, pathOf(model, row), 18, 2));
    this.fillMarks(view, row, scale, to);
    this.fillLength(row, view, group, left, right, scale.width, shown);
  }

  /**
   * @param {number} row @param {TraceView} view @param {import("./trace-model.js").Group | null} group
   * @param {number} left @param {number} right @param {number} width @param {boolean} shown
   */
  fillLength(row, view, group, left, right, width, shown) {
    const { model } = view;
    const own = group ? `×${integer(group.count)} · ${text(duration(group.durationNano))}` : text(duration(model.duration[row]));
    const events = model.events[row] - model.exceptions[row];
    this.length.textContent = shown ? (events > 0 && !group ? `${own}  ◇${events}` : own) : left > width ? `${own} →` : `← ${own}`;
    this.length.title = events > 0 ? tn("Trace.Events", events) : "";
    const style = this.length.style;
    const needed = own.length * letterPixels + 12;
    const room = width + this.room - right;
    if (shown && room < (this.length.textContent?.length ?? 0) * letterPixels + 12) this.length.textContent = own;
    style.left = style.right = "auto";
    if (!shown) style[left > width ? "right" : "left"] = "0";
    else if (room < needed && left > needed) style.right = `${(width - left).toFixed(1)}px`;
    // A long one after a bar of the whole width would leave the row.
    else style.left = `${Math.max(0, Math.min(width, Math.max(0, right), width + this.room - needed)).toFixed(1)}px`;
  }

  /** @param {TraceView} view @param {number} row @param {import("./trace-scale.js").Scale} scale @param {number} end */
  fillMarks(view, row, scale, end) {
    const { model } = view;
    const marks = (model.marks.get(row) ?? [])
      .slice(0, mostMarks)
      .map((mark) => ({ at: mark.at, look: mark.severity, title: t("Trace.LogMark", t(`Trace.Severity.${mark.severity}`)) }));
    // An outline has the number of exceptions but not their times: they stand at the end, where one that left the span was recorded.
    if (model.exceptions[row] > 0 && !marks.some((mark) => mark.look === "error" || mark.look === "fatal"))
      marks.push({ at: end, look: "error", title: tn("Trace.Exceptions", model.exceptions[row]) });
    if (marks.length === 0 && !this.marks.firstChild) return;
    this.marks.replaceChildren(
      ...marks
        .filter((mark) => mark.at >= view.from && mark.at <= view.to)
        .map((mark) => h("i", { class: `lg ${mark.look}`, style: `left:${scale.x(mark.at).toFixed(1)}px`, title: mark.title })),
    );
  }
}

/** @param {import("./trace-model.js").TraceModel} model @param {Int32Array} rows @returns {Iterable<[number, number]>} */
function* intervalsOf(model, rows) {
  for (const row of rows) yield [model.start[row], model.start[row] + model.duration[row]];
}

/** The critical path through a row and what it hides. @param {import("./trace-model.js").TraceModel} model @param {number} row @returns {Iterable<[number, number]>} */
function* pathOf(model, row) {
  const { first, from, to } = model.segments;
  for (const [start, end] of standsFor(model, row)) for (let at = first[start]; at < first[end]; at++) yield [from[at], to[at]];
}
