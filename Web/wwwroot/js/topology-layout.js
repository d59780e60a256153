// Where the nodes of a map stand: calls go from left to right through layers, few lines cross, long lines run straight. The same graph always gives
// the same picture, and a graph that changed a little keeps its nodes in the order they had.

import { assignLayers, byKey, orient, ranks } from "./topology-layers.js";

/** @typedef {{key: string, width: number, height: number, group?: string, near?: boolean}} LayoutNode  `group` is a band: its nodes stand together; `near`: the next column needs no room for labels */
/** @typedef {{key: string, from: string, to: string}} LayoutEdge */
/** @typedef {{gap: number, nearGap?: number, rowGap: number, bend: number}} Spacing  px between columns (after one of near nodes), between rows, and of the part of a gap in which lines bend */
/** @typedef {{key: string, x: number, y: number, width: number, height: number, layer: number}} Place  x, y: the left top corner */
/** @typedef {{key: string, path: string, back: boolean, loop: boolean, start: {x: number, y: number}, end: {x: number, y: number}}} Line  start is left of end; `back`: it is drawn from its callee to its caller, who stands further right */
/** @typedef {{group: string, y: number, height: number}} Band */
/** @typedef {{places: Map<string, Place>, lines: Map<string, Line>, bands: Band[], width: number, height: number, signature: string}} Layout */

/**
 * What stands in a layer: a node, or the place where a longer line passes.
 * @typedef {object} Item
 * @property {number} layer
 * @property {number} y  of its middle
 * @property {number} height
 * @property {number} group
 * @property {number} order  what it is sorted by before any sweep
 * @property {boolean} isFixed  it stays where it was
 * @property {LayoutNode | null} node
 * @property {Item[]} before  in the layer to the left
 * @property {Item[]} after
 */

/** Sweeps over the layers; after a dozen hardly any crossing is undone. */
const orderSweeps = 12;
const placeSweeps = 10;

/** A line that passes keeps straight more than a node keeps to the middle of its neighbours. */
const passingWeight = 4;
const passingHeight = 4;

/** What has its place gives way to nothing but another such. */
const fixedWeight = 1e6;

/** Lines squeeze past what is kept, px. */
const keptPassGap = 1;

/** Between two bands, px: room for the name of the lower one. */
const bandGap = 46;

/** Of a self-call's loop over its node, px. */
const loopSize = 16;

/**
 * @param {LayoutNode[]} nodes
 * @param {LayoutEdge[]} edges  between nodes that are there; an edge to itself is a loop
 * @param {Spacing} spacing
 * @param {Layout | null} [previous]  of the graph before
 * @returns {Layout}
 */
export function layOut(nodes, edges, spacing, previous = null) {
  const sorted = [...nodes].sort(byKey);
  const known = new Map(sorted.map((node) => [node.key, node]));
  const lines = edges
    .filter((edge) => known.has(edge.from) && known.has(edge.to))
    .sort(byKey);
  const signature = JSON.stringify([
    sorted.map((node) => [node.key, node.width, node.height, node.group ?? ""]),
    lines.map((edge) => edge.key),
    spacing,
  ]);
  if (previous?.signature === signature) return previous;

  const calls = lines.filter((edge) => edge.from !== edge.to);
  const forward = orient(sorted, calls, previous);
  const { layers: layerOf, kept } = assignLayers(sorted, forward, previous);
  const groups = [...new Set(sorted.map((node) => node.group ?? ""))].sort(
    (a, b) => (a === "" ? 1 : b === "" ? -1 : a < b ? -1 : 1),
  );
  const { layers, items, chains } = build(sorted, forward, layerOf, groups);
  if (kept && previous) settle(layers, previous);
  else arrange(layers);
  const bands = place(layers, groups, spacing, kept);
  return draw(sorted, lines, forward, items, chains, layers, {
    bands,
    spacing,
    signature,
  });
}

/**
 * @param {LayoutNode[]} nodes
 * @param {{edge: LayoutEdge, from: string, to: string}[]} forward
 * @param {Map<string, number>} layerOf
 * @param {string[]} groups
 */
