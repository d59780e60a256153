// A trace's outline in typed arrays: tree, folds, critical path, search. Rows are in the order of the answer: depth first, children after their parent.

/**
 * @typedef {object} Outline  docs/http-api.md, `traces/{id}/outline`
 * @property {string} traceId
 * @property {string} startUnixNano
 * @property {number} durationNano
 * @property {number} spanCount
 * @property {number} errorCount
 * @property {boolean} truncated
 * @property {{name: string, spanCount: number, errorCount: number, selfNano: number}[]} services
 * @property {string[]} names
 * @property {Record<string, any[]>} columns
 * @property {{row: number, fromNano: number, toNano: number}[]} criticalPath
 * @property {{row: number, parentSpanId: string}[]} missingParents
 * @property {{parentRow: number, rows: number[], name: string, service: string, count: number, durationNano: number}[]} repeated
 * @property {{service: string, name: string, status: string, httpStatusCode: number | null}} root
 * @property {{share: number, durationNano: number, calls: number, service: string, peer: string | null, name: string | null, kind: "waits" | "works"} | null} headline
 * @property {string[]} warnings
 */

/** @typedef {{rows: Int32Array, count: number, durationNano: number, folded: boolean}} Group  siblings of one name, shown as one row while folded */

/** @typedef {ReturnType<typeof buildModel>} TraceModel */

/** Subtrees below this share of the trace, and without errors, start folded. */
const fastShare = 0.02;

/** A smaller trace is shown whole: there is nothing to gain from folding what fits on a screen. */
const smallTraceSpans = 30;

export const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];
export const statusError = 2;

/** @param {Outline} outline */
export function buildModel(outline) {
  const { columns } = outline;
  const count = columns.spanId.length;
  const parent = Int32Array.from(columns.parent, (at, row) => (at < row ? at : -1));
  const size = new Int32Array(count).fill(1);
  for (let row = count - 1; row > 0; row--) if (parent[row] >= 0) size[parent[row]] += size[row];
  const end = size.map((rows, row) => row + rows);
  const status = Uint8Array.from(columns.status);
  const critical = Uint8Array.from(columns.critical);
  const segments = segmentsByRow(outline.criticalPath, count);
  const model = {
    outline,
    count,
    /** @type {string[]} */
    spanId: columns.spanId,
    parent,
    /** one past the last row of the subtree */
    end,
    depth: Int32Array.from(columns.depth),
    service: Int32Array.from(columns.service),
    name: Int32Array.from(columns.name),
    kind: Uint8Array.from(columns.kind),
    status,
    start: Float64Array.from(columns.startNano),
    duration: Float64Array.from(columns.durationNano),
    self: Float64Array.from(columns.selfNano),
    critical,
    events: Int32Array.from(columns.events),
    exceptions: Int32Array.from(columns.exceptions),
    logs: Int32Array.from(columns.logs),
    peer: Int32Array.from(columns.peer),
    detail: Int32Array.from(columns.detail),
    names: outline.names,
    services: outline.services.map((service) => service.name),
    /** running counts: [end] - [start] says how many in a subtree */
    errorsBefore: runningCount(status, statusError),
    criticalBefore: runningCount(critical, 1),
    segments,
    durationNano: Math.max(1, outline.durationNano),
    collapsed: new Uint8Array(count),
    groupOf: new Int32Array(count).fill(-1),
    /** @type {Group[]} */
    groups: [],
    /** rows shown, in order */
    visible: new Int32Array(0),
    /** the place of a row in `visible`, or -1 */
    placeOf: new Int32Array(count),
    /** log records with a time, by row: filled when they came @type {Map<number, {at: number, severity: string}[]>} */
    marks: new Map(),
    missing: new Map(outline.missingParents.map((one) => [one.row, one.parentSpanId])),
    maxDepth: 0,
  };
  for (const depth of model.depth) if (depth > model.maxDepth) model.maxDepth = depth;
  for (const repeated of outline.repeated) {
    const rows = Int32Array.from(repeated.rows);
    for (const row of rows) model.groupOf[row] = model.groups.length;
    model.groups.push({ rows, count: repeated.count, durationNano: repeated.durationNano, folded: true });
  }
  foldFast(model);
  refreshVisible(model);
  return model;
}

/** @param {Uint8Array} values @param {number} wanted */
function runningCount(values, wanted) {
  const before = new Int32Array(values.length + 1);
  for (let i = 0; i < values.length; i++) before[i + 1] = before[i] + (values[i] === wanted ? 1 : 0);
  return before;
}

