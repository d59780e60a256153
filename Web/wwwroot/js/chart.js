// Time series by uPlot, in our clothes: axes of the page's zone, deploy markers, a tooltip, drag sets the range, click tells where.
import library from "../lib/uplot.js";
import { token } from "./colors.js";
import { h } from "./dom.js";
import { dateTime, time } from "./format.js";
import { onTheme, setRange, state } from "./page.js";
import { ticks } from "./time.js";

/**
 * @typedef {object} Series
 * @property {string} label
 * @property {(number | null)[]} values
 * @property {string} [color]  a token, such as --bad; default --c-1
 * @property {number} [width]
 * @property {boolean} [dash]
 * @property {string} [fill]  a token
 */

/**
 * @typedef {object} ChartOptions
 * @property {number} startSeconds
 * @property {number} stepSeconds
 * @property {Series[]} series
 * @property {boolean} [bars]  stacked bars, the first series at the bottom
 * @property {number} [height]  px
 * @property {(value: number) => string} format
 * @property {number} [top]  the least value at the top of the axis
 * @property {{seconds: number, label: string}[]} [marks]  deploys
 * @property {(seconds: number) => void} [onClick]
 * @property {boolean} [noDrag]
 * @property {string} label  what it shows, for screen readers
 */

/** The library is bundled without types. */
const uPlot = /** @type {any} */ (library);

/** A drag shorter than this many pixels is a click. */
const dragPixels = 4;

/**
 * @param {HTMLElement} element
 * @param {ChartOptions} options
 * @returns {{update: (options: ChartOptions) => void, destroy: () => void}}
 */
export function timeChart(element, options) {
  const zone = state().zone;
  /** @type {any} */
  let drawn = null;
  const tip = h("div", { class: "tip", hidden: true });
  const host = h("div", { role: "img", "aria-label": options.label });
  element.classList.add("chart");
  element.replaceChildren(host, tip);

  const draw = () => {
    drawn?.destroy();
    drawn = new uPlot(
      settings(options, element, zone, tip),
      data(options),
      host,
    );
  };
  const watcher = new ResizeObserver(
    () =>
      drawn &&
      element.clientWidth > 0 &&
      drawn.setSize({
        width: element.clientWidth,
        height: options.height ?? 150,
      }),
  );
  draw();
  watcher.observe(element);
  onTheme(draw, element);
  return {
    update(next) {
      options = next;
      draw();
    },
    destroy() {
      watcher.disconnect();
      drawn?.destroy();
      drawn = null;
    },
  };
}

/** @param {ChartOptions} options */
function data(options) {
  const count = options.series[0]?.values.length ?? 0;
  const x = Array.from(
    { length: count },
    (_, i) =>
      options.startSeconds +
      i * options.stepSeconds +
      (options.bars ? options.stepSeconds / 2 : 0),
  );
  if (!options.bars)
    return [x, ...options.series.map((series) => series.values)];
  // Stacked from the bottom; the largest sum is drawn first, behind the others.
  const sums = [];
  let below = new Array(count).fill(0);
  for (const series of options.series) {
    below = below.map((value, i) => value + (series.values[i] ?? 0));
    sums.push(below);
  }
  return [x, ...sums.reverse()];
}

/**
 * @param {ChartOptions} options
 * @param {HTMLElement} element
 * @param {string} zone
 * @param {HTMLElement} tip
 */