function build(nodes, forward, layerOf, groups) {
  /** @type {Item[][]} */
  const layers = [];
  /** @type {Map<string, Item>} */
  const items = new Map();
  const add = (
    /** @type {number} */ layer,
    /** @type {number} */ height,
    /** @type {number} */ group,
    /** @type {number} */ order,
    /** @type {LayoutNode | null} */ node,
  ) => {
    while (layers.length <= layer) layers.push([]);
    /** @type {Item} */
    const item = {
      layer,
      y: 0,
      height,
      group,
      order,
      isFixed: false,
      node,
      before: [],
      after: [],
    };
    layers[layer].push(item);
    return item;
  };
  const rank = ranks(nodes, forward);
  for (const node of nodes)
    items.set(
      node.key,
      add(
        layerOf.get(node.key) ?? 0,
        node.height,
        groups.indexOf(node.group ?? ""),
        rank.get(node.key) ?? 0,
        node,
      ),
    );
  /** @type {Map<string, Item[]>} */
  const chains = new Map();
  for (const line of forward) {
    const from = /** @type {Item} */ (items.get(line.from));
    const to = /** @type {Item} */ (items.get(line.to));
    const chain = [from];
    for (let layer = from.layer + 1; layer < to.layer; layer++)
      chain.push(add(layer, passingHeight, to.group, to.order - 0.5, null));
    chain.push(to);
    for (let i = 1; i < chain.length; i++) {
      chain[i - 1].after.push(chain[i]);
      chain[i].before.push(chain[i - 1]);
    }
    chains.set(line.edge.key, chain);
  }
  return { layers, items, chains };
}

/**
 * Keeps what has a place where it is, and puts the new and the lines that pass between that, near what they are joined to.
 * @param {Item[][]} layers
 * @param {Layout} previous
 */
function settle(layers, previous) {
  for (const item of layers.flat()) {
    const before = item.node && previous.places.get(item.node.key);
    if (!before) continue;
    item.y = before.y + before.height / 2;
    item.isFixed = true;
  }
  for (const layer of layers) {
    for (const item of layer) {
      if (item.isFixed) continue;
      const near =
        item.before.length > 0
          ? item.before
          : item.after.filter((one) => one.isFixed);
      if (near.length > 0)
        item.y = near.reduce((sum, one) => sum + one.y, 0) / near.length;
    }
    layer.sort((a, b) => a.group - b.group || a.y - b.y);
  }
}

/**
 * Orders each layer so that few lines cross; bands stay together.
 * @param {Item[][]} layers
 */
function arrange(layers) {
  for (const layer of layers)
    layer.sort((a, b) => a.group - b.group || a.order - b.order);
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(layers);
  for (let sweep = 0; sweep < orderSweeps && fewest > 0; sweep++) {
    if (sweep % 2 === 0)
      for (let i = 1; i < layers.length; i++) sortBy(layers[i], "before");
    else
      for (let i = layers.length - 2; i >= 0; i--) sortBy(layers[i], "after");
    const count = crossings(layers);
    if (count < fewest) {
      fewest = count;
      best = layers.map((layer) => [...layer]);
    }
  }
  best.forEach((layer, i) => (layers[i] = layer));
}

/**
 * Sorts a layer by the mean position of its neighbours on one side.
 * @param {Item[]} layer
 * @param {"before" | "after"} side
 */
function sortBy(layer, side) {
  const other = layer.flatMap((item) => item[side]);
  /** @type {Map<Item, number>} */
  const index = new Map();
  const ordered = [...new Set(other)].sort(
    (a, b) => a.group - b.group || a.order - b.order,
  );
  ordered.forEach((item, i) => index.set(item, i));
  const wanted = new Map(
    layer.map((item, i) => {
      const near = item[side];
      const mean =
        near.length === 0
          ? (i / Math.max(1, layer.length)) * ordered.length
          : near.reduce((sum, one) => sum + (index.get(one) ?? 0), 0) /
            near.length;
      return [item, mean];
    }),
  );
  layer.sort(
    (a, b) => a.group - b.group || (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0),
  );
  layer.forEach((item, i) => (item.order = i));
}

/** Pairs of lines that cross, between all neighbouring layers. @param {Item[][]} layers */
export function crossings(layers) {
  let count = 0;
  for (let i = 1; i < layers.length; i++) {
    const places = new Map(layers[i].map((item, place) => [item, place]));
    // A sum tree over the right layer: of each line, how many before it ended below.
    const tree = new Int32Array(layers[i].length + 1);
    let added = 0;
    for (const item of layers[i - 1]) {
      const ends = item.after
        .map((to) => places.get(to) ?? 0)
        .sort((a, b) => a - b);
      for (const end of ends) {
        let notAbove = 0;
        for (let at = end + 1; at > 0; at -= at & -at) notAbove += tree[at];
        count += added - notAbove;
      }
      for (const end of ends) {
        added++;
        for (let at = end + 1; at < tree.length; at += at & -at) tree[at]++;
      }
    }
  }
  return count;
}

