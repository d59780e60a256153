// The topology page: what of the graph is shown, what is selected, and that both are in the URL.
import { t } from "./i18n.js";
import { offerExport } from "./export.js";
import { withState } from "./page.js";
import { createMap } from "./topology-map.js";
import { createPanel } from "./topology-panel.js";

/** @typedef {{count: number, errors: number, rate: number, errorRate: number, recentErrorRate: number, worstErrorRate: number, p50Nano: number | null, p95Nano: number | null, p99Nano: number | null}} Figures */
/** @typedef {{key: string, name: string, type: string, system: string | null, state: string, environments: string[], version: string | null, versionChangedUnixNano: number | null, now: Figures | null, before: Figures | null}} Node */
/** @typedef {{key: string, from: string, to: string, system: string | null, operation: string | null, state: string, begins: boolean, now: Figures, before: Figures | null}} Edge */
/** @typedef {{nodes: Node[], edges: Edge[]}} Graph */
/** @typedef {"errors" | "latency" | "rate"} Mode */
/** @typedef {{show: string, of: string, mode: Mode, grouped: boolean, selected: string}} View */

/** @type {WeakMap<HTMLElement, {draw: () => void, destroy: () => void}>} */
const live = new WeakMap();

/** @param {HTMLElement} element */
export function mount(element) {
  const graph = () => /** @type {Graph} */ (read(element));
  const map = createMap({
    label: element.getAttribute("aria-label") ?? "",
    mostLabels: Number(element.dataset.mostLabels ?? 40),
    select: (key) => change({ sel: key }),
    around: (key) => change({ of: key, show: null }),
  });
  const panel = createPanel({
    untelling: JSON.parse(element.dataset.untelling ?? "{}"),
    select: (key) => {
      change({ sel: key });
      if (key) map.reveal(key);
    },
    around: (key) => change({ of: key, show: null }),
    point: (key) => map.point(key),
  });
  element.replaceChildren(map.element, panel.element);

  /** @type {{text: string, graph: Graph} | null} */
  let parsed = null;
  /** @param {HTMLElement} from @returns {Graph} */
  function read(from) {
    const text = from.dataset.graph ?? '{"nodes":[],"edges":[]}';
    if (parsed?.text !== text) parsed = { text, graph: JSON.parse(text) };
    return parsed.graph;
  }

  const draw = () => {
    const all = graph();
    const view = viewOf(location.search);
    const shown = visible(all, view);
    map.draw(shown, view);
    panel.draw(all, view);
    mark(view, shown, all);
  };

  /** Changes what the URL says, without asking the server anew. @param {Record<string, string | null>} changes */
  const change = (changes) => {
    history.replaceState(history.state, "", withState(changes));
    // Links that the server wrote for this page lead on from what is shown now.
    for (const anchor of document.querySelectorAll(
      'main a[href^="/topology"], .top a[href^="/topology"]',
    )) {
      if (!(anchor instanceof HTMLAnchorElement) || anchor.dataset.map)
        continue;
      const url = new URL(anchor.href);
      for (const [key, value] of Object.entries(changes))
        if (value) url.searchParams.set(key, value);
        else url.searchParams.delete(key);
      anchor.setAttribute("href", url.pathname + url.search);
    }
    draw();
  };

  const onClick = (/** @type {MouseEvent} */ event) => {
    const target = event.target instanceof Element ? event.target : null;
    const anchor = target?.closest("a[data-map]");
    if (
      !(anchor instanceof HTMLElement) ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.button !== 0
    )
      return;
    event.preventDefault();
    event.stopPropagation();
    const [, key, value] = /^(\w+)=(.*)$/s.exec(anchor.dataset.map ?? "") ?? [];
    const changes = { [key]: value || null };
    if (key === "show") changes.of = null;
    if (key === "of") changes.show = null;
    // The popup it may stand in closes as after any choice.
    document.body.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    change(changes);
  };
  // Before Blazor, which would ask the server for the page.
  window.addEventListener("click", onClick, true);

  offerExport(element, "nodes", () =>
    graph().nodes.map((node) => ({
      name: node.name,
      type: node.type,
      system: node.system ?? "",
      state: node.state,
      environments: node.environments.join(" "),
      rate: node.now?.rate ?? "",
      errorRate: node.now?.errorRate ?? "",
      p50Nano: node.now?.p50Nano ?? "",
      p95Nano: node.now?.p95Nano ?? "",
      p99Nano: node.now?.p99Nano ?? "",
    })),
  );
  live.set(element, {
    draw,
    destroy() {
      window.removeEventListener("click", onClick, true);
      map.destroy();
      panel.destroy();
    },
  });
  draw();
}