/**
 * Sections of the critical path sorted by row: those of a subtree lie together.
 * @param {Outline["criticalPath"]} path @param {number} count
 */
function segmentsByRow(path, count) {
  const first = new Int32Array(count + 1);
  for (const section of path) first[section.row + 1]++;
  for (let i = 0; i < count; i++) first[i + 1] += first[i];
  const next = first.slice();
  const from = new Float64Array(path.length);
  const to = new Float64Array(path.length);
  for (const section of path) {
    const at = next[section.row]++;
    from[at] = section.fromNano;
    to[at] = section.toNano;
  }
  return { first, from, to };
}

/** @param {TraceModel} model @param {number} row */
export const hasChildren = (model, row) => model.end[row] > row + 1;

/** @param {TraceModel} model @param {number} row */
export const errorsIn = (model, row) => model.errorsBefore[model.end[row]] - model.errorsBefore[row];

/** The folded group that this row stands for, or null. @param {TraceModel} model @param {number} row @returns {Group | null} */
export function foldedGroup(model, row) {
  const group = model.groupOf[row] >= 0 ? model.groups[model.groupOf[row]] : null;
  return group?.folded ? group : null;
}

/** Folds what is fast and fine. @param {TraceModel} model */
export function foldFast(model) {
  if (model.count <= smallTraceSpans) return;
  const least = model.durationNano * fastShare;
  for (let row = 1; row < model.count; row++)
    if (hasChildren(model, row) && model.parent[row] >= 0 && model.duration[row] < least && errorsIn(model, row) === 0) model.collapsed[row] = 1;
}

/** @param {TraceModel} model */
export function expandAll(model) {
  model.collapsed.fill(0);
}

/** Works out which rows are shown; after any fold. @param {TraceModel} model */
export function refreshVisible(model) {
  const shown = new Int32Array(model.count);
  model.placeOf.fill(-1);
  let places = 0;
  for (let row = 0; row < model.count; ) {
    const group = foldedGroup(model, row);
    if (group && group.rows[0] !== row) {
      row = model.end[row];
      continue;
    }
    model.placeOf[row] = places;
    shown[places++] = row;
    row = group || model.collapsed[row] ? model.end[row] : row + 1;
  }
  model.visible = shown.slice(0, places);
}

/** Spans hidden in collapsed subtrees. @param {TraceModel} model */
export function foldedSpans(model) {
  let hidden = 0;
  for (const row of model.visible) if (model.collapsed[row] && !foldedGroup(model, row)) hidden += model.end[row] - row - 1;
  return hidden;
}

/** Opens what hides a row. @param {TraceModel} model @param {number} row @returns {boolean} whether something changed */
export function reveal(model, row) {
  let changed = false;
  for (let at = row; at >= 0; at = model.parent[at]) {
    const group = foldedGroup(model, at);
    if (group && (at !== row || group.rows[0] !== row)) {
      group.folded = false;
      changed = true;
    }
    if (at !== row && model.collapsed[at]) {
      model.collapsed[at] = 0;
      changed = true;
    }
  }
  if (changed) refreshVisible(model);
  return changed;
}

/** Opens or folds a row's subtree or group. @param {TraceModel} model @param {number} row @param {boolean} open @returns {boolean} whether something changed */
export function setOpen(model, row, open) {
  const group = model.groupOf[row] >= 0 ? model.groups[model.groupOf[row]] : null;
  if (open && group?.folded) group.folded = false;
  else if (hasChildren(model, row) && !!model.collapsed[row] === open) model.collapsed[row] = open ? 0 : 1;
  else if (!open && group && !group.folded) group.folded = true;
  else return false;
  refreshVisible(model);
  return true;
}

/** @param {TraceModel} model @param {number} row */
export const isOpen = (model, row) => !foldedGroup(model, row) && hasChildren(model, row) && !model.collapsed[row];

/** From where to where a row's bar goes; a folded group's spans all of it. @param {TraceModel} model @param {number} row */
export function barRange(model, row) {
  const group = foldedGroup(model, row);
  let from = model.start[row];
  let to = from + model.duration[row];
  if (group)
    for (const one of group.rows) {
      if (model.start[one] < from) from = model.start[one];
      if (model.start[one] + model.duration[one] > to) to = model.start[one] + model.duration[one];
    }
  return { from, to };
}

