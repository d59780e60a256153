// The parts of the panel beside a map: figures, marks, tables.
import { timeChart } from "./chart.js";
import { h, icon, swatch, unit } from "./dom.js";
import { dateTime, duration, percent, rate, text, time } from "./format.js";
import { t } from "./i18n.js";
import { go, link, state } from "./page.js";
import { symbol } from "./topology-shapes.js";

/** @typedef {import('./topology.js').Node} Node */
/** @typedef {import('./topology.js').Figures} Figures */

/** Points of the chart: one every 4 px. */
const chartPoints = 70;

/** As ServiceRow and TopologyGraph: the recent part of a range. */
const recentShare = 1 / 6;

/** What a state is, in a word, and since when it is worse than the range as a whole. @param {string} health @param {Figures | null} now */
export function stateLine(health, now) {
  if (health === "ok") return null;
  const recent =
    now && now.recentErrorRate > now.errorRate * 1.2
      ? `${text(percent(now.recentErrorRate))} ${t("Topology.Now", recentSpan())}`
      : "";
  return h(
    "p",
    { class: "row small" },
    h(
      "span",
      { class: `badge ${health}` },
      icon(health),
      t(`Shell.State.${health}`),
    ),
    recent ? h("span", { class: "bad" }, recent) : null,
  );
}

/** As RangeName.Length. */
function recentSpan() {
  const page = state();
  const seconds =
    (Number(BigInt(page.toUnixNano) - BigInt(page.fromUnixNano)) / 1e9) *
    recentShare;
  return seconds < 90
    ? t("Shell.Unit.s", Math.round(seconds))
    : seconds < 5400
      ? t("Shell.Unit.m", Math.round(seconds / 60))
      : t("Shell.Unit.h", Math.round(seconds / 3600));
}

/** @param {string} health @param {Figures} now @param {Figures | null} before @param {string} calls */
export function figures(health, now, before, calls) {
  const was = (/** @type {import('./format.js').Quantity} */ quantity) =>
    before ? t("Services.Was", text(quantity)) : "";
  const one = (
    /** @type {string} */ label,
    /** @type {import('./format.js').Quantity} */ value,
    /** @type {string} */ then,
    /** @type {boolean} */ isBad,
  ) =>
    h(
      "span",
      null,
      h("span", { class: "tiny t3" }, label),
      h("b", { class: isBad ? "bad" : "" }, unit(value)),
      h("span", { class: "tiny t3" }, then),
    );
  return h(
    "section",
    { class: "g3" },
    one(calls, rate(now.rate), was(rate(before?.rate)), false),
    one(
      t("Services.Errors"),
      percent(now.errorRate),
      was(percent(before?.errorRate)),
      health === "bad",
    ),
    one("p95", duration(now.p95Nano), was(duration(before?.p95Nano)), false),
  );
}

/** The coloured square of a service, the symbol of a peer; its name stands beside it. @param {Node} node */
export function mark(node) {
  return node.type === "service"
    ? swatch(node.name)
    : h("span", { class: "peer" }, icon(symbol(node)));
}

/** @param {string} health */
export function stateMark(health) {
  return h(
    "span",
    {
      class: `st ${health}`,
      role: "img",
      "aria-label": t(`Shell.State.${health}`),
    },
    icon(health),
  );
}

/** @param {string} title @param {import('./topology-flow.js').Row[]} rows @param {string} q @param {boolean} isField */
export function flowTable(title, rows, q, isField) {
  return h(
    "section",
    { class: "list" },
    h("h2", null, isField ? h("code", null, title) : title),
    h(
      "table",
      { class: "tbl fix" },
      h(
        "tbody",
        null,
        rows.map((row) => {
          const bad = row.errors > 2 && row.errorRate >= 0.05;
          return h(
            "tr",
            { class: bad ? "hot" : "", "data-href": true },
            h(
              "td",
              { class: "cut", title: row.label },
              h(
                "a",
                { href: link("/traces", { q: `${q} && ${row.term}` }) },
                h("code", null, row.label),
              ),
            ),
            h("td", { class: "r n" }, unit(rate(row.rate))),
            h(
              "td",
              { class: `r n ${bad ? "bad b" : ""}` },
              unit(percent(row.errorRate)),
            ),
          );
        }),
      ),
    ),
  );
}