/**
 * Gives each item its height on the page: near its neighbours, never nearer to the next than the row gap. Bands lie below each other.
 * @param {Item[][]} layers
 * @param {string[]} groups
 * @param {Spacing} spacing
 * @param {boolean} kept  the items have their place already, and are only kept apart
 * @returns {Band[]}
 */
function place(layers, groups, spacing, kept) {
  /** @type {Band[]} */
  const bands = [];
  let top = groups.length > 1 ? bandGap / 2 : 0;
  groups.forEach((group, number) => {
    const rows = layers.map((layer) =>
      layer.filter((item) => item.group === number),
    );
    if (rows.every((row) => row.length === 0)) return;
    if (kept)
      for (const row of rows)
        stack(
          row,
          row.map((item) => item.y),
          spacing,
          keptPassGap,
        );
    else improve(rows, spacing);
    const all = rows.flat();
    const first = Math.min(...all.map((item) => item.y - item.height / 2));
    const end = Math.max(...all.map((item) => item.y + item.height / 2));
    // What is kept moves only to make room for the band above.
    const shift = kept ? Math.max(0, top - first) : top - first;
    for (const item of all) item.y += shift;
    bands.push({ group, y: first + shift, height: end - first });
    top = end + shift + bandGap;
  });
  return bands;
}

/**
 * Draws each item towards its neighbours, from left to right and back.
 * @param {Item[][]} rows  of one band
 * @param {Spacing} spacing
 */
function improve(rows, spacing) {
  for (const row of rows)
    stack(
      row,
      row.map(() => 0),
      spacing,
    );
  for (let sweep = 0; sweep < placeSweeps; sweep++) {
    const last = sweep === placeSweeps - 1;
    const side = last ? null : sweep % 2 === 0 ? "before" : "after";
    for (const row of sweep % 2 === 0 ? rows : [...rows].reverse())
      stack(
        row,
        row.map((item) => wantedY(item, side)),
        spacing,
      );
  }
}

/**
 * The middle of the neighbours of the same band on one side or on both; where there are none, the present place.
 * @param {Item} item
 * @param {"before" | "after" | null} side
 */
function wantedY(item, side) {
  const near = (side ? item[side] : [...item.before, ...item.after]).filter(
    (one) => one.group === item.group,
  );
  if (near.length === 0) return item.y;
  let [sum, weight] = [0, 0];
  for (const one of near) {
    const heavy = one.node || item.node ? 1 : passingWeight;
    sum += one.y * heavy;
    weight += heavy;
  }
  return sum / weight;
}

/**
 * Puts a row's items as near as possible to where they want to be (least squares) in their order and with their distances.
 * @param {Item[]} row
 * @param {number[]} wanted
 * @param {Spacing} spacing
 * @param {number} [passGap]  px between a node and a line that passes
 */
function stack(row, wanted, spacing, passGap = spacing.rowGap / 2) {
  /** @type {{sum: number, weight: number, items: number}[]} */
  const blocks = [];
  const offsets = [0];
  row.forEach((item, i) => {
    if (i > 0) {
      const above = row[i - 1];
      const gap = above.node && item.node ? spacing.rowGap : passGap;
      offsets.push(offsets[i - 1] + (above.height + item.height) / 2 + gap);
    }
    const weight = item.isFixed ? fixedWeight : item.node ? 1 : passingWeight;
    let block = { sum: (wanted[i] - offsets[i]) * weight, weight, items: 1 };
    while (blocks.length > 0) {
      const last = blocks[blocks.length - 1];
      if (last.sum / last.weight <= block.sum / block.weight) break;
      blocks.pop();
      block = {
        sum: last.sum + block.sum,
        weight: last.weight + block.weight,
        items: last.items + block.items,
      };
    }
    blocks.push(block);
  });
  let i = 0;
  for (const block of blocks)
    for (let n = 0; n < block.items; n++, i++)
      row[i].y = block.sum / block.weight + offsets[i];
}

/**
 * @param {LayoutNode[]} nodes
 * @param {LayoutEdge[]} edges
 * @param {{edge: LayoutEdge, from: string, to: string}[]} forward
 * @param {Map<string, Item>} items
 * @param {Map<string, Item[]>} chains
 * @param {Item[][]} layers
 * @param {{bands: Band[], spacing: Spacing, signature: string}} more
 * @returns {Layout}
 */