/** The rows that a shown row stands for, as [first, end) pairs. @param {TraceModel} model @param {number} row @returns {[number, number][]} */
export function standsFor(model, row) {
  const group = foldedGroup(model, row);
  if (group) return Array.from(group.rows, (one) => /** @type {[number, number]} */ ([one, model.end[one]]));
  return [[row, model.collapsed[row] ? model.end[row] : row + 1]];
}

/** @param {TraceModel} model @param {number} row whether it, or what it hides, is on the critical path */
export function isCritical(model, row) {
  return standsFor(model, row).some(([first, end]) => model.criticalBefore[end] > model.criticalBefore[first]);
}

/** The next row with an error after (or before) another, around the end; -1 without errors. @param {TraceModel} model @param {number} from @param {number} by 1 or -1 */
export function nextError(model, from, by = 1) {
  return nextRow(model.count, from, by, (row) => model.status[row] === statusError);
}

/** @param {number} count @param {number} from @param {number} by @param {(row: number) => boolean} wanted */
export function nextRow(count, from, by, wanted) {
  for (let i = 1; i <= count; i++) {
    const row = (((from + by * i) % count) + count) % count;
    if (wanted(row)) return row;
  }
  return -1;
}

/**
 * Rows whose service, name, detail, peer or span id contains the text, in any case.
 * @param {TraceModel} model @param {string} text @returns {{hit: Uint8Array, count: number}}
 */
export function search(model, text) {
  const wanted = text.trim().toLowerCase();
  const hit = new Uint8Array(model.count);
  if (!wanted) return { hit, count: 0 };
  const names = model.names.map((name) => name.toLowerCase().includes(wanted));
  const services = model.services.map((name) => name.toLowerCase().includes(wanted));
  const isId = /^[0-9a-f]{4,16}$/.test(wanted);
  let count = 0;
  for (let row = 0; row < model.count; row++) {
    const found =
      services[model.service[row]] ||
      names[model.name[row]] ||
      (model.detail[row] >= 0 && names[model.detail[row]]) ||
      (model.peer[row] >= 0 && names[model.peer[row]]) ||
      (isId && model.spanId[row].startsWith(wanted));
    if (found) {
      hit[row] = 1;
      count++;
    }
  }
  return { hit, count };
}

/** @param {TraceModel} model @param {string | null} spanId */
export const rowOf = (model, spanId) => (spanId ? model.spanId.indexOf(spanId) : -1);

/**
 * Time of the critical path by service, longest first.
 * @param {TraceModel} model
 */
export function pathByService(model) {
  const time = new Float64Array(model.services.length);
  for (const section of model.outline.criticalPath) time[model.service[section.row]] += section.toNano - section.fromNano;
  return model.services
    .map((name, index) => ({ name, nano: time[index] }))
    .filter((one) => one.nano > 0)
    .sort((a, b) => b.nano - a.nano);
}

/**
 * Sums by service and operation, longest total first.
 * @param {TraceModel} model
 */
export function byOperation(model) {
  /** @type {Map<number, {service: number, name: number, count: number, total: number, self: number, longest: number, errors: number, row: number, critical: number}>} */
  const found = new Map();
  for (let row = 0; row < model.count; row++) {
    const key = model.service[row] * model.names.length + model.name[row];
    let one = found.get(key);
    if (!one)
      found.set(key, (one = { service: model.service[row], name: model.name[row], count: 0, total: 0, self: 0, longest: 0, errors: 0, row, critical: 0 }));
    one.count++;
    one.total += model.duration[row];
    one.self += model.self[row];
    if (model.status[row] === statusError) one.errors++;
    if (model.duration[row] > one.longest) {
      one.longest = model.duration[row];
      one.row = row;
    }
    for (let at = model.segments.first[row]; at < model.segments.first[row + 1]; at++) one.critical += model.segments.to[at] - model.segments.from[at];
  }
  return [...found.values()].sort((a, b) => b.total - a.total);
}

/**
 * A span's name; one that is only an HTTP method is told apart by its path: "POST /v2/authorize", with the host where no peer names it.
 * @param {TraceModel} model @param {number} row
 */
export function nameOf(model, row) {
  const name = model.names[model.name[row]];
  if (model.detail[row] < 0 || !/^[A-Z]{3,7}$/.test(name)) return name;
  const detail = model.names[model.detail[row]];
  const address = /^https?:\/\/([^/?#]*)([^?#]*)/.exec(detail);
  if (!address) return detail.startsWith("/") ? `${name} ${detail}` : name;
  const known = model.peer[row] >= 0 && address[1].startsWith(model.names[model.peer[row]]);
  return `${name} ${known ? "" : address[1]}${address[2] || "/"}`;
}
