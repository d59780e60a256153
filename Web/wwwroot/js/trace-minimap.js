// The whole trace in a strip; what the other views look at is a window in it that can be dragged, stretched or drawn anew.
import { serviceColorNumber, token } from "./colors.js";
import { h } from "./dom.js";
import { duration, text } from "./format.js";
import { t } from "./i18n.js";
import { onTheme } from "./page.js";
import { statusError } from "./trace-model.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */

/** A drag shorter than this is a press. */
const leastDragPixels = 4;

/** An arrow key moves a handle by this part of the trace. */
const keyShare = 0.01;

export class Minimap {
  /** @param {HTMLElement} host @param {TraceView} view */
  constructor(host, view) {
    this.view = view;
    this.canvas = h("canvas");
    this.ranks = ranksOf(view.model);
    this.before = h("span", { class: "veil" });
    this.after = h("span", { class: "veil" });
    this.left = this.handle("from", t("Trace.WindowFrom"));
    this.right = this.handle("to", t("Trace.WindowTo"));
    this.window = h("span", { class: "w" });
    this.element = h(
      "div",
      { class: "mm", role: "group", "aria-label": t("Trace.Minimap"), title: t("Trace.MinimapHint") },
      this.canvas,
      this.before,
      this.after,
      this.window,
      this.left,
      this.right,
    );
    host.append(this.element);
    this.element.addEventListener("pointerdown", (event) => this.onDown(event));
    this.element.addEventListener("dblclick", () => view.look(0, view.model.durationNano));
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
    view.onChange((change) => {
      if (change === "window") this.place();
      if (change === "look") this.draw();
    });
    onTheme(() => this.draw(), this.element);
    this.place();
  }

  destroy() {
    this.observer.disconnect();
  }

  /** @param {"from" | "to"} side @param {string} label */
  handle(side, label) {
    const element = h("button", { class: `hd2 ${side}`, type: "button", role: "slider", "aria-label": label, "aria-valuemin": "0" });
    element.addEventListener("keydown", (event) => {
      const by = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
      if (by === 0) return;
      event.preventDefault();
      event.stopPropagation();
      const { view } = this;
      const step = by * keyShare * view.model.durationNano;
      if (side === "from") view.look(Math.max(0, Math.min(view.to - Math.abs(step), view.from + step)), view.to);
      else view.look(view.from, Math.min(view.model.durationNano, Math.max(view.from + Math.abs(step), view.to + step)));
    });
    return element;
  }

  place() {
    const { view } = this;
    const all = view.model.durationNano;
    const [from, to] = [(view.from / all) * 100, (view.to / all) * 100];
    this.before.style.cssText = `left:0;width:${from}%`;
    this.after.style.cssText = `left:${to}%;right:0`;
    this.window.style.cssText = `left:${from}%;width:${to - from}%`;
    this.left.style.left = `${from}%`;
    this.right.style.left = `${to}%`;
    for (const [handle, value] of /** @type {[HTMLElement, number][]} */ ([
      [this.left, view.from],
      [this.right, view.to],
    ])) {
      handle.setAttribute("aria-valuemax", String(Math.round(all)));
      handle.setAttribute("aria-valuenow", String(Math.round(value)));
      handle.setAttribute("aria-valuetext", text(duration(value)));
    }
  }

  draw() {
    const canvas = /** @type {HTMLCanvasElement} */ (this.canvas);
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    if (!context || width === 0) return;
    context.scale(ratio, ratio);
    const { model, critical } = this.view;
    const perNano = width / model.durationNano;
    const colors = model.services.map((name) => token(`--svc-${serviceColorNumber(name)}`));
    const bad = token("--bad");
    const { rank, ranks } = this.ranks;
    const perRow = (height - 10) / ranks;
    // Once a service, so that the colour is set a dozen times and not a hundred thousand; errors last, on top.
    for (let service = 0; service <= model.services.length; service++) {
      const errors = service === model.services.length;
      context.fillStyle = errors ? bad : colors[service];
      for (let row = 0; row < model.count; row++) {
        const failedCall = model.status[row] === statusError && model.peer[row] >= 0;
        if (errors ? !failedCall : failedCall || model.service[row] !== service) continue;
        context.globalAlpha = critical && !model.critical[row] ? 0.4 : 1;
        context.fillRect(model.start[row] * perNano, 4 + rank[row] * perRow, Math.max(1, model.duration[row] * perNano), 2);
      }
    }
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (event.button !== 0) return;
    const { view } = this;
    const box = this.element.getBoundingClientRect();
    const all = view.model.durationNano;
    const timeAt = (/** @type {number} */ x) => (Math.min(box.width, Math.max(0, x - box.left)) / box.width) * all;
    const begin = event.clientX;
    const [from, to] = [view.from, view.to];
    const target = event.target instanceof Element ? event.target : null;
    const side = target?.closest(".hd2")
      ? target.closest(".from")
        ? "from"
        : "to"
      : view.isZoomed && timeAt(begin) > from && timeAt(begin) < to
        ? "window"
        : "new";
    event.preventDefault();
    if (target instanceof HTMLElement && side !== "new" && side !== "window") target.focus();
    this.element.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ e) => {
      const by = ((e.clientX - begin) / box.width) * all;
      if (side === "window") view.look(from + by, to + by);
      else if (side === "from") view.look(Math.min(to, Math.max(0, from + by)), to);
      else if (side === "to") view.look(from, Math.max(from, Math.min(all, to + by)));
      else if (Math.abs(e.clientX - begin) > leastDragPixels) view.look(timeAt(Math.min(begin, e.clientX)), timeAt(Math.max(begin, e.clientX)));
    };
    const up = () => this.element.removeEventListener("pointermove", move);
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("pointerup", up, { once: true });
    this.element.addEventListener("pointercancel", up, { once: true });
  }
}

/**
 * The height of a row in the strip: calls of a group share one, as they do in the folded waterfall, so that a loop does not push the rest aside.
 * @param {import("./trace-model.js").TraceModel} model
 */
function ranksOf(model) {
  const rank = new Int32Array(model.count);
  let ranks = 0;
  for (let row = 0; row < model.count; row++) {
    const group = model.groupOf[row] >= 0 ? model.groups[model.groupOf[row]] : null;
    rank[row] = group && group.rows[0] !== row ? rank[group.rows[0]] : ranks++;
  }
  return { rank, ranks: Math.max(1, ranks) };
}
