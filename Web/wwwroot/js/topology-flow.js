// What flows over an edge, or into a peer: the filter that finds its spans, as exactly as their attributes allow, and what they say.
import { get } from "./api.js";
import { equalTerm } from "./page.js";

/** @typedef {import('./topology.js').Node} Node */
/** @typedef {import('./topology.js').Edge} Edge */
/** @typedef {import('./topology.js').Graph} Graph */
/** @typedef {{label: string, term: string, rate: number, errorRate: number, errors: number, p95Nano: number | null}} Row */
/** @typedef {{q: string, exact: boolean}} Flow  not exact: all calls to the callee, whoever makes them */

const mostRows = 6;

/** A value sets failures apart from this difference of its shares inside and outside of them. */
const leastDifference = 0.3;
const leastShare = 0.5;

/** Of traces that begin in a service. */
const entering = "kind = server && span:parentID = nil";

const requests = "(kind = server || kind = consumer)";

/** The peer that a calling span names, in the attributes that the store reads. @param {Node} node */
function peerTerm(node) {
  const any = (/** @type {string[]} */ ...fields) =>
    `(${fields.map((field) => equalTerm(`span.${field}`, node.name)).join(" || ")})`;
  const isSystem = node.name === node.system;
  if (node.type === "database") {
    const system = `(${equalTerm("span.db.system.name", node.system)} || ${equalTerm("span.db.system", node.system)})`;
    return isSystem
      ? system
      : `${system} && ${any("db.namespace", "db.name", "server.address", "net.peer.name")}`;
  }
  if (node.type === "queue")
    return isSystem
      ? equalTerm("span.messaging.system", node.system)
      : any("messaging.destination.name", "messaging.destination");
  return any("peer.service", "server.address", "net.peer.name");
}

/** @param {string} name */
const serviceTerm = (name) => equalTerm("resource.service.name", name);

/** @param {Node} node @returns {Flow} */
export function nodeFlow(node) {
  if (node.type === "entry") return { q: entering, exact: false };
  return node.type === "service"
    ? { q: `${serviceTerm(node.name)} && ${requests}`, exact: true }
    : {
        q: `(kind = client || kind = producer) && ${peerTerm(node)}`,
        exact: true,
      };
}

/**
 * The spans of an edge. A service's caller is seen in the calling spans, where they name the callee; else what the callee answered is all there is.
 * @param {Edge} edge
 * @param {Node} from
 * @param {Node} to
 * @param {{from: string, to: string}} range
 * @param {AbortSignal} signal
 * @returns {Promise<Flow>}
 */
export async function edgeFlow(edge, from, to, range, signal) {
  if (from.type === "entry")
    return { q: `${serviceTerm(to.name)} && ${entering}`, exact: true };
  if (from.type === "queue")
    return {
      q: `${serviceTerm(to.name)} && kind = consumer && ${peerTerm(from)}`,
      exact: true,
    };
  const calling = `${serviceTerm(from.name)} && (kind = client || kind = producer) && ${peerTerm(to)}`;
  if (to.type !== "service") return { q: calling, exact: true };
  const found = await get("spans/red", { q: calling, ...range }, signal);
  const count = found.groups[0]?.count ?? 0;
  return count * 2 >= edge.now.count
    ? { q: calling, exact: true }
    : { q: `${serviceTerm(to.name)} && ${requests}`, exact: false };
}

/**
 * The commonest values of a field among the spans of a flow, those that fail most first.
 * @param {string} q
 * @param {string} field
 * @param {{from: string, to: string}} range
 * @param {AbortSignal} signal
 * @returns {Promise<Row[]>}
 */
export async function rowsBy(q, field, range, signal) {
  const red = await get("spans/red", { q, by: field, ...range }, signal);
  return red.groups
    .filter(
      (/** @type {any} */ group) => !group.overflow && group.key[0] !== null,
    )
    .map((/** @type {any} */ group) => ({
      label: String(group.key[0]),
      term: equalTerm(field, group.key[0]),
      rate: group.rate,
      errorRate: group.errorRate,
      errors: group.errors,
      p95Nano: group.p95Nano,
    }))
    .sort(
      (/** @type {Row} */ a, /** @type {Row} */ b) =>
        b.errors - a.errors || b.rate - a.rate,
    )
    .slice(0, mostRows);
}

/**
 * The attribute that sets failing spans apart from the others, if one does.
 * @param {string} q
 * @param {{names: string[], beginnings: string[]}} untelling  fields that explain nothing
 * @param {{from: string, to: string}} range
 * @param {AbortSignal} signal
 * @returns {Promise<string | null>}
 */
export async function tellingField(q, untelling, range, signal) {
  const compared = await get(
    "spans/compare",
    { q, box: "status = error", ...range },
    signal,
  );
  // A value that most of the failing spans have and the others have not; one that they lack explains little.
  const says = (/** @type {any} */ value) =>
    value.value !== null &&
    value.inside >= leastShare &&
    value.inside - value.outside >= leastDifference;
  const telling = compared.attributes.find(
    (/** @type {any} */ attribute) =>
      attribute.values.some(says) &&
      !untelling.names.includes(attribute.field) &&
      !untelling.beginnings.some((begin) => attribute.field.startsWith(begin)),
  );
  return telling?.field ?? null;
}

/**
 * Edges that fail because of this one: those that lead to it and fail too, nearest first.
 * @param {Graph} graph
 * @param {string} from  the caller of the failing edge
 * @returns {Edge[]}
 */
export function upstream(graph, from) {
  /** @type {Edge[]} */
  const found = [];
  const seen = new Set([from]);
  for (const key of seen) {
    for (const edge of graph.edges) {
      if (edge.to !== key || edge.state === "ok" || found.includes(edge))
        continue;
      found.push(edge);
      seen.add(edge.from);
    }
  }
  return found;
}
