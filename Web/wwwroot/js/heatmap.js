// Time × log duration on a canvas; a cell's colour says ok or failing, its opacity how many. Drag a box to act on it.
import { token } from "./colors.js";
import { h } from "./dom.js";
import { dateTime, duration, integer, text, time } from "./format.js";
import { t } from "./i18n.js";
import { onTheme, state } from "./page.js";
import { ticks } from "./time.js";

/**
 * @typedef {object} HeatmapData  the answer of spans/heatmap
 * @property {string} startUnixNano
 * @property {number} stepNano
 * @property {number} steps
 * @property {{fromNano: number, toNano: number, count: number[], errors: number[]}[]} rows  slowest first
 */

/**
 * @typedef {object} Box
 * @property {bigint} fromUnixNano
 * @property {bigint} toUnixNano
 * @property {number} minNano
 * @property {number} maxNano
 */

const [left, right, top, bottom] = [56, 10, 18, 22];

/**
 * @param {HTMLElement} element
 * @param {HeatmapData} data
 * @param {{height?: number, label: string, marks?: {seconds: number, label: string}[], onBox?: (box: Box) => void, onCell?: (box: Box) => void, box?: Box | null}} options
 */
export function heatmap(element, data, options) {
  const zone = state().zone;
  const height = options.height ?? 260;
  const canvas = /** @type {HTMLCanvasElement} */ (
    h("canvas", { role: "img", "aria-label": options.label })
  );
  const tip = h("div", { class: "tip", hidden: true });
  const frame = h("div", { class: "box", hidden: true });
  element.classList.add("heat");
  element.replaceChildren(canvas, frame, tip);

  // The axis is continuous: missing rows between the fastest and the slowest are empty.
  const rows = fill(data.rows);
  const most = Math.max(1, ...rows.map((row) => Math.max(0, ...row.count)));
  const start = Number(BigInt(data.startUnixNano) / 1_000_000n) / 1000;
  const end = start + (data.steps * data.stepNano) / 1e9;

  const width = () => element.clientWidth;
  const cellWidth = () => (width() - left - right) / Math.max(1, data.steps);
  const cellHeight = () => (height - top - bottom) / Math.max(1, rows.length);

  const draw = () => {
    const ratio = devicePixelRatio;
    canvas.width = width() * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d")
    );
    context.scale(ratio, ratio);
    const [ok, bad] = [token("--heat"), token("--heat-bad")];
    const gap = cellWidth() > 4 ? 1 : 0;
    rows.forEach((row, y) => {
      for (let x = 0; x < data.steps; x++) {
        const count = row.count[x] ?? 0;
        if (count === 0) continue;
        const failing = (row.errors[x] ?? 0) * 2 >= count;
        context.fillStyle = `rgb(${failing ? bad : ok} / ${(0.22 + 0.78 * Math.sqrt(count / most)).toFixed(3)})`;
        context.fillRect(
          left + x * cellWidth(),
          top + y * cellHeight(),
          Math.max(1, cellWidth() - gap),
          Math.max(1, cellHeight() - 1),
        );
      }
    });
    context.fillStyle = token("--text-3");
    context.font = "11px Inter, system-ui, sans-serif";
    context.textAlign = "right";
    const every = Math.max(1, Math.ceil(rows.length / 8));
    rows.forEach((row, y) => {
      if ((rows.length - 1 - y) % every === 0)
        context.fillText(
          text(duration(row.fromNano)),
          left - 6,
          top + (y + 1) * cellHeight() + 3,
        );
    });
    context.textAlign = "center";
    for (const at of ticks(
      start,
      end,
      Math.max(2, Math.floor(width() / 90)),
      zone,
    )) {
      const x =
        left + ((at - start) / (end - start)) * (width() - left - right);
      if (x > left + 12 && x < width() - 18)
        context.fillText(
          time(
            BigInt(Math.round(at)) * 1_000_000_000n,
            zone,
            end - start < 300 ? "seconds" : "minutes",
          ),
          x,
          height - 6,
        );
    }
    for (const mark of options.marks ?? []) {
      if (mark.seconds < start || mark.seconds > end) continue;
      const x =
        Math.round(
          left +
            ((mark.seconds - start) / (end - start)) * (width() - left - right),
        ) + 0.5;
      context.strokeStyle = context.fillStyle = token("--text-2");
      context.setLineDash([2, 2]);
      context.beginPath();
      context.moveTo(x, top - 4);
      context.lineTo(x, height - bottom);
      context.stroke();
      context.setLineDash([]);
      context.textAlign = x > left + 60 ? "right" : "left";
      context.fillText(mark.label, x + (x > left + 60 ? -6 : 6), top - 6);
    }
    place(options.box ?? null);
  };

  /** @param {number} x @param {number} y @returns {{column: number, row: number}} */
  const cellAt = (x, y) => ({
    column: Math.min(
      data.steps - 1,
      Math.max(0, Math.floor((x - left) / cellWidth())),
    ),
    row: Math.min(
      rows.length - 1,
      Math.max(0, Math.floor((y - top) / cellHeight())),
    ),
  });

  /** @param {{column: number, row: number}} a @param {{column: number, row: number}} b @returns {Box} */
  const boxOf = (a, b) => {
    const [x0, x1, y0, y1] = [
      Math.min(a.column, b.column),
      Math.max(a.column, b.column),
      Math.min(a.row, b.row),
      Math.max(a.row, b.row),
    ];
    return {
      fromUnixNano:
        BigInt(data.startUnixNano) + BigInt(x0) * BigInt(data.stepNano),
      toUnixNano:
        BigInt(data.startUnixNano) + BigInt(x1 + 1) * BigInt(data.stepNano),
      minNano: rows[y1].fromNano,
      maxNano: rows[y0].toNano,
    };
  };

  /** Draws the frame of a box. @param {Box | null} box */
  const place = (box) => {
    frame.hidden = !box;
    if (!box) return;
    const x0 =
      left +
      (Number(box.fromUnixNano - BigInt(data.startUnixNano)) / data.stepNano) *
        cellWidth();
    const x1 =
      left +
      (Number(box.toUnixNano - BigInt(data.startUnixNano)) / data.stepNano) *
        cellWidth();
    const y0 = rows.findIndex((row) => row.toNano <= box.maxNano * 1.0001);
    const y1 = rows.findLastIndex(
      (row) => row.fromNano >= box.minNano * 0.9999,
    );
    frame.style.cssText = `left:${x0}px;width:${x1 - x0}px;top:${top + Math.max(0, y0) * cellHeight()}px;height:${(Math.max(y0, y1) - Math.max(0, y0) + 1) * cellHeight()}px`;
  };

  /** @type {{column: number, row: number} | null} */
  let from = null;
  const local = (/** @type {PointerEvent} */ event) => {
    const bounds = canvas.getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || rows.length === 0) return;
    const { x, y } = local(event);
    from = cellAt(x, y);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (rows.length === 0) return;
    const { x, y } = local(event);
    const cell = cellAt(x, y);
    if (from) place(boxOf(from, cell));
    const row = rows[cell.row];
    const count = row.count[cell.column] ?? 0;
    tip.hidden = x < left || y > height - bottom;
    const at =
      BigInt(data.startUnixNano) + BigInt(cell.column) * BigInt(data.stepNano);
    tip.replaceChildren(
      h("div", { class: "t3" }, dateTime(at, zone).slice(5)),
      h(
        "div",
        { class: "row" },
        h(
          "span",
          null,
          `${text(duration(row.fromNano))} – ${text(duration(row.toNano))}`,
        ),
        h("b", { class: "b" }, integer(count)),
      ),
      row.errors[cell.column]
        ? h(
            "div",
            { class: "row bad" },
            h("span", null, t("Shell.HeatErrors")),
            h("b", { class: "b" }, integer(row.errors[cell.column])),
          )
        : "",
    );
    const flip = x + tip.offsetWidth + 24 > width();
    tip.style.left = `${flip ? x - tip.offsetWidth - 12 : x + 12}px`;
    tip.style.top = `${Math.max(0, y - 20)}px`;
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!from) return;
    const { x, y } = local(event);
    const cell = cellAt(x, y);
    const box = boxOf(from, cell);
    const single = cell.column === from.column && cell.row === from.row;
    from = null;
    if (single) {
      place(options.box ?? null);
      options.onCell?.(box);
    } else options.onBox?.(box);
  });
  canvas.addEventListener("pointerleave", () => (tip.hidden = true));

  const watcher = new ResizeObserver(() => width() > 0 && draw());
  watcher.observe(element);
  onTheme(draw, element);
  return { draw, destroy: () => watcher.disconnect() };
}

/** @param {HeatmapData['rows']} rows */
function fill(rows) {
  /** @type {HeatmapData['rows']} */
  const found = [];
  for (const row of rows) {
    const last = found.at(-1);
    const ratio = row.toNano / row.fromNano;
    if (last && ratio > 1.01) {
      for (
        let edge = last.fromNano;
        edge > row.toNano * 1.01 && found.length < 200;
        edge /= ratio
      )
        found.push({
          fromNano: edge / ratio,
          toNano: edge,
          count: [],
          errors: [],
        });
    }
    found.push(row);
  }
  return found;
}
