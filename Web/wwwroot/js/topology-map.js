// The map: nodes and lines as SVG, moved and zoomed by mouse, finger and keys. What it draws it is told; where things stand topology-layout.js says.
import { serviceColor } from "./colors.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { isTyping } from "./keys.js";
import { layOut } from "./topology-layout.js";
import { placeLabels } from "./topology-labels.js";
import {
  bandName,
  bandOf,
  columnName,
  cut,
  figuresOf,
  label,
  nodeSentence,
  s,
  sentence,
  symbol,
  use,
  widthOf,
  widthOfLine,
} from "./topology-shapes.js";
import { createZoom } from "./topology-zoom.js";

/** @typedef {import('./topology.js').Node} Node */
/** @typedef {import('./topology.js').Edge} Edge */
/** @typedef {import('./topology.js').Graph} Graph */
/** @typedef {import('./topology.js').View} View */
/** @typedef {import('./topology-layout.js').Layout} Layout */

const nodeHeight = 52;
const smallNodeHeight = 34;

/** With more nodes each says its name only. */
const mostFullNodes = 60;

/** px between columns: with room for a label, without, and after that of those outside, whose lines say what the service they lead to says. */
const gaps = { wide: 190, least: 96, near: 34 };

/** px from the top of the nodes up to the line of the column's heading, and that of its letters. */
const headings = { up: 24, upOfBands: 20, height: 14 };

/** px between rows. */
const rowGaps = { small: 12, least: 26, most: 62 };

/** Of the page, so that a map drawn again after navigation looks as it did. @type {{choice: string, layout: Layout, rowGap: number} | null} */
let last = null;

/**
 * @param {{label: string, mostLabels: number, select: (key: string | null) => void, around: (key: string) => void}} options
 */
