// What nodes and lines of a map look like and say.
import { icon } from "./dom.js";
import { duration, percent, rate, text } from "./format.js";
import { t } from "./i18n.js";
import { textWidth } from "./topology-labels.js";

/** @typedef {import('./topology.js').Node} Node */
/** @typedef {import('./topology.js').Edge} Edge */

/** px of a node. */
const nodeWidths = { least: 116, most: 196, entry: 92 };

/** What stands in a column, in the order its heading names it. */
const kinds = ["entry", "service", "database", "queue", "external"];

/** @param {Node} node */
export function widthOf(node) {
  const name = textWidth(node.name, "600 13px") + 42;
  const state = node.state === "ok" ? 0 : 18;
  const least = node.type === "entry" ? nodeWidths.entry : nodeWidths.least;
  return Math.round(
    Math.min(nodeWidths.most, Math.max(least, name + state)),
  );
}

/** What stands above a column. @param {Node[]} nodes  in it */
export function columnName(nodes) {
  const found = kinds
    .filter((kind) => nodes.some((node) => node.type === kind))
    .map((kind) => t(`Topology.Column.${kind}`));
  const name = found.reduce(
    (all, one) => (all ? t("Topology.Column.and", all, one) : one),
    "",
  );
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The environment of a node, or that it has several or none. @param {Node} node */
export function bandOf(node) {
  return node.environments.length === 1
    ? node.environments[0]
    : node.environments.length > 1
      ? "\u{10ffff}several"
      : "";
}

/** @param {string} band */
export function bandName(band) {
  if (band === "") return t("Topology.NoEnvironment");
  return band.startsWith("\u{10ffff}")
    ? t("Topology.SeveralEnvironments")
    : band;
}

/** @param {Node} node @param {import('./topology.js').Mode} mode */
export function figuresOf(node, mode) {
  if (!node.now) return t("Topology.NotCalled");
  const { now } = node;
  if (mode === "rate" || node.type === "entry")
    return text(rate(now.rate)).replace(" ", "");
  if (mode === "latency")
    return `${text(duration(now.p50Nano))} · ${text(duration(now.p95Nano))}`;
  return node.type === "service" || node.state !== "ok"
    ? `${text(percent(now.errorRate))} · ${text(duration(now.p95Nano))}`
    : `${text(rate(now.rate)).replace(" ", "")} · ${text(duration(now.p95Nano))}`;
}

/** @param {Node} node */
export function nodeSentence(node) {
  if (node.type === "entry")
    return `${node.name}, ${text(rate(node.now?.rate ?? null))}. ${t("Topology.OutsideHint")}`;
  return [
    node.name,
    node.system ?? "",
    t(`Shell.State.${node.state}`),
    ...(node.now
      ? [
          text(rate(node.now.rate)),
          text(percent(node.now.errorRate)),
          `p95 ${text(duration(node.now.p95Nano))}`,
        ]
      : [t("Topology.NotCalled")]),
  ]
    .filter(Boolean)
    .join(", ");
}

/** @param {Edge} edge @param {Node | undefined} from @param {Node | undefined} to */
export function sentence(edge, from, to) {
  return `${from?.name ?? ""} → ${to?.name ?? ""}, ${t(`Shell.State.${edge.state}`)}, ${text(rate(edge.now.rate))}, ${text(percent(edge.now.errorRate))}, p95 ${text(duration(edge.now.p95Nano))}`;
}

/** px. A thousand calls a second are about three times as wide as one. @param {Edge} edge @param {import('./topology.js').Mode} mode */
export function widthOfLine(edge, mode) {
  const size =
    mode === "latency"
      ? Math.log10(1 + (edge.now.p95Nano ?? 0) / 1e6)
      : Math.log10(1 + edge.now.rate);
  const width = Math.min(4, 0.9 + size * 0.75);
  return (edge.state === "bad" ? Math.max(2.5, width) : width).toFixed(1);
}

/** @param {Node} node */
export function symbol(node) {
  if (node.type === "database")
    return /^(redis|memcached|valkey)$/.test(node.system ?? "")
      ? "cache"
      : "db";
  if (node.type === "entry") return "user";
  return node.type === "queue"
    ? "queue"
    : node.type === "service"
      ? "services"
      : "external";
}

/** A text that fits, its end cut off. @param {string} whole @param {number} room @param {string} font */
export function cut(whole, room, font) {
  if (textWidth(whole, font) <= room) return whole;
  let [least, most] = [1, whole.length];
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (textWidth(`${whole.slice(0, middle)}…`, font) <= room) least = middle;
    else most = middle - 1;
  }
  return `${whole.slice(0, least)}…`;
}

/**
 * An SVG element; text is text.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | Element | string | null)} children
 * @returns {SVGElement}
 */
export function s(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes))
    made.setAttribute(key, String(value));
  for (const child of children)
    if (child !== null) made.append(/** @type {any} */ (child));
  return made;
}

/** @param {string} content @param {Record<string, string | number>} attributes */
export function label(content, attributes) {
  return s("text", attributes, content);
}

/** @param {string} name @param {number} x @param {number} y @param {number} size */
export function use(name, x, y, size) {
  const reference = /** @type {SVGElement} */ (icon(name).firstElementChild);
  const made = s("svg", {
    class: `ic ${name}`,
    x,
    y,
    width: size,
    height: size,
    viewBox: "0 0 16 16",
  });
  made.append(reference);
  return made;
}
