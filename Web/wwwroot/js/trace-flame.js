// The flame graph, root on top: a canvas, since a trace may have more boxes than a document bears.
import { serviceColorNumber, token } from "./colors.js";
import { clear, h, swatch } from "./dom.js";
import { duration, integer, percent, text } from "./format.js";
import { t, tn } from "./i18n.js";
import { onTheme } from "./page.js";
import { byPath, byTime } from "./trace-flame-layout.js";
import { nameOf } from "./trace-model.js";
import { timeTicks } from "./trace-scale.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */

const lanePixels = 20;
const axisPixels = 22;

/** A narrower box has no room for letters. */
const labelPixels = 34;

export class FlameTab {
  /** @param {HTMLElement} host @param {TraceView} view @param {"time" | "path"} mode @param {(mode: "time" | "path") => void} chose */
  constructor(host, view, mode, chose) {
    this.host = host;
    this.view = view;
    this.mode = mode;
    this.chose = chose;
    this.hover = -1;
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { tabindex: "0", role: "img", "aria-label": t("Trace.FlameLabel") }));
    this.tip = h("div", { class: "tip", hidden: true });
    this.picture = h("div", { class: "flame" }, this.canvas, this.tip);
    this.path = h("span", { class: "small t2 cut grow" });
    this.boxes = this.layout();
    this.from = 0;
    this.to = this.boxes.total;
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.canvas.addEventListener("pointermove", (event) => this.onMove(event), { signal });
    this.canvas.addEventListener("pointerleave", () => this.onLeave(), { signal });
    this.canvas.addEventListener("click", (event) => this.onClick(event), { signal });
    this.canvas.addEventListener("dblclick", (event) => this.onOpen(event), { signal });
    this.observer = new ResizeObserver(() => this.draw());
    view.onChange((change) => {
      if (!signal.aborted && (change === "window" || change === "look" || change === "found" || change === "span" || change === "cursor")) this.draw();
    });
    onTheme(() => this.draw(), this.canvas);
    this.bar = h("div", { class: "fbar" });
    host.append(this.bar, this.picture);
    this.observer.observe(this.picture);
    this.drawBar();
  }

  destroy() {
    this.abort.abort();
    this.observer.disconnect();
    clear(this.host);
  }

  layout() {
    return this.mode === "time" ? byTime(this.view.model) : byPath(this.view.model);
  }

  /** The window looked at: the trace's own by time, else a part of the sums. @returns {[number, number]} */
  get window() {
    return this.mode === "time" ? [this.view.from, this.view.to] : [this.from, this.to];
  }

  /** @param {number} from @param {number} to */
  look(from, to) {
    if (this.mode === "time") this.view.look(from, to);
    else {
      this.from = from;
      this.to = to;
      this.draw();
    }
    this.drawBar();
  }

  drawBar() {
    const [from, to] = this.window;
    const zoomed = from > 0 || to < this.boxes.total;
    const mode = (/** @type {"time" | "path"} */ name, /** @type {string} */ label) =>
      h(
        "button",
        { type: "button", class: this.mode === name ? "on" : null, "aria-pressed": String(this.mode === name), onclick: () => this.setMode(name) },
        label,
      );
    clear(this.bar).append(
      h("div", { class: "seg" }, mode("time", t("Trace.FlameByTime")), mode("path", t("Trace.FlameByPath"))),
      this.path,
      h("button", { class: "btn sm", type: "button", disabled: !zoomed, onclick: () => this.look(0, this.boxes.total) }, t("Trace.ShowWhole")),
    );
    this.path.textContent = t(this.mode === "time" ? "Trace.FlameTimeHint" : "Trace.FlamePathHint");
  }

  /** @param {"time" | "path"} mode */
  setMode(mode) {
    if (this.mode === mode) return;
    this.mode = mode;
    this.boxes = this.layout();
    this.from = 0;
    this.to = this.boxes.total;
    this.hover = -1;
    this.tip.hidden = true;
    this.chose(mode);
    this.drawBar();
    this.draw();
  }

  draw() {
    const { boxes, canvas, view } = this;
    const { model } = view;
    const width = this.picture.clientWidth;
    const height = boxes.lanes * lanePixels + axisPixels + 4;
    const ratio = Math.min(devicePixelRatio || 1, 16_000 / Math.max(1, height));
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    if (!context || width === 0) return;
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const look = {
      colors: model.services.map((name) => token(`--svc-${serviceColorNumber(name)}`)),
      ink: token("--svc-ink"),
      text: token("--text"),
      text3: token("--text-3"),
      bad: token("--bad"),
      accent: token("--accent"),
      grid: token("--grid"),
      font: `11px ${style.fontFamily}`,
    };
    const [from, to] = this.window;
    const perNano = width / (to - from);
    this.drawAxis(context, from, to, width, height, look);
    context.font = look.font;
    context.textBaseline = "middle";
    /** the right edge drawn so far, by lane: boxes thinner than a pixel are drawn once */
    const edge = new Float64Array(boxes.lanes).fill(-1);
    for (let box = 0; box < boxes.row.length; box++) {
      const left = (boxes.from[box] - from) * perNano;
      const right = (boxes.to[box] - from) * perNano;
      if (right < 0 || left > width) continue;
      const lane = boxes.lane[box];
      if (right - left < 1 && right <= edge[lane] && left >= edge[lane] - 1) continue;
      edge[lane] = Math.max(edge[lane], Math.ceil(right));
      this.drawBox(context, box, Math.max(-2, left), Math.min(width + 2, right), look);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} from @param {number} to @param {number} width @param {number} height @param {any} look */
  drawAxis(context, from, to, width, height, look) {
    context.font = look.font;
    context.fillStyle = look.text3;
    context.strokeStyle = look.grid;
    context.textBaseline = "top";
    for (const tick of timeTicks(from, to, Math.max(2, Math.floor(width / 110)))) {
      const x = Math.round(((tick.at - from) / (to - from)) * width) + 0.5;
      context.beginPath();
      context.moveTo(x, axisPixels - 4);
      context.lineTo(x, height);
      context.stroke();
      if (x < width - 40) context.fillText(tick.label, x + 4, 4);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} box @param {number} left @param {number} right @param {any} look */
  drawBox(context, box, left, right, look) {
    const { boxes, view } = this;
    const { model } = view;
    const row = boxes.row[box];
    const y = axisPixels + boxes.lane[box] * lanePixels;
    const width = Math.max(1, right - left - 1);
    const faint = (view.critical && this.mode === "time" && !model.critical[row]) || (view.found.count > 0 && !view.found.hit[row]);
    context.globalAlpha = faint ? 0.3 : 1;
    context.fillStyle = look.colors[model.service[row]];
    context.fillRect(left, y, width, lanePixels - 2);
    if (boxes.failed[box]) {
      context.strokeStyle = look.bad;
      context.lineWidth = 1.5;
      if (width > 3) context.strokeRect(left + 0.75, y + 0.75, width - 1.5, lanePixels - 3.5);
      else {
        context.fillStyle = look.bad;
        context.fillRect(left, y, width, 3);
      }
    }
    if (box === this.hover || (this.mode === "time" && row === view.span)) {
      context.strokeStyle = look.accent;
      context.lineWidth = 2;
      context.strokeRect(left, y, width, lanePixels - 2);
    }
    if (width > labelPixels) {
      context.save();
      context.beginPath();
      context.rect(Math.max(0, left), y, width - 4, lanePixels);
      context.clip();
      context.fillStyle = look.ink;
      context.globalAlpha = faint ? 0.6 : 1;
      const many = boxes.spans[box] > 1 ? ` ×${integer(boxes.spans[box])}` : "";
      context.fillText(
        `${boxes.failed[box] ? "⚠ " : ""}${model.services[model.service[row]]}  ${this.mode === "time" ? nameOf(model, row) : model.names[model.name[row]]}${many}`,
        Math.max(0, left) + 5,
        y + lanePixels / 2 - 0.5,
      );
      context.restore();
    }
    context.globalAlpha = 1;
  }

  /** The box below the pointer, or -1. @param {MouseEvent} event */
  boxAt(event) {
    const area = this.canvas.getBoundingClientRect();
    const lane = Math.floor((event.clientY - area.top - axisPixels) / lanePixels);
    const [from, to] = this.window;
    const at = from + ((event.clientX - area.left) / area.width) * (to - from);
    const slack = (to - from) / area.width;
    const { boxes } = this;
    for (let box = boxes.row.length - 1; box >= 0; box--) if (boxes.lane[box] === lane && at >= boxes.from[box] && at <= boxes.to[box] + slack) return box;
    return -1;
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const box = this.boxAt(event);
    if (box !== this.hover) {
      this.hover = box;
      this.canvas.style.cursor = box >= 0 ? "pointer" : "default";
      this.draw();
    }
    this.tip.hidden = box < 0;
    if (box < 0) return;
    const { boxes, view } = this;
    const { model } = view;
    const row = boxes.row[box];
    const width = boxes.to[box] - boxes.from[box];
    clear(this.tip).append(
      h("div", { class: "row" }, swatch(model.services[model.service[row]]), h("b", null, model.services[model.service[row]]), h("span", { class: "grow" })),
      h("div", null, h("code", null, model.names[model.name[row]])),
      h(
        "div",
        { class: "t2" },
        `${text(duration(width))} · ${text(percent(width / boxes.total))}`,
        boxes.spans[box] > 1 ? ` · ${tn("Trace.Spans", boxes.spans[box])}` : ` · ${t("Trace.SelfIs", text(duration(model.self[row])))}`,
      ),
      boxes.failed[box] ? h("div", { class: "bad" }, t("Trace.Error")) : "",
    );
    const area = this.picture.getBoundingClientRect();
    this.tip.style.left = `${Math.min(event.clientX - area.left + 12, Math.max(0, area.width - this.tip.offsetWidth - 4))}px`;
    this.tip.style.top = `${event.clientY - area.top + 16}px`;
  }

  onLeave() {
    this.tip.hidden = true;
    if (this.hover >= 0) {
      this.hover = -1;
      this.draw();
    }
  }

  /** A press zooms to the box, and opens the span it is. @param {MouseEvent} event */
  onClick(event) {
    const box = this.boxAt(event);
    if (box < 0) return;
    const { boxes } = this;
    this.look(boxes.from[box], Math.max(boxes.to[box], boxes.from[box] + 1));
    if (boxes.spans[box] === 1) this.view.open(boxes.row[box]);
  }

  /** @param {MouseEvent} event */
  onOpen(event) {
    const box = this.boxAt(event);
    if (box >= 0) this.view.open(this.boxes.row[box]);
  }
}