export function createMap(options) {
  const svg = s("svg", { class: "topo-svg", role: "group" });
  svg.setAttribute("aria-label", options.label);
  const world = s("g", { class: "world" });
  svg.append(world);
  const legend = h("p", { class: "topo-legend tiny t3" });
  const find = /** @type {HTMLInputElement} */ (
    h("input", {
      class: "in",
      type: "search",
      list: "topo-names",
      placeholder: t("Topology.Find"),
      "aria-label": t("Topology.Find"),
      autocomplete: "off",
      spellcheck: "false",
    })
  );
  const names = h("datalist", { id: "topo-names" });
  const tool = (
    /** @type {string} */ name,
    /** @type {string} */ label,
    /** @type {() => void} */ run,
  ) =>
    h(
      "button",
      {
        class: "btn sm sq",
        type: "button",
        title: label,
        "aria-label": label,
        onclick: run,
      },
      icon(name),
    );
  const element = h(
    "div",
    { class: "card topo-map" },
    h("div", { class: "topo-tools" }, find, names),
    h(
      "div",
      { class: "topo-zoom" },
      tool("plus", `${t("Topology.ZoomIn")} (+)`, () => zoom.by(1.25)),
      tool("minus", `${t("Topology.ZoomOut")} (-)`, () => zoom.by(0.8)),
      tool("fit", `${t("Topology.Fit")} (0)`, () => zoom.fit()),
    ),
    legend,
  );
  element.prepend(/** @type {any} */ (svg));

  /** @type {Graph} */
  let graph = { nodes: [], edges: [] };
  /** @type {Layout} */
  let layout = layOut([], [], { gap: 0, rowGap: 0, bend: 0 });
  let small = false;
  let selected = "";
  let current = "";
  let fittedTo = "";
  const zoom = createZoom(
    /** @type {any} */ (svg),
    /** @type {any} */ (world),
    () => ({
      width: layout.width,
      height: layout.height,
      above: headings.up + headings.height,
    }),
  );

  const draw = (/** @type {Graph} */ shown, /** @type {View} */ view) => {
    graph = shown;
    selected = view.selected;
    small = graph.nodes.length > mostFullNodes;
    const choice = JSON.stringify([view.show, view.of, view.grouped]);
    const labelled = graph.edges.length <= options.mostLabels;
    const places = graph.nodes.map((node) => ({
      key: node.key,
      width: widthOf(node),
      height: small ? smallNodeHeight : nodeHeight,
      group: view.grouped ? bandOf(node) : "",
      near: node.type === "entry",
    }));
    const columnGap = labelled && !small ? gap(element, graph) : gaps.least;
    // Another choice of nodes is another picture.
    const before = last?.choice === choice ? last : null;
    const arranged = (/** @type {number} */ rowGap) =>
      layOut(
        places,
        graph.edges,
        { gap: columnGap, nearGap: gaps.near, rowGap, bend: 60 },
        before?.layout ?? null,
      );
    let rowGap = before?.rowGap ?? (small ? rowGaps.small : rowGaps.least);
    layout = arranged(rowGap);
    if (!before && !small) {
      // A small map takes the room it has.
      rowGap = roomier(layout, rowGap, element.clientHeight || 700);
      layout = arranged(rowGap);
    }
    last = { choice, layout, rowGap };
    const nodes = new Map(graph.nodes.map((node) => [node.key, node]));
    const labels = placeLabels(
      graph.edges.filter((edge) => isFar(edge, nodes)),
      layout,
      view.mode,
      labelled,
    );
    world.replaceChildren(
      ...headingShapes(view),
      ...layout.bands.filter(() => view.grouped).map((band) => bandShape(band)),
      ...graph.edges.map((edge) => lineShape(edge, view, nodes)),
      ...labels.reverse().map((label) => labelShape(label)),
      ...graph.nodes.map((node) => nodeShape(node, view)),
    );
    names.replaceChildren(
      ...graph.nodes.map((node) => h("option", { value: node.name })),
    );
    legend.textContent = t(`Topology.Legend.${view.mode}`);
    svg.classList.toggle("small", small);
    if (choice !== fittedTo) {
      zoom.fit();
      // Where a map is larger than its frame, what fails is in view.
      const failing = graph.edges.find((edge) => edge.begins);
      for (const key of failing ? [failing.to, failing.from] : []) {
        const at = layout.places.get(key);
        if (at) zoom.show(at, true);
      }
    }
    fittedTo = choice;
    rove(layout.places.has(current) ? current : (firstNode()?.key ?? ""));
    point(null);
  };

  const bandShape = (
    /** @type {{group: string, y: number, height: number}} */ band,
  ) =>
    s(
      "g",
      { class: "band" },
      s("rect", {
        x: -16,
        y: band.y - 26,
        width: layout.width + 32,
        height: band.height + 42,
        rx: 8,
      }),
      label(bandName(band.group), { x: -6, y: band.y - 10 }),
    );

  /** Not the short line from outside to the service beside it. @param {Edge} edge @param {Map<string, Node>} nodes */
  const isFar = (edge, nodes) =>
    nodes.get(edge.from)?.type !== "entry" ||
    (layout.places.get(edge.to)?.layer ?? 0) >
      (layout.places.get(edge.from)?.layer ?? 0) + 1;

  /** What the columns have in them, where it is other than in the one before. @param {View} view */
  const headingShapes = (view) => {
    /** @type {Node[][]} */
    const columns = [];
    /** @type {number[]} */
    const lefts = [];
    for (const node of graph.nodes) {
      const at = layout.places.get(node.key);
      if (!at) continue;
      (columns[at.layer] ??= []).push(node);
      lefts[at.layer] = at.x;
    }
    const first = columns.map((nodes) => columnName(nodes));
    return first.map((name, layer) =>
      name === first[layer - 1]
        ? null
        : label(name, {
            class: "hd",
            x: lefts[layer],
            y: -(view.grouped ? headings.upOfBands : headings.up),
          }),
    ).filter((shape) => shape !== null);
  };

  const lineShape = (
    /** @type {Edge} */ edge,
    /** @type {View} */ view,
    /** @type {Map<string, Node>} */ nodes,
  ) => {
    const line = layout.lines.get(edge.key);
    if (!line) return s("g", {});
    const width = widthOfLine(edge, view.mode);
    const tip = line.loop
      ? `M${line.end.x - 4} ${line.end.y - 6}l4 6l4 -6z`
      : line.back
        ? `M${line.start.x + 8} ${line.start.y - 4}l-8 4l8 4z`
        : `M${line.end.x - 8} ${line.end.y - 4}l8 4l-8 4z`;
    const shape = s(
      "g",
      {
        class: `ed ${edge.state} ${edge.key === selected ? "sel" : ""}`,
        "data-edge": edge.key,
      },
      s("path", { class: "hit", d: line.path }),
      s("path", { class: "ln", d: line.path, "stroke-width": width }),
      s("path", { class: "tip", d: tip }),
      s(
        "title",
        {},
        sentence(edge, nodes.get(edge.from), nodes.get(edge.to)),
      ),
    );
    return shape;
  };

  const labelShape = (
    /** @type {ReturnType<typeof placeLabels>[number]} */ at,
  ) =>
    s(
      "g",
      {
        class: `lb ${at.state} ${at.hidden ? "off" : ""}`,
        "data-edge": at.key,
      },
      s("rect", {
        x: at.x,
        y: at.y,
        width: at.width,
        height: at.height,
        rx: 4,
      }),
      at.state === "ok" ? null : use(at.state, at.x + 4, at.y + 3, 11),
      label(at.text, {
        x: at.x + at.width - 6,
        y: at.y + at.height - 5,
        "text-anchor": "end",
      }),
    );

  const nodeShape = (/** @type {Node} */ node, /** @type {View} */ view) => {
    const at = layout.places.get(node.key);
    if (!at) return s("g", {});
    const isService = node.type === "service";
    const room = at.width - 34 - (node.state === "ok" ? 0 : 18);
    return s(
      "g",
      {
        class: `nd ${node.state} ${isService ? "" : "peer-n"} ${node.key === selected ? "sel" : ""}`,
        "data-node": node.key,
        role: "button",
        tabindex: "-1",
        "aria-label": `${nodeSentence(node)}`,
        transform: `translate(${at.x} ${at.y})`,
      },
      s("rect", { class: "box", width: at.width, height: at.height, rx: 8 }),
      isService
        ? s("rect", {
            class: "mark",
            x: 11,
            y: small ? 12 : 11,
            width: 10,
            height: 10,
            rx: 3,
            style: `fill:${serviceColor(node.name)}`,
          })
        : use(symbol(node), 9, small ? 10 : 8, 14),
      label(cut(node.name, room, "600 13px"), {
        class: "nm",
        x: 29,
        y: small ? 21 : 20,
      }),
      node.state === "ok" ? null : use(node.state, at.width - 21, 9, 13),
      small
        ? null
        : label(figuresOf(node, view.mode), {
            class: `rd ${node.state}`,
            x: 11,
            y: 40,
          }),
      s("title", {}, nodeSentence(node)),
    );
  };

  const firstNode = () =>
    [...layout.places.values()].sort(
      (a, b) => a.layer - b.layer || a.y - b.y,
    )[0];

  /** The one node that Tab reaches. @param {string} key */
  const rove = (key) => {
    for (const node of world.querySelectorAll("[data-node]"))
      node.setAttribute(
        "tabindex",
        node.getAttribute("data-node") === key ? "0" : "-1",
      );
    current = key;
  };

  /** What belongs to a node or an edge stands out, the rest steps back. @param {string | null} key */
  const point = (key) => {
    const about = key ?? selected;
    const edges = graph.edges.filter(
      (edge) => edge.key === about || edge.from === about || edge.to === about,
    );
    const lit = new Set([
      about,
      ...edges.flatMap((edge) => [edge.key, edge.from, edge.to]),
    ]);
    const any = about !== "" && lit.size > 1;
    svg.classList.toggle("pointed", any);
    for (const shape of world.querySelectorAll("[data-node], [data-edge]")) {
      const own =
        shape.getAttribute("data-node") ?? shape.getAttribute("data-edge");
      shape.classList.toggle("lit", any && lit.has(own ?? ""));
    }
  };

  const keyAt = (/** @type {Event} */ event) => {
    const shape =
      event.target instanceof Element
        ? event.target.closest("[data-node], [data-edge]")
        : null;
    return (
      shape?.getAttribute("data-node") ??
      shape?.getAttribute("data-edge") ??
      null
    );
  };

  svg.addEventListener("pointerover", (event) => point(keyAt(event)));
  svg.addEventListener("pointerleave", () => point(null));
  svg.addEventListener("click", (event) => {
    if (zoom.moved()) return;
    const key = keyAt(event);
    if (key && layout.places.has(key)) rove(key);
    options.select(key);
  });
  svg.addEventListener("focusin", (event) => {
    const key = keyAt(event);
    if (!key) return;
    rove(key);
    point(key);
    const at = layout.places.get(key);
    if (at) zoom.show(at);
  });
  svg.addEventListener("focusout", () => point(null));
  svg.addEventListener("keydown", (event) => {
    const key = /** @type {KeyboardEvent} */ (event).key;
    const by = {
      ArrowLeft: [-1, 0],
      ArrowRight: [1, 0],
      ArrowUp: [0, -1],
      ArrowDown: [0, 1],
    }[key];
    if (by) {
      event.preventDefault();
      const next = neighbour(current, by[0], by[1]);
      if (next) focusNode(next);
    } else if (key === "Enter" || key === " ") {
      event.preventDefault();
      options.select(current);
    }
  });

  const onKey = (/** @type {KeyboardEvent} */ event) => {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      isTyping(event) ||
      document.querySelector("dialog[open]")
    )
      return;
    if (event.key === "+" || event.key === "=") zoom.by(1.25);
    else if (event.key === "-") zoom.by(0.8);
    else if (event.key === "0") zoom.fit();
    else if (event.key === "n") {
      const key = layout.places.has(selected) ? selected : current;
      if (key) options.around(key);
    } else if (event.key === "Escape" && selected) options.select(null);
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", onKey);

  find.addEventListener("input", () => {
    const key = match(find.value);
    point(key);
  });
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const key = match(find.value);
    if (!key) return;
    focusNode(key);
    options.select(key);
  });

  /** The node whose name begins so, or else has it in it. @param {string} typed */
  const match = (typed) => {
    const what = typed.trim().toLowerCase();
    if (!what) return null;
    const names = graph.nodes.map((node) => ({
      key: node.key,
      name: node.name.toLowerCase(),
    }));
    return (
      (
        names.find((one) => one.name === what) ??
        names.find((one) => one.name.startsWith(what)) ??
        names.find((one) => one.name.includes(what)) ??
        null
      )?.key ?? null
    );
  };

  /** Along the lines if one leads there, else to what is nearest in that direction. @param {string} from @param {number} dx @param {number} dy */
  const neighbour = (from, dx, dy) => {
    const here = layout.places.get(from);
    if (!here) return firstNode()?.key ?? null;
    const joined = new Set(
      graph.edges
        .filter((edge) => edge.from === from || edge.to === from)
        .flatMap((edge) => [edge.from, edge.to]),
    );
    let best = null;
    let least = Infinity;
    for (const place of layout.places.values()) {
      const across = dx !== 0 ? (place.layer - here.layer) * dx : 0;
      const down = (place.y - here.y) * (dy || 1);
      if (place.key === from) continue;
      if (dx !== 0 ? across <= 0 : place.layer !== here.layer || down <= 0)
        continue;
      const far =
        dx !== 0
          ? across * 10_000 +
            Math.abs(place.y - here.y) +
            (joined.has(place.key) ? 0 : 1e6)
          : down;
      if (far < least) {
        least = far;
        best = place.key;
      }
    }
    return best;
  };

  /** @param {string} key */
  const focusNode = (key) => {
    rove(key);
    const shape = world.querySelector(`[data-node="${CSS.escape(key)}"]`);
    if (shape instanceof SVGElement) shape.focus({ preventScroll: true });
  };

  return {
    element,
    draw,
    point,
    /** @param {string} key */
    reveal(key) {
      const at = layout.places.get(key);
      if (at) zoom.show(at);
    },
    destroy() {
      document.removeEventListener("keydown", onKey);
      zoom.destroy();
    },
  };
}