function settings(options, element, zone, tip) {
  const drawn = options.bars ? [...options.series].reverse() : options.series;
  const axis = {
    stroke: token("--text-3"),
    font: "11px Inter, system-ui, sans-serif",
    grid: { stroke: token("--grid"), width: 1 },
    ticks: { show: false },
  };
  const bars = uPlot.paths.bars({
    size: [0.82, 40],
    align: 0,
  });
  const end =
    options.startSeconds +
    (options.series[0]?.values.length ?? 0) * options.stepSeconds;
  return {
    width: Math.max(80, element.clientWidth),
    height: options.height ?? 150,
    padding: [options.marks?.length ? 18 : 8, 16, 0, 0],
    legend: { show: false },
    cursor: {
      drag: { x: !options.noDrag, y: false, setScale: false, dist: dragPixels },
      points: { size: 6 },
      y: false,
    },
    scales: {
      x: {
        time: false,
        range: () => [
          options.startSeconds,
          Math.max(end, options.startSeconds + 1),
        ],
      },
      y: {
        range: (
          /** @type {any} */ _u,
          /** @type {number} */ _min,
          /** @type {number} */ max,
        ) => [0, niceTop(Math.max(max || 0, options.top ?? 0))],
      },
    },
    axes: [
      {
        ...axis,
        size: 24,
        grid: { show: false },
        splits: (
          /** @type {any} */ u,
          /** @type {number} */ _a,
          /** @type {number} */ min,
          /** @type {number} */ max,
        ) => ticks(min, max, Math.max(2, Math.floor(u.width / 80)), zone),
        values: (/** @type {any} */ _u, /** @type {number[]} */ splits) =>
          splits.map((at) => axisTime(at, splits, zone)),
      },
      {
        ...axis,
        size: 52,
        gap: 4,
        splits: (
          /** @type {any} */ _u,
          /** @type {number} */ _a,
          /** @type {number} */ min,
          /** @type {number} */ max,
        ) => valueTicks(min, max, (options.height ?? 150) < 110 ? 2 : 4),
        values: (/** @type {any} */ _u, /** @type {number[]} */ splits) =>
          splits.map(options.format),
      },
    ],
    series: [
      {},
      ...drawn.map((series) => {
        const color = token(series.color ?? "--c-1");
        return {
          label: series.label,
          stroke: color,
          width: options.bars ? 0 : (series.width ?? 1.5),
          dash: series.dash ? [4, 3] : undefined,
          fill: options.bars
            ? color
            : series.fill
              ? token(series.fill)
              : undefined,
          paths: options.bars ? bars : undefined,
          points: { show: false },
          spanGaps: true,
        };
      }),
    ],
    hooks: {
      draw: [(/** @type {any} */ u) => drawMarks(u, options.marks ?? [])],
      setCursor: [(/** @type {any} */ u) => showTip(u, options, zone, tip)],
      setSelect: [
        (/** @type {any} */ u) => {
          if (u.select.width < dragPixels) return;
          const [from, to] = [
            u.posToVal(u.select.left, "x"),
            u.posToVal(u.select.left + u.select.width, "x"),
          ];
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          setRange(Math.floor(from) * 1e9, Math.ceil(to) * 1e9);
        },
      ],
      ready: [
        (/** @type {any} */ u) => {
          let downAt = 0;
          u.over.addEventListener(
            "mousedown",
            (/** @type {MouseEvent} */ event) => (downAt = event.clientX),
          );
          u.over.addEventListener(
            "click",
            (/** @type {MouseEvent} */ event) => {
              if (
                options.onClick &&
                Math.abs(event.clientX - downAt) < dragPixels
              )
                options.onClick(u.posToVal(u.cursor.left, "x"));
            },
          );
          u.over.addEventListener("mouseleave", () => (tip.hidden = true));
          if (options.onClick) u.over.style.cursor = "pointer";
        },
      ],
    },
  };
}

/** @param {number} at @param {number[]} all @param {string} zone */
function axisTime(at, all, zone) {
  const nano = BigInt(Math.round(at)) * 1_000_000_000n;
  const step = all.length > 1 ? all[1] - all[0] : 60;
  if (step >= 86400) return dateTime(nano, zone).slice(5, 10);
  return time(nano, zone, step < 60 ? "seconds" : "minutes");
}