function draw(nodes, edges, forward, items, chains, layers, more) {
  const { gap, nearGap = gap, bend } = more.spacing;
  /** @type {{left: number, right: number, gap: number}[]} */
  const columns = [];
  let x = 0;
  for (const layer of layers) {
    const width = Math.max(0, ...layer.map((item) => item.node?.width ?? 0));
    const own = layer.every((item) => item.node?.near) ? nearGap : gap;
    columns.push({ left: x, right: x + width, gap: own });
    x += width + own;
  }
  /** @type {Map<string, Place>} */
  const places = new Map();
  for (const node of nodes) {
    const item = /** @type {Item} */ (items.get(node.key));
    places.set(node.key, {
      key: node.key,
      x: round(columns[item.layer].left),
      y: round(item.y - node.height / 2),
      width: node.width,
      height: node.height,
      layer: item.layer,
    });
  }
  const ports = spread(forward, chains, items);
  /** @type {Map<string, Line>} */
  const lines = new Map();
  for (const line of forward) {
    const chain = /** @type {Item[]} */ (chains.get(line.edge.key));
    const start = /** @type {Place} */ (places.get(line.from));
    const port = /** @type {{out: number, in: number}} */ (
      ports.get(line.edge.key)
    );
    let y = round(chain[0].y + port.out);
    const first = { x: start.x + start.width, y };
    let path = `M${first.x} ${y}`;
    for (let i = 1; i < chain.length; i++) {
      const isEnd = i === chain.length - 1;
      const column = columns[chain[i].layer - 1];
      const from = column.right;
      const next = round(chain[i].y + (isEnd ? port.in : 0));
      const bent = Math.min(column.gap, bend);
      path +=
        y === next
          ? ""
          : `H${round(from)}C${round(from + bent * 0.55)} ${y} ${round(from + bent * 0.45)} ${next} ${round(from + bent)} ${next}`;
      y = next;
      path += `H${round(isEnd ? columns[chain[i].layer].left : columns[chain[i].layer].right)}`;
    }
    const end = columns[chain[chain.length - 1].layer].left;
    lines.set(line.edge.key, {
      key: line.edge.key,
      path,
      back: line.from !== line.edge.from,
      loop: false,
      start: first,
      end: { x: end, y },
    });
  }
  for (const edge of edges) {
    if (edge.from !== edge.to) continue;
    const at = /** @type {Place} */ (places.get(edge.from));
    const right = at.x + at.width;
    lines.set(edge.key, {
      key: edge.key,
      path: `M${right - 34} ${at.y}C${right - 34} ${at.y - loopSize} ${right - 10} ${at.y - loopSize} ${right - 10} ${at.y}`,
      back: false,
      loop: true,
      start: { x: right - 34, y: at.y },
      end: { x: right - 10, y: at.y },
    });
  }
  const bottoms = [...places.values()].map((at) => at.y + at.height);
  return {
    places,
    lines,
    bands: more.bands.map((band) => ({
      ...band,
      y: round(band.y),
      height: round(band.height),
    })),
    width: columns.at(-1)?.right ?? 0,
    height: Math.max(0, ...bottoms),
    signature: more.signature,
  };
}

/**
 * Where on the side of its nodes each line leaves and arrives, px from the middle: in the order of the other ends, so that they do not cross there.
 * @param {{edge: LayoutEdge, from: string, to: string}[]} forward
 * @param {Map<string, Item[]>} chains
 * @param {Map<string, Item>} items
 */
function spread(forward, chains, items) {
  /** @type {Map<string, {out: number, in: number}>} */
  const ports = new Map(
    forward.map((line) => [line.edge.key, { out: 0, in: 0 }]),
  );
  for (const side of /** @type {const} */ (["out", "in"])) {
    /** @type {Map<string, typeof forward>} */
    const byNode = new Map();
    for (const line of forward) {
      const key = side === "out" ? line.from : line.to;
      byNode.set(key, [...(byNode.get(key) ?? []), line]);
    }
    for (const [key, own] of byNode) {
      const height = items.get(key)?.height ?? 0;
      const other = (/** @type {typeof forward[number]} */ line) => {
        const chain = /** @type {Item[]} */ (chains.get(line.edge.key));
        return side === "out" ? chain[1].y : chain[chain.length - 2].y;
      };
      own.sort((a, b) => other(a) - other(b) || byKey(a.edge, b.edge));
      const most = side === "out" ? 6 : 16;
      const step = Math.min(most, (height - 16) / Math.max(1, own.length - 1));
      own.forEach((line, i) => {
        const port = ports.get(line.edge.key);
        if (port) port[side] = (i - (own.length - 1) / 2) * step;
      });
    }
  }
  return ports;
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