/**
 * The columns are as far apart as the map is wide, but no further than a label needs.
 * @param {HTMLElement} element
 * @param {Graph} graph
 */
function gap(element, graph) {
  const entry = graph.nodes.some((node) => node.type === "entry");
  const columns = Math.max(2, longestPath(graph) - (entry ? 1 : 0));
  const free =
    (element.clientWidth || 940) -
    48 -
    columns * 150 -
    (entry ? 92 + gaps.near : 0);
  const each = Math.floor(free / (columns - 1) / 10) * 10;
  return Math.min(gaps.wide, Math.max(gaps.least + 34, each));
}

/**
 * The gap between rows with which a picture fills so much height.
 * @param {Layout} layout
 * @param {number} rowGap  it was laid out with
 * @param {number} height
 */
function roomier(layout, rowGap, height) {
  const rows = Math.max(2, layout.height / (nodeHeight + rowGap));
  const free = (height - 190 - layout.height) / (rows - 1);
  return Math.round(Math.min(rowGaps.most, rowGap + Math.max(0, free)));
}

/** Columns that a graph without cycles needs; cycles are followed once. @param {Graph} graph */
function longestPath(graph) {
  /** @type {Map<string, number>} */
  const depth = new Map();
  const visit = (/** @type {string} */ key) => {
    const known = depth.get(key);
    if (known !== undefined) return known;
    depth.set(key, 1);
    let deepest = 0;
    for (const edge of graph.edges)
      if (edge.from === key && edge.to !== key)
        deepest = Math.max(deepest, visit(edge.to));
    depth.set(key, deepest + 1);
    return deepest + 1;
  };
  return Math.max(0, ...graph.nodes.map((node) => visit(node.key)));
}