/** @param {any[]} traces */
export function traceList(traces) {
  const { zone } = state();
  return h(
    "section",
    { class: "list" },
    h("h2", null, t("Topology.Slowest")),
    h(
      "table",
      { class: "tbl fix" },
      h(
        "tbody",
        null,
        [...traces]
          .sort((a, b) => b.durationNano - a.durationNano)
          .map((trace) =>
            h(
              "tr",
              { "data-href": true },
              h(
                "td",
                { class: "cut", title: trace.rootName },
                h(
                  "a",
                  {
                    href: link(`/traces/${trace.traceId}`, {
                      span: trace.firstMatchSpanId,
                    }),
                  },
                  h("code", null, trace.rootName || trace.traceId.slice(0, 12)),
                ),
              ),
              h(
                "td",
                {
                  class: "r n t3",
                  title: dateTime(trace.startUnixNano, zone),
                },
                time(trace.startUnixNano, zone, "seconds"),
              ),
              h(
                "td",
                { class: `r n ${trace.errorCount > 0 ? "bad" : ""}` },
                unit(duration(trace.durationNano)),
              ),
            ),
          ),
      ),
    ),
  );
}

export function skeleton() {
  return h(
    "div",
    { class: "skeleton", role: "status", "aria-label": t("Shell.Loading") },
    ["62%", "48%", "71%"].map((width) =>
      h(
        "div",
        { class: "row" },
        h("i", { class: "sk", style: `width:${width}` }),
      ),
    ),
  );
}

export function rangeOfPage() {
  const page = state();
  return { from: page.fromUnixNano, to: page.toUnixNano };
}

export function chartStep() {
  const page = state();
  const seconds =
    Number(BigInt(page.toUnixNano) - BigInt(page.fromUnixNano)) / 1e9;
  const steps = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600,
  ];
  return `${steps.find((step) => seconds / step <= chartPoints) ?? 86400}s`;
}

/** Failures over time, or how long it took where nothing failed. @param {HTMLElement} plot @param {any} answer @param {any} group @param {Node[]} ends @param {string} q */
export function flowChart(plot, answer, group, ends, q) {
  const failing = group.errors > 0;
  const shares = group.series.count.map(
    (/** @type {number} */ count, /** @type {number} */ i) =>
      count > 0 ? group.series.errors[i] / count : null,
  );
  return timeChart(plot, {
    startSeconds: Number(answer.startUnixNano) / 1e9,
    stepSeconds: answer.stepNano / 1e9,
    height: 128,
    label: failing ? t("Services.Errors") : "p95",
    series: [
      {
        label: "",
        values: failing ? shares : group.series.p95Nano,
        color: failing ? "--bad" : "--c-1",
        width: 2,
      },
    ],
    top: failing ? 0.02 : 0,
    format: (value) =>
      text(failing ? percent(value) : duration(value)).replace(/\.0+(?= )/, ""),
    marks: ends
      .filter((node) => node.versionChangedUnixNano && node.version)
      .map((node) => ({
        seconds: Number(node.versionChangedUnixNano) / 1e9,
        label: /^\d/.test(node.version ?? "")
          ? `v${node.version}`
          : (node.version ?? ""),
      })),
    onClick: (at) => {
      const step = answer.stepNano / 1e9;
      const start = Number(answer.startUnixNano) / 1e9;
      const from = Math.floor((at - start) / step) * step + start;
      go(
        link("/traces", {
          q: `${q}${failing ? " && status = error" : ""}`,
          from: new Date(from * 1000).toISOString(),
          to: new Date((from + step) * 1000).toISOString(),
          refresh: null,
        }),
      );
    },
  });
}
