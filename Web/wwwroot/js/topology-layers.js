// Which layer of a map each node stands in: right of all that call it.

/** @typedef {import('./topology-layout.js').LayoutNode} LayoutNode */
/** @typedef {import('./topology-layout.js').LayoutEdge} LayoutEdge */
/** @typedef {import('./topology-layout.js').Layout} Layout */

/** @param {{key: string}} a @param {{key: string}} b */
export function byKey(a, b) {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

/**
 * Turns enough calls round that no cycle is left: those that lead back to a node on the way to them, seen from where the traffic comes in.
 * @param {LayoutNode[]} nodes
 * @param {LayoutEdge[]} calls
 * @param {Layout | null} previous
 * @returns {{edge: LayoutEdge, from: string, to: string}[]}
 */
export function orient(nodes, calls, previous) {
  /** @type {Map<string, {out: LayoutEdge[], degree: number, entering: number}>} */
  const of = new Map(
    nodes.map((node) => [node.key, { out: [], degree: 0, entering: 0 }]),
  );
  const at = (/** @type {string} */ key) =>
    /** @type {{out: LayoutEdge[], degree: number, entering: number}} */ (
      of.get(key)
    );
  for (const call of calls) {
    at(call.from).out.push(call);
    at(call.from).degree++;
    at(call.to).degree--;
    at(call.to).entering++;
  }
  const layer = (/** @type {string} */ key) =>
    previous?.places.get(key)?.layer ?? 0;
  const starts = [...nodes].sort(
    (a, b) =>
      Number(at(a.key).entering > 0) - Number(at(b.key).entering > 0) ||
      layer(a.key) - layer(b.key) ||
      at(b.key).degree - at(a.key).degree ||
      byKey(a, b),
  );
  /** @type {Map<string, "open" | "done">} */
  const seen = new Map();
  /** @type {Set<LayoutEdge>} */
  const turned = new Set();
  for (const start of starts) {
    if (seen.has(start.key)) continue;
    const stack = [{ key: start.key, next: 0 }];
    seen.set(start.key, "open");
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const call = at(top.key).out[top.next++];
      if (!call) {
        seen.set(top.key, "done");
        stack.pop();
      } else if (seen.get(call.to) === "open") turned.add(call);
      else if (!seen.has(call.to)) {
        seen.set(call.to, "open");
        stack.push({ key: call.to, next: 0 });
      }
    }
  }
  return calls.map((edge) =>
    turned.has(edge)
      ? { edge, from: edge.to, to: edge.from }
      : { edge, from: edge.from, to: edge.to },
  );
}

/**
 * A node stands right of all that call it. Where the layers of the graph before still serve, they are kept.
 * @param {LayoutNode[]} nodes
 * @param {{from: string, to: string}[]} forward
 * @param {Layout | null} previous
 * @returns {{layers: Map<string, number>, kept: boolean}}
 */
export function assignLayers(nodes, forward, previous) {
  const places = previous?.places;
  if (places && nodes.some((node) => places.has(node.key))) {
    const layers = longestPaths(
      nodes,
      forward,
      (key) => places.get(key)?.layer,
    );
    const serve = forward.every(
      (line) => (layers.get(line.from) ?? 0) < (layers.get(line.to) ?? 0),
    );
    if (serve) return { layers, kept: true };
  }
  return {
    layers: longestPaths(nodes, forward, () => undefined),
    kept: false,
  };
}

/**
 * @param {LayoutNode[]} nodes
 * @param {{from: string, to: string}[]} forward
 * @param {(key: string) => number | undefined} given  the layer of a node that has one
 */
function longestPaths(nodes, forward, given) {
  /** @type {Map<string, string[]>} */
  const callers = new Map(nodes.map((node) => [node.key, []]));
  /** @type {Map<string, string[]>} */
  const callees = new Map(nodes.map((node) => [node.key, []]));
  for (const line of forward) {
    callers.get(line.to)?.push(line.from);
    callees.get(line.from)?.push(line.to);
  }
  /** @type {Map<string, number>} */
  const layers = new Map();
  const missing = new Map(
    nodes.map((node) => [node.key, callers.get(node.key)?.length ?? 0]),
  );
  const ready = nodes
    .filter((node) => missing.get(node.key) === 0)
    .map((node) => node.key);
  for (const key of ready) {
    layers.set(
      key,
      given(key) ??
        Math.max(
          -1,
          ...(callers.get(key) ?? []).map((caller) => layers.get(caller) ?? 0),
        ) + 1,
    );
    for (const callee of callees.get(key) ?? []) {
      const left = (missing.get(callee) ?? 0) - 1;
      missing.set(callee, left);
      if (left === 0) ready.push(callee);
    }
  }
  // Nobody calls it and all it calls is far to the right: it stands beside that, and its lines stay short.
  for (const node of nodes) {
    const called = callees.get(node.key) ?? [];
    const isEntry =
      (callers.get(node.key)?.length ?? 0) === 0 && called.length > 0;
    if (isEntry && given(node.key) === undefined)
      layers.set(
        node.key,
        Math.max(
          0,
          Math.min(...called.map((callee) => layers.get(callee) ?? 1)) - 1,
        ),
      );
  }
  return layers;
}

/**
 * The order in which a walk from the entries meets the nodes: what is called from one place stands together.
 * @param {LayoutNode[]} nodes
 * @param {{from: string, to: string}[]} forward
 */
export function ranks(nodes, forward) {
  /** @type {Map<string, string[]>} */
  const callees = new Map(nodes.map((node) => [node.key, []]));
  const called = new Set(forward.map((line) => line.to));
  for (const line of forward) callees.get(line.from)?.push(line.to);
  /** @type {Map<string, number>} */
  const rank = new Map();
  const walk = [...nodes]
    .sort(
      (a, b) =>
        Number(called.has(a.key)) - Number(called.has(b.key)) || byKey(a, b),
    )
    .map((node) => node.key)
    .reverse();
  while (walk.length > 0) {
    const key = /** @type {string} */ (walk.pop());
    if (rank.has(key)) continue;
    rank.set(key, rank.size);
    walk.push(...[...(callees.get(key) ?? [])].reverse());
  }
  return rank;
}
