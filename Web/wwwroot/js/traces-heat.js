// Duration over time on a canvas: a cell is as strong as it is full, red where most of it failed. A dragged box is what the rest is compared with.
import { token } from "./colors.js";
import { clear, h } from "./dom.js";
import { compact, duration, integer, percent, text, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { onTheme } from "./page.js";
import { ticks } from "./time.js";

/** @typedef {{startUnixNano: string, stepNano: number, steps: number, rows: {fromNano: number, toNano: number, count: number[], errors: number[]}[]}} Heatmap */

/** A part of the map: times in nanoseconds since the epoch (as numbers: a step is far above their rounding), durations in nanoseconds. */
/** @typedef {{from: number, to: number, low: number, high: number}} Box */

const left = 56;
const right = 8;
const top = 22;
const bottom = 20;

/** A drag shorter than this is a press, which clears the box. */
const leastDragPixels = 5;

/** The weakest cell is still seen; red starts stronger, since few failures matter. */
const leastAlpha = 0.16;
const leastBadAlpha = 0.45;

/** Labels of durations are so far apart at least. */
const labelPixels = 26;

export class Heat {
  /**
   * @param {HTMLElement} host @param {string} zone
   * @param {{onBox: (box: Box | null) => void}} options
   */
  constructor(host, zone, options) {
    this.zone = zone;
    this.options = options;
    /** @type {Heatmap | null} */
    this.data = null;
    /** @type {Box | null} */
    this.box = null;
    /** @type {{at: number, label: string}[]} */
    this.deploys = [];
    this.canvas = /** @type {HTMLCanvasElement} */ (h("canvas", { role: "img", "aria-label": t("Traces.HeatLabel") }));
    this.frame = h("div", { class: "box", hidden: true });
    this.note = h("div", { class: "boxnote", hidden: true });
    this.tip = h("div", { class: "tip", hidden: true });
    this.element = h("div", { class: "heat" }, this.canvas, this.frame, this.note, this.tip);
    host.append(this.element);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
    this.element.addEventListener("pointerdown", (event) => this.onDown(event));
    this.element.addEventListener("pointermove", (event) => this.onMove(event));
    this.element.addEventListener("pointerleave", () => (this.tip.hidden = true));
    onTheme(() => this.draw(), this.element);
  }

  destroy() {
    this.observer.disconnect();
  }

  /** @param {Heatmap} data */
  show(data) {
    this.data = data;
    this.start = Number(data.startUnixNano);
    this.most = Math.max(1, ...data.rows.map((row) => Math.max(...row.count)));
    this.draw();
  }

  /** @param {Box | null} box */
  setBox(box) {
    this.box = box;
    this.drawBox();
  }

  get plot() {
    return { width: Math.max(1, this.element.clientWidth - left - right), height: Math.max(1, this.element.clientHeight - top - bottom) };
  }

  draw() {
    const { data, canvas } = this;
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    const context = canvas.getContext("2d");
    if (!data || !context || width === 0) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    context.scale(ratio, ratio);
    context.font = `11px ${getComputedStyle(canvas).fontFamily}`;
    this.drawCells(context, data);
    this.drawAxes(context, data, height);
    this.drawDeploys(context, height);
    this.drawBox();
  }

  /** @param {CanvasRenderingContext2D} context @param {Heatmap} data */
  drawCells(context, data) {
    const { width, height } = this.plot;
    const [cellWidth, cellHeight] = [width / data.steps, height / Math.max(1, data.rows.length)];
    const [heat, bad] = [token("--heat"), token("--heat-bad")];
    const gap = cellWidth > 3 ? 1 : 0;
    const full = Math.log(1 + (this.most ?? 1));
    data.rows.forEach((row, index) => {
      for (let step = 0; step < data.steps; step++) {
        const count = row.count[step];
        if (!count) continue;
        const failing = row.errors[step] > count / 2;
        const alpha = Math.min(1, leastAlpha + (1 - leastAlpha) * (Math.log(1 + count) / full));
        context.fillStyle = `rgb(${failing ? bad : heat} / ${(failing ? Math.max(leastBadAlpha, alpha) : alpha).toFixed(2)})`;
        context.fillRect(left + step * cellWidth, top + index * cellHeight, Math.max(1, cellWidth - gap), Math.max(1, cellHeight - 1));
      }
    });
  }

  /** @param {CanvasRenderingContext2D} context @param {Heatmap} data @param {number} height */
  drawAxes(context, data, height) {
    const plot = this.plot;
    context.fillStyle = token("--text-3");
    context.textBaseline = "middle";
    context.textAlign = "right";
    const cellHeight = plot.height / Math.max(1, data.rows.length);
    let last = -Infinity;
    data.rows.forEach((row, index) => {
      const y = top + index * cellHeight;
      if (y - last < labelPixels) return;
      last = y;
      context.fillText(edge(row.toNano), left - 8, y + 1);
    });
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    const [from, to] = [this.start ?? 0, (this.start ?? 0) + data.steps * data.stepNano];
    const days = to - from > 2 * 86_400e9;
    for (const at of ticks(from / 1e9, to / 1e9, Math.max(2, Math.floor(plot.width / 90)), this.zone)) {
      const x = left + ((at * 1e9 - from) / (to - from)) * plot.width;
      if (x < left + 14 || x > left + plot.width - 14) continue;
      context.fillText(
        days
          ? new Intl.DateTimeFormat("en-CA", { timeZone: this.zone, month: "2-digit", day: "2-digit" }).format(at * 1000)
          : time(BigInt(Math.round(at)) * 1_000_000_000n, this.zone, to - from < 300e9 ? "seconds" : "minutes"),
        x,
        height - 5,
      );
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {number} height */
  drawDeploys(context, height) {
    context.strokeStyle = context.fillStyle = token("--text-2");
    context.setLineDash([2, 2]);
    for (const deploy of this.deploys) {
      const x = Math.round(this.x(deploy.at)) + 0.5;
      if (x < left || x > left + this.plot.width) continue;
      context.beginPath();
      context.moveTo(x, 8);
      context.lineTo(x, height - bottom);
      context.stroke();
      const before = x > left + this.plot.width / 2;
      context.textAlign = before ? "right" : "left";
      context.fillText(deploy.label, x + (before ? -6 : 6), 15);
    }
    context.setLineDash([]);
  }

  /** @param {number} unixNano */
  x(unixNano) {
    const { data } = this;
    return data ? left + ((unixNano - (this.start ?? 0)) / (data.steps * data.stepNano)) * this.plot.width : 0;
  }

  drawBox() {
    const { data, box } = this;
    this.frame.hidden = this.note.hidden = !box || !data;
    if (!box || !data) return;
    const cellHeight = this.plot.height / Math.max(1, data.rows.length);
    const y = (/** @type {number} */ nano) => {
      const index = data.rows.findIndex((row) => nano >= row.toNano);
      return top + (index < 0 ? data.rows.length : index) * cellHeight;
    };
    const [x1, x2] = [Math.max(left, this.x(box.from)), Math.min(left + this.plot.width, this.x(box.to))];
    const [y1, y2] = [y(box.high), y(box.low)];
    this.frame.style.cssText = `left:${x1.toFixed(1)}px;top:${y1.toFixed(1)}px;width:${Math.max(2, x2 - x1).toFixed(1)}px;height:${Math.max(2, y2 - y1).toFixed(1)}px`;
    const inside = this.countIn(box);
    clear(this.note).append(
      h("b", null, tn("Traces.InBoxCount", inside.count)),
      h(
        "span",
        null,
        `${time(BigInt(Math.round(box.from)), this.zone, "seconds")} – ${time(BigInt(Math.round(box.to)), this.zone, "seconds")}, ${edge(box.low)} – ${edge(box.high)}`,
      ),
    );
    // Beside the box where there is room, else below or above it.
    const beside = x1 - left > this.plot.width - x2 + left;
    this.note.style.cssText =
      beside && x1 - left > 190
        ? `right:${(this.element.clientWidth - x1 + 12).toFixed(0)}px;top:${Math.max(2, y1 + 4).toFixed(0)}px;text-align:right`
        : left + this.plot.width - x2 > 190
          ? `left:${(x2 + 12).toFixed(0)}px;top:${Math.max(2, y1 + 4).toFixed(0)}px`
          : `left:${x1.toFixed(0)}px;top:${(y2 + 4 > this.element.clientHeight - 50 ? Math.max(0, y1 - 38) : y2 + 4).toFixed(0)}px`;
  }

  /** @param {Box} box */
  countIn(box) {
    const { data } = this;
    let [count, errors] = [0, 0];
    for (const row of data?.rows ?? []) {
      if (row.fromNano < box.low || row.toNano > box.high) continue;
      for (let step = 0; step < row.count.length; step++) {
        const at = (this.start ?? 0) + (step + 0.5) * (data?.stepNano ?? 0);
        if (at < box.from || at > box.to) continue;
        count += row.count[step];
        errors += row.errors[step];
      }
    }
    return { count, errors };
  }

  /** The cell below a point of the element, kept within the map. @param {number} x @param {number} y */
  cellAt(x, y) {
    const { data } = this;
    const { width, height } = this.plot;
    const steps = data?.steps ?? 1;
    const rows = data?.rows.length ?? 1;
    return {
      step: Math.min(steps - 1, Math.max(0, Math.floor(((x - left) / width) * steps))),
      row: Math.min(rows - 1, Math.max(0, Math.floor(((y - top) / height) * rows))),
      inside: x >= left && x <= left + width && y >= top && y <= top + height,
    };
  }

  /** A box of whole cells, so that its count is exact. @param {{step: number, row: number}} a @param {{step: number, row: number}} b @returns {Box} */
  boxOf(a, b) {
    const data = /** @type {Heatmap} */ (this.data);
    const start = this.start ?? 0;
    return {
      from: start + Math.min(a.step, b.step) * data.stepNano,
      to: start + (Math.max(a.step, b.step) + 1) * data.stepNano,
      low: data.rows[Math.max(a.row, b.row)].fromNano,
      high: data.rows[Math.min(a.row, b.row)].toNano,
    };
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (event.button !== 0 || !this.data || this.data.rows.length === 0) return;
    event.preventDefault();
    const area = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    const begin = this.cellAt(x, y);
    this.tip.hidden = true;
    this.dragging = true;
    this.element.setPointerCapture(event.pointerId);
    let moved = false;
    const move = (/** @type {PointerEvent} */ e) => {
      moved ||= Math.hypot(e.clientX - event.clientX, e.clientY - event.clientY) > leastDragPixels;
      if (moved) this.setBox(this.boxOf(begin, this.cellAt(e.clientX - area.left, e.clientY - area.top)));
    };
    const done = (/** @type {PointerEvent} */ e) => {
      this.dragging = false;
      this.element.removeEventListener("pointermove", move);
      this.element.removeEventListener("pointerup", done);
      this.element.removeEventListener("pointercancel", done);
      if (e.type === "pointercancel" || !moved) this.setBox(null);
      this.options.onBox(this.box);
    };
    this.element.addEventListener("pointermove", move);
    this.element.addEventListener("pointerup", done);
    this.element.addEventListener("pointercancel", done);
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const { data, tip } = this;
    if (this.dragging || !data || data.rows.length === 0) return;
    const area = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    const cell = this.cellAt(x, y);
    const row = data.rows[cell.row];
    const count = row.count[cell.step] ?? 0;
    tip.hidden = !cell.inside || count === 0;
    if (tip.hidden) return;
    const errors = row.errors[cell.step] ?? 0;
    const from = BigInt(Math.round((this.start ?? 0) + cell.step * data.stepNano));
    clear(tip).append(
      h("div", { class: "t2" }, `${time(from, this.zone, "seconds")} – ${time(from + BigInt(Math.round(data.stepNano)), this.zone, "seconds")}`),
      h("div", { class: "t2" }, `${text(duration(row.fromNano))} – ${text(duration(row.toNano))}`),
      h(
        "div",
        null,
        h("b", null, count < 100_000 ? integer(count) : compact(count)),
        errors ? h("span", { class: "bad" }, ` · ${tn("Traces.Failed", errors)} (${text(percent(errors / count))})`) : "",
      ),
    );
    tip.style.left = `${Math.min(x + 14, area.width - tip.offsetWidth - 4)}px`;
    tip.style.top = `${Math.min(y + 14, area.height - tip.offsetHeight - 2)}px`;
  }
}

/** "11 s": an edge needs no digits after the point that are nothing. @param {number} nano */
function edge(nano) {
  return text(duration(nano))
    .replace(/(\.\d*?)0+ /, "$1 ")
    .replace(". ", " ");
}
