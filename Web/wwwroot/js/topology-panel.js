// What is known of the node or edge that is selected: its figures now and before, what flows there, and the ways on.
import { get } from "./api.js";
import { h, icon, swatch, unit } from "./dom.js";
import { failureBanner } from "./failure.js";
import { percent, rate } from "./format.js";
import { t } from "./i18n.js";
import { equalTerm, link } from "./page.js";
import { servicePath } from "./palette.js";
import {
  edgeFlow,
  nodeFlow,
  rowsBy,
  tellingField,
  upstream,
} from "./topology-flow.js";
import {
  chartStep,
  figures,
  flowChart,
  flowTable,
  mark,
  rangeOfPage,
  skeleton,
  stateLine,
  stateMark,
  traceList,
} from "./topology-parts.js";

/** @typedef {import('./topology.js').Node} Node */
/** @typedef {import('./topology.js').Edge} Edge */
/** @typedef {import('./topology.js').Graph} Graph */
/** @typedef {import('./topology.js').View} View */
/** @typedef {import('./topology-flow.js').Flow} Flow */

const mostTraces = 3;
const mostNeighbours = 12;
const mostWorst = 10;

/**
 * @param {{untelling: {names: string[], beginnings: string[]}, select: (key: string | null) => void, around: (key: string) => void, point: (key: string | null) => void}} options
 */
