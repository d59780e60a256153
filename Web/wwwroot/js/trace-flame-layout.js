// Where a flame graph's boxes lie: by time, or summed by call path.
import { statusError } from "./trace-model.js";

/** @typedef {import("./trace-model.js").TraceModel} TraceModel */

/**
 * @typedef {object} Boxes  arrays of one length
 * @property {Float64Array} from  nanoseconds of the trace, or of summed time
 * @property {Float64Array} to
 * @property {Int32Array} lane  0 at the top
 * @property {Int32Array} row  the span, or the longest span of a path
 * @property {Int32Array} parent  box, or -1
 * @property {Int32Array} spans  how many a box stands for
 * @property {Uint8Array} failed
 * @property {number} lanes
 * @property {number} total  width of everything
 */

/** Concurrent spans beyond so many lanes share the last one: no screen is taller. */
const mostLanes = 400;

/**
 * Each span where it was in time, below its parent; concurrent ones below each other.
 * @param {TraceModel} model @returns {Boxes}
 */
export function byTime(model) {
  const { count } = model;
  const order = Array.from({ length: count }, (_, row) => row);
  // A child that a clock put before its parent still comes after it.
  const begin = Float64Array.from(model.start);
  for (let row = 0; row < count; row++) if (model.parent[row] >= 0) begin[row] = Math.max(begin[row], begin[model.parent[row]]);
  order.sort((a, b) => begin[a] - begin[b] || a - b);
  const lane = new Int32Array(count);
  const free = new Float64Array(mostLanes).fill(-Infinity);
  let lanes = 1;
  for (const row of order) {
    let at = model.parent[row] >= 0 ? Math.min(mostLanes - 1, lane[model.parent[row]] + 1) : 0;
    while (at < mostLanes - 1 && free[at] > model.start[row]) at++;
    lane[row] = at;
    free[at] = Math.max(free[at], model.start[row] + model.duration[row]);
    lanes = Math.max(lanes, at + 1);
  }
  return {
    from: model.start,
    to: model.start.map((start, row) => start + model.duration[row]),
    lane,
    row: Int32Array.from(order.keys()),
    parent: model.parent,
    spans: new Int32Array(count).fill(1),
    failed: model.status.map((status) => (status === statusError ? 1 : 0)),
    lanes,
    total: model.durationNano,
  };
}

/**
 * Spans with the same path of services and operations in one box, as wide as the self time in and below it, widest first.
 * @param {TraceModel} model @returns {Boxes}
 */
export function byPath(model) {
  const { count } = model;
  const node = new Int32Array(count);
  /** @type {Map<string, number>} */
  const known = new Map();
  /** @type {number[]} */
  const parent = [];
  /** @type {number[]} */
  const row = [];
  /** @type {number[]} */
  const spans = [];
  /** @type {number[]} */
  const value = [];
  /** @type {number[]} */
  const failed = [];
  for (let at = 0; at < count; at++) {
    const above = model.parent[at] >= 0 ? node[model.parent[at]] : -1;
    const key = `${above} ${model.service[at]} ${model.name[at]}`;
    let box = known.get(key);
    if (box === undefined) {
      known.set(key, (box = parent.length));
      parent.push(above);
      row.push(at);
      spans.push(0);
      value.push(0);
      failed.push(0);
    }
    node[at] = box;
    spans[box]++;
    value[box] += model.self[at];
    if (model.status[at] === statusError) failed[box] = 1;
    if (model.duration[at] > model.duration[row[box]]) row[box] = at;
  }
  // A box is made after its parent, so sums run backwards and places forwards.
  for (let box = parent.length - 1; box >= 0; box--) if (parent[box] >= 0) value[parent[box]] += value[box];
  const from = new Float64Array(parent.length);
  const lane = new Int32Array(parent.length);
  /** @type {number[][]} */
  const children = parent.map(() => []);
  /** @type {number[]} */
  const roots = [];
  parent.forEach((above, box) => (above >= 0 ? children[above] : roots).push(box));
  let lanes = 1;
  let next = 0;
  for (const root of roots) {
    from[root] = next;
    next += value[root];
  }
  for (let box = 0; box < parent.length; box++) {
    lanes = Math.max(lanes, lane[box] + 1);
    let left = from[box];
    for (const child of children[box].sort((a, b) => value[b] - value[a])) {
      from[child] = left;
      lane[child] = lane[box] + 1;
      left += value[child];
    }
  }
  return {
    from,
    to: from.map((left, box) => left + value[box]),
    lane,
    row: Int32Array.from(row),
    parent: Int32Array.from(parent),
    spans: Int32Array.from(spans),
    failed: Uint8Array.from(failed),
    lanes,
    total: Math.max(1, next),
  };
}
