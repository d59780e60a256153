// The figures on the lines of a map: beside the end of their line, where nothing else stands. Those that fail come first, then the busiest.
import { duration, percent, rate, text } from "./format.js";

/** @typedef {{x: number, y: number, width: number, height: number}} Box */

const height = 17;
const fonts = { ok: "500 11px", bad: "600 11px" };

/** px that a label keeps from its node, and lies above its line. */
const fromNode = 12;
const aboveLine = 3;

/** Where else a label may stand, px left of and below the first choice. */
const shifts = [
  [0, 0],
  [0, 20],
  [-34, 0],
  [-34, 20],
  [-68, 0],
  [-68, 20],
];

/** @type {CanvasRenderingContext2D | null} */
let canvas = null;

/** The width of a text in px. @param {string} content @param {string} style  weight and size */
export function textWidth(content, style) {
  canvas ??= document.createElement("canvas").getContext("2d");
  if (!canvas) return content.length * 7;
  canvas.font = `${style} ${getComputedStyle(document.documentElement).getPropertyValue("--sans") || "sans-serif"}`;
  return canvas.measureText(content).width;
}

/**
 * @param {import('./topology.js').Edge[]} edges
 * @param {import('./topology-layout.js').Layout} layout
 * @param {import('./topology.js').Mode} mode
 * @param {boolean} all  every line says its figures; otherwise those that fail, and the others when they are pointed at
 * @returns {({key: string, state: string, text: string, hidden: boolean} & Box)[]}
 */
export function placeLabels(edges, layout, mode, all) {
  const weight = { bad: 2, warn: 1 };
  const order = [...edges].sort(
    (a, b) =>
      (weight[/** @type {"bad"} */ (b.state)] ?? 0) -
        (weight[/** @type {"bad"} */ (a.state)] ?? 0) ||
      b.now.rate - a.now.rate,
  );
  /** @type {Box[]} */
  const taken = [...layout.places.values()];
  return order.flatMap((edge) => {
    const line = layout.lines.get(edge.key);
    if (!line) return [];
    const content = labelOf(edge, mode);
    const width = Math.ceil(
      textWidth(content, edge.state === "ok" ? fonts.ok : fonts.bad) +
        (edge.state === "ok" ? 10 : 32),
    );
    const first = {
      x: line.loop ? line.end.x - width : line.end.x - fromNode - width,
      y: line.end.y - height - (line.loop ? 14 : aboveLine),
      width,
      height,
    };
    const free = shifts
      .map(([dx, dy]) => ({ ...first, x: first.x + dx, y: first.y + dy }))
      .find((box) => !taken.some((other) => overlap(box, other)));
    const box = free ?? first;
    // What fails is said in any case, and drawn above what it covers.
    const hidden = edge.state === "ok" && (!free || !all);
    if (!hidden) taken.push(box);
    return [
      { key: edge.key, state: edge.state, text: content, hidden, ...box },
    ];
  });
}

/** @param {import('./topology.js').Edge} edge @param {import('./topology.js').Mode} mode */
export function labelOf(edge, mode) {
  const { now } = edge;
  const calls = text(rate(now.rate)).replace(" ", "");
  if (mode === "rate") return calls;
  if (mode === "latency")
    return [now.p50Nano, now.p95Nano, now.p99Nano]
      .map((nano) => text(duration(nano)))
      .join(" · ");
  return `${calls} · ${text(percent(now.errorRate))} · ${text(duration(now.p95Nano))}`;
}

/** @param {Box} a @param {Box} b */
function overlap(a, b) {
  return (
    a.x < b.x + b.width &&
    b.x < a.x + a.width &&
    a.y < b.y + b.height &&
    b.y < a.y + a.height
  );
}