export function createPanel(options) {
  const element = h("aside", {
    class: "card topo-side",
    "aria-live": "polite",
  });
  /** @type {AbortController | null} */
  let asking = null;
  /** @type {{destroy: () => void} | null} */
  let chart = null;
  let shown = "";

  /** @param {Graph} graph @param {View} view */
  const draw = (graph, view) => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    const edge = graph.edges.find((one) => one.key === view.selected);
    const node = graph.nodes.find((one) => one.key === view.selected);
    if (!edge && !node) {
      shown = "";
      release();
      element.replaceChildren(...overview(graph));
      return;
    }
    const isNew = shown !== view.selected;
    shown = view.selected;
    // The answers of before stay until there are new ones: a refresh does not blink.
    const more = isNew
      ? h("div", { class: "more" }, skeleton())
      : /** @type {HTMLElement} */ (element.querySelector(".more"));
    if (isNew) release();
    if (edge) {
      const [from, to] = [edge.from, edge.to].map(
        (key) =>
          /** @type {Node} */ (graph.nodes.find((one) => one.key === key)),
      );
      element.replaceChildren(
        ...edgeHead(graph, edge, from, to),
        more,
        edgeWays(from, to),
      );
      void fill(more, signal, () =>
        edgeMore(graph, edge, from, to, signal, more),
      );
    } else if (node) {
      element.replaceChildren(
        ...nodeHead(node),
        ...neighbours(graph, node),
        more,
        nodeWays(node),
      );
      void fill(more, signal, () => nodeMore(node, signal, more));
    }
  };

  /** Shows what an answer gave, or that there was none. @param {HTMLElement} more @param {AbortSignal} signal @param {() => Promise<void>} ask */
  const fill = async (more, signal, ask) => {
    try {
      await ask();
    } catch (error) {
      if (signal.aborted) return;
      more.replaceChildren(
        h(
          "section",
          null,
          failureBanner(error, { retry: () => void fill(more, signal, ask) }),
        ),
      );
    }
  };

  const release = () => {
    chart?.destroy();
    chart = null;
  };

  /** Nothing is selected: what is wrong, or else what is busy. @param {Graph} graph */
  const overview = (graph) => {
    const name = (/** @type {string} */ key) =>
      /** @type {Node} */ (graph.nodes.find((one) => one.key === key));
    const weight = (/** @type {Edge} */ edge) =>
      (edge.state === "bad" ? 20 : edge.state === "warn" ? 10 : 0) +
      (edge.begins ? 5 : 0) +
      edge.now.worstErrorRate;
    const bad = graph.edges.filter((edge) => edge.state !== "ok");
    const rows = (bad.length > 0 ? bad : [...graph.edges])
      .sort((a, b) =>
        bad.length > 0 ? weight(b) - weight(a) : b.now.rate - a.now.rate,
      )
      .slice(0, mostWorst);
    return [
      h(
        "section",
        { class: "list" },
        h(
          "h2",
          null,
          t(bad.length > 0 ? "Topology.WorstFirst" : "Topology.Busiest"),
        ),
        graph.edges.length > 0 &&
          [...graph.edges, ...graph.nodes].every((one) => one.state === "ok")
          ? h(
              "p",
              { class: "small t2" },
              h(
                "span",
                { class: "badge ok" },
                icon("ok"),
                t("Topology.NothingBad"),
              ),
            )
          : null,
        edgeTable(
          rows.map((edge) => ({
            edge,
            label: [
              h(
                "span",
                { class: "ends" },
                h(
                  "span",
                  { class: "row" },
                  mark(name(edge.from)),
                  h("span", { class: "cut" }, name(edge.from).name),
                ),
                h(
                  "span",
                  { class: "row" },
                  h("span", { class: "t3" }, "→"),
                  mark(name(edge.to)),
                  h("span", { class: "cut" }, name(edge.to).name),
                ),
              ),
            ],
          })),
        ),
      ),
    ];
  };

  /** @param {{edge: Edge, label: (Node | HTMLElement | string)[]}[]} rows */
  const edgeTable = (rows) =>
    h(
      "table",
      { class: "tbl fix" },
      h(
        "tbody",
        null,
        rows.map(({ edge, label }) =>
          h(
            "tr",
            { class: edge.state === "bad" ? "hot" : "" },
            h(
              "td",
              null,
              h(
                "button",
                {
                  type: "button",
                  class: "pick-value row",
                  onclick: () => options.select(edge.key),
                  onpointerenter: () => options.point(edge.key),
                  onpointerleave: () => options.point(null),
                },
                edge.state === "ok" ? null : stateMark(edge.state),
                /** @type {any} */ (label),
              ),
            ),
            h("td", { class: "r n" }, unit(rate(edge.now.rate))),
            h(
              "td",
              { class: `r n ${edge.state === "bad" ? "bad b" : ""}` },
              unit(percent(edge.now.errorRate)),
            ),
          ),
        ),
      ),
    );

  /** @param {Graph} graph @param {Edge} edge @param {Node} from @param {Node} to */
  const edgeHead = (graph, edge, from, to) =>
    [
      h(
        "section",
        null,
        h(
          "div",
          { class: "row" },
          nodeButton(from),
          h("span", { class: "t3" }, "→"),
          nodeButton(to),
          h("span", { class: "grow" }),
          closer(),
        ),
        stateLine(edge.state, edge.now),
        edge.begins
          ? h("p", { class: "small t2" }, t("Topology.Begins", to.name))
          : null,
      ),
      figures(edge.state, edge.now, edge.before, t("Services.Calls")),
      edge.begins ? suffering(graph, edge) : null,
    ].filter((part) => part !== null);

  /** @param {Graph} graph @param {Edge} edge */
  const suffering = (graph, edge) => {
    const found = upstream(graph, edge.from);
    if (found.length === 0) return null;
    const name = (/** @type {string} */ key) =>
      /** @type {Node} */ (graph.nodes.find((one) => one.key === key));
    return h(
      "section",
      { class: "list" },
      h("h2", null, t("Topology.Upstream")),
      edgeTable(
        found.map((one) => ({
          edge: one,
          label: [
            mark(name(one.from)),
            h("span", { class: "cut" }, name(one.from).name),
            h("code", { class: "t2 cut" }, one.operation ?? ""),
          ],
        })),
      ),
    );
  };

  /** @param {Node} node */
  const nodeHead = (node) => [
    h(
      "section",
      null,
      h(
        "div",
        { class: "row" },
        mark(node),
        h("b", { class: "b cut" }, node.name),
        node.system ? h("span", { class: "t3 small" }, node.system) : null,
        h("span", { class: "grow" }),
        closer(),
      ),
      stateLine(node.state, node.now),
      node.type === "entry"
        ? h("p", { class: "small t2" }, t("Topology.OutsideHint"))
        : null,
      node.environments.length || node.version
        ? h(
            "p",
            { class: "small t3" },
            [
              node.version
                ? /^\d/.test(node.version)
                  ? `v${node.version}`
                  : node.version
                : "",
              node.environments.join(", "),
            ]
              .filter(Boolean)
              .join(" · "),
          )
        : null,
    ),
    node.now
      ? figures(
          node.state,
          node.now,
          node.before,
          t(node.type === "service" ? "Services.Rate" : "Services.Calls"),
        )
      : h("section", { class: "t2" }, t("Topology.NotCalled")),
  ];

  /** @param {Graph} graph @param {Node} node */
  const neighbours = (graph, node) => {
    const list = (
      /** @type {string} */ title,
      /** @type {Edge[]} */ edges,
      /** @type {"from" | "to"} */ side,
    ) =>
      edges.length === 0
        ? null
        : h(
            "section",
            { class: "list" },
            h("h2", null, title),
            edgeTable(
              [...edges]
                .sort(
                  (a, b) =>
                    b.now.errors - a.now.errors || b.now.count - a.now.count,
                )
                .slice(0, mostNeighbours)
                .map((edge) => {
                  const other = /** @type {Node} */ (
                    graph.nodes.find((one) => one.key === edge[side])
                  );
                  return {
                    edge,
                    label: [
                      mark(other),
                      h("span", { class: "cut" }, other.name),
                    ],
                  };
                }),
            ),
          );
    return [
      list(
        t("Topology.CalledBy"),
        graph.edges.filter((edge) => edge.to === node.key),
        "from",
      ),
      list(
        t("Topology.CallsTo"),
        graph.edges.filter((edge) => edge.from === node.key),
        "to",
      ),
    ].filter((part) => part !== null);
  };

  /** @param {Graph} graph @param {Edge} edge @param {Node} from @param {Node} to @param {AbortSignal} signal @param {HTMLElement} more */
  const edgeMore = async (graph, edge, from, to, signal, more) => {
    const range = rangeOfPage();
    const flow = await edgeFlow(edge, from, to, range, signal);
    const title = flow.exact
      ? t("Topology.WhatFlows")
      : t("Topology.OperationsOf", to.name);
    await flowing(flow, title, edge.state, signal, more, [from, to]);
  };

  /** @param {Node} node @param {AbortSignal} signal @param {HTMLElement} more */
  const nodeMore = (node, signal, more) =>
    flowing(nodeFlow(node), t("Topology.WhatFlows"), node.state, signal, more, [
      node,
    ]);

  /**
   * @param {Flow} flow
   * @param {string} title
   * @param {string} health
   * @param {AbortSignal} signal
   * @param {HTMLElement} more
   * @param {Node[]} ends
   */
  const flowing = async (flow, title, health, signal, more, ends) => {
    const range = rangeOfPage();
    const { q } = flow;
    const [series, rows, field, slowest] = await Promise.all([
      get("spans/red", { q, ...range, step: chartStep() }, signal),
      rowsBy(q, "name", range, signal),
      health === "bad"
        ? tellingField(q, options.untelling, range, signal)
        : null,
      get(
        "traces",
        { q, ...range, order: "slowest", limit: mostTraces },
        signal,
      ),
    ]);
    const told = field ? await rowsBy(q, field, range, signal) : [];
    if (signal.aborted) return;
    const group = series.groups[0];
    const chartTitle = t(
      ends.length > 1 ? "Topology.Chart" : "Services.Errors",
    );
    const plot = h("div", { class: "topo-chart" });
    const parts = [];
    if (group?.series)
      parts.push(
        h(
          "section",
          { class: "plot" },
          h("h2", null, group.errors > 0 ? chartTitle : "p95"),
          plot,
        ),
      );
    if (told.length > 0 && field)
      parts.push(flowTable(field.replace(/^[a-z]+\./, ""), told, q, true));
    if (rows.length > 0) parts.push(flowTable(title, rows, q, false));
    if (slowest.traces.length > 0) parts.push(traceList(slowest.traces));
    if (parts.length === 0)
      parts.push(h("section", { class: "t2 small" }, t("Topology.NoFlow")));
    more.replaceChildren(...parts);
    more.dataset.q = q;
    setWays(q);
    release();
    if (group?.series) chart = flowChart(plot, series, group, ends, q);
  };

  const nodeButton = (/** @type {Node} */ node) =>
    h(
      "button",
      {
        type: "button",
        class: "pick-value row",
        title: t("Topology.Open", node.name),
        onclick: () => options.select(node.key),
      },
      mark(node),
      h("b", { class: "b cut" }, node.name),
    );

  const closer = () =>
    h(
      "button",
      {
        class: "btn sm sq ghost",
        type: "button",
        title: `${t("Shell.Close")} (Esc)`,
        "aria-label": t("Shell.Close"),
        onclick: () => options.select(null),
      },
      icon("x"),
    );

  /** @param {Node} from @param {Node} to */
  const edgeWays = (from, to) =>
    h(
      "section",
      { class: "row ways" },
      tracesWay(),
      logsWay([from, to].filter((node) => node.type === "service")),
      ...[from, to]
        .filter((node) => node.type === "service")
        .map((node) =>
          h(
            "a",
            { class: "btn sm", href: link(servicePath(node.name)) },
            swatch(node.name),
            node.name,
          ),
        ),
    );

  /** @param {Node} node */
  const nodeWays = (node) =>
    h(
      "section",
      { class: "row ways" },
      node.type === "service"
        ? h(
            "a",
            { class: "btn sm", href: link(servicePath(node.name)) },
            icon("services"),
            t("Topology.Service"),
          )
        : null,
      tracesWay(),
      node.type === "service" ? logsWay([node]) : null,
      h(
        "button",
        {
          class: "btn sm",
          type: "button",
          title: "n",
          onclick: () => options.around(node.key),
        },
        icon("topology"),
        t("Topology.CloseUp"),
      ),
    );

  /** The logs of services, together. @param {Node[]} services  one or two */
  const logsWay = (services) =>
    h(
      "a",
      {
        class: "btn sm",
        href: link("/logs", {
          q: services
            .map((node) => equalTerm("resource.service.name", node.name))
            .join(" || "),
        }),
      },
      icon("logs"),
      t("Shell.Logs"),
    );

  /** Leads to the traces once it is known which they are. */
  const tracesWay = () => {
    const q = element.querySelector(".more")?.getAttribute("data-q");
    return h(
      "a",
      {
        class: "btn sm",
        "data-ways": "traces",
        href: link("/traces", { q: shown && q ? q : null }),
      },
      icon("traces"),
      t("Shell.Traces"),
    );
  };

  /** @param {string} q */
  const setWays = (q) =>
    element
      .querySelector('[data-ways="traces"]')
      ?.setAttribute("href", link("/traces", { q }));

  return {
    element,
    draw,
    destroy() {
      asking?.abort();
      release();
    },
  };
}