/** @param {any} u @param {{seconds: number, label: string}[]} marks */
function drawMarks(u, marks) {
  const context = /** @type {CanvasRenderingContext2D} */ (u.ctx);
  const ratio = devicePixelRatio;
  for (const mark of marks) {
    if (mark.seconds < u.scales.x.min || mark.seconds > u.scales.x.max)
      continue;
    const x = Math.round(u.valToPos(mark.seconds, "x", true)) + 0.5;
    const { top, height } = u.bbox;
    context.save();
    context.strokeStyle = context.fillStyle = token("--text-2");
    context.lineWidth = ratio;
    context.setLineDash([2 * ratio, 2 * ratio]);
    context.beginPath();
    context.moveTo(x, top - 4 * ratio);
    context.lineTo(x, top + height);
    context.stroke();
    context.beginPath();
    context.moveTo(x - 4 * ratio, top - 9 * ratio);
    context.lineTo(x + 4 * ratio, top - 9 * ratio);
    context.lineTo(x, top - 3 * ratio);
    context.fill();
    context.font = `${11 * ratio}px Inter, system-ui, sans-serif`;
    const wide = context.measureText(mark.label).width;
    context.textAlign = x - wide - 8 * ratio > u.bbox.left ? "right" : "left";
    context.fillText(
      mark.label,
      x + (context.textAlign === "right" ? -7 : 7) * ratio,
      top - 3 * ratio,
    );
    context.restore();
  }
}

/** @param {any} u @param {ChartOptions} options @param {string} zone @param {HTMLElement} tip */
function showTip(u, options, zone, tip) {
  const index = u.cursor.idx;
  if (index === null || index === undefined || u.cursor.left < 0) {
    tip.hidden = true;
    return;
  }
  const at =
    BigInt(
      Math.round((options.startSeconds + index * options.stepSeconds) * 1000),
    ) * 1_000_000n;
  tip.replaceChildren(
    h("div", { class: "t3" }, `${dateTime(at, zone).slice(5)}`),
    ...[...options.series]
      .filter((series) => !options.bars || (series.values[index] ?? 0) > 0)
      .map((series) =>
        h(
          "div",
          { class: "row" },
          h(
            "span",
            { class: "row" },
            h("i", {
              class: "sw",
              style: `--c:var(${series.color ?? "--c-1"})`,
            }),
            series.label,
          ),
          h(
            "b",
            { class: "b" },
            series.values[index] === null
              ? "–"
              : options.format(Number(series.values[index])),
          ),
        ),
      ),
  );
  tip.hidden = false;
  const left = u.cursor.left + u.over.offsetLeft;
  const flip = left + tip.offsetWidth + 24 > u.width;
  tip.style.left = `${flip ? left - tip.offsetWidth - 12 : left + 12}px`;
  tip.style.top = `${u.over.offsetTop + 4}px`;
}

/** The least 1, 1.5, 2, 3, 4, 5, 6, 8 × 10^n above a value. @param {number} value */
export function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const factor of [1, 1.5, 2, 3, 4, 5, 6, 8, 10])
    if (factor * power >= value * 1.02) return factor * power;
  return 15 * power;
}

/** @param {number} min @param {number} max @param {number} most */
function valueTicks(min, max, most) {
  const power = 10 ** Math.floor(Math.log10((max - min) / most || 1));
  const step =
    [1, 2, 2.5, 5, 10, 20]
      .map((factor) => factor * power)
      .find((candidate) => (max - min) / candidate <= most) ?? max - min;
  const found = [];
  for (let at = 0; at <= max * 1.0001; at += step) found.push(at);
  return found;
}

/**
 * What a module exports whose element is one chart.
 * @param {(element: HTMLElement) => ChartOptions | null} read  what the element says; null: nothing to draw
 */
export function chartModule(read) {
  /** @type {WeakMap<HTMLElement, ReturnType<typeof timeChart>>} */
  const charts = new WeakMap();
  return {
    /** @param {HTMLElement} element */
    mount(element) {
      const options = read(element);
      if (options) charts.set(element, timeChart(element, options));
    },
    /** @param {HTMLElement} element */
    update(element) {
      const options = read(element);
      const chart = charts.get(element);
      if (chart && options) chart.update(options);
      else this.mount(element);
    },
    /** @param {HTMLElement} element */
    unmount(element) {
      charts.get(element)?.destroy();
    },
  };
}