/** New figures, the same picture. @param {HTMLElement} element */
export function update(element) {
  live.get(element)?.draw();
}

/** @param {HTMLElement} element */
export function unmount(element) {
  live.get(element)?.destroy();
  live.delete(element);
}

/** @param {string} search @returns {View} */
function viewOf(search) {
  const values = new URLSearchParams(search);
  const mode = values.get("edges");
  return {
    show: values.get("show") === "bad" ? "bad" : "",
    of: values.get("of") ?? "",
    mode: mode === "latency" || mode === "rate" ? mode : "errors",
    grouped: values.get("by") === "env",
    selected: values.get("sel") ?? "",
  };
}

/**
 * What of the graph the view lets through.
 * @param {Graph} graph
 * @param {View} view
 * @returns {Graph}
 */
export function visible(graph, view) {
  if (view.of && graph.nodes.some((node) => node.key === view.of)) {
    const edges = graph.edges.filter(
      (edge) => edge.from === view.of || edge.to === view.of,
    );
    return ends(graph, edges, [view.of]);
  }
  if (view.show === "bad") {
    const edges = graph.edges.filter((edge) => edge.state !== "ok");
    return ends(
      graph,
      edges,
      graph.nodes.filter((node) => node.state !== "ok").map((node) => node.key),
    );
  }
  return graph;
}

/** @param {Graph} graph @param {Edge[]} edges @param {string[]} more @returns {Graph} */
function ends(graph, edges, more) {
  const keys = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
  for (const key of more) keys.add(key);
  return { nodes: graph.nodes.filter((node) => keys.has(node.key)), edges };
}

/**
 * The controls and the table say what the map shows.
 * @param {View} view
 * @param {Graph} shown
 * @param {Graph} all
 */
function mark(view, shown, all) {
  const is = (/** @type {string} */ key, /** @type {string} */ value) =>
    key === "show"
      ? view.show === value && (value !== "" || view.of === "")
      : key === "edges"
        ? view.mode === (value || "errors")
        : key === "of"
          ? view.of === value
          : false;
  for (const anchor of document.querySelectorAll("main a[data-map]")) {
    if (!(anchor instanceof HTMLElement)) continue;
    const [, key, value] = /^(\w+)=(.*)$/s.exec(anchor.dataset.map ?? "") ?? [];
    if (key === "by") {
      anchor.dataset.map = `by=${view.grouped ? "" : "env"}`;
      anchor.classList.toggle("on", view.grouped);
      anchor.setAttribute("aria-pressed", String(view.grouped));
    } else if (key === "of")
      anchor.setAttribute("aria-selected", String(is(key, value)));
    else {
      anchor.classList.toggle("on", is(key, value));
      if (is(key, value)) anchor.setAttribute("aria-current", "true");
      else anchor.removeAttribute("aria-current");
    }
  }
  const of = all.nodes.find((node) => node.key === view.of);
  const picked = document.querySelector('main [data-pop="of-pop"] .cut');
  if (picked)
    picked.textContent = of
      ? t("Topology.NeighboursOfName", of.name)
      : t("Topology.NeighboursOf");
  const edges = new Set(shown.edges.map((edge) => edge.key));
  for (const row of document.querySelectorAll(".topo-edges tr[data-edge]"))
    if (row instanceof HTMLElement)
      row.hidden = !edges.has(row.dataset.edge ?? "");
}
