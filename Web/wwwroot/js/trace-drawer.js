// One span beside the waterfall: what it is, how unusual its time is, its attributes, events, links and logs.
import { get } from "./api.js";
import { copyText } from "./copy.js";
import { clear, h, icon, swatch, unit } from "./dom.js";
import { failureBanner } from "./failure.js";
import { duration, integer, percent, text } from "./format.js";
import { t, tn } from "./i18n.js";
import { link } from "./page.js";
import { logLine } from "./trace-logs.js";
import { errorsIn, hasChildren, kinds, nameOf, statusError } from "./trace-model.js";
import { attributeField, attributeList, attributeTerm, valueText } from "./trace-values.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */

/** Log records of the span listed here; the Logs tab has all. */
const mostLogs = 50;

/** While keys run over the rows, spans that are only passed are not asked for. */
const settleMs = 90;

/** Attributes that say what went wrong. */
const hotKeys = /^(error\.|exception\.|otel\.status_description$)/;

export class Drawer {
  /** @param {HTMLElement} host @param {TraceView} view @param {{jump: (spanId: string) => boolean, logs: () => void}} goTo */
  constructor(host, view, goTo) {
    this.view = view;
    this.goTo = goTo;
    this.element = h("aside", { class: "drawer", "aria-label": t("Trace.Span"), hidden: true });
    host.append(this.element);
    this.request = new AbortController();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    view.onChange((change) => {
      if (change === "span") this.show();
    });
    this.show();
  }

  destroy() {
    this.request.abort();
    clearTimeout(this.timer);
  }

  show() {
    this.request.abort();
    clearTimeout(this.timer);
    const { span } = this.view;
    this.element.hidden = span < 0;
    this.element.parentElement?.classList.toggle("open", span >= 0);
    if (span < 0) return;
    this.request = new AbortController();
    // What the outline knows is there at once; the rest follows.
    clear(this.element).append(
      this.head(),
      h("div", { class: "skeleton" }, ...[72, 90, 64, 80].map((width) => h("i", { class: "sk", style: `width:${width}%` }))),
    );
    this.element.scrollTop = 0;
    this.timer = setTimeout(() => void this.load(span, this.request.signal), settleMs);
  }

  /** @param {number} row @param {AbortSignal} signal */
  async load(row, signal) {
    const { model } = this.view;
    const path = `traces/${model.outline.traceId}`;
    try {
      const [span, logs] = await Promise.all([
        get(`${path}/spans/${model.spanId[row]}`, {}, signal),
        model.logs[row] > 0 ? get(`${path}/logs`, { spanId: model.spanId[row], limit: mostLogs }, signal) : { records: [] },
      ]);
      if (signal.aborted) return;
      clear(this.element).append(this.head(span), ...this.sections(row, span, logs.records));
    } catch (error) {
      if (signal.aborted) return;
      clear(this.element).append(
        this.head(),
        h("section", null, failureBanner(error, { title: t("Trace.SpanFailed"), retry: () => this.show() })),
      );
    }
  }

  /** @param {any} [span] */
  head(span) {
    const { model, span: row } = this.view;
    const service = model.services[model.service[row]];
    const peer = model.peer[row] >= 0 ? model.names[model.peer[row]] : "";
    const failed = model.status[row] === statusError;
    const why = span?.attributes?.["error.type"] ?? span?.attributes?.["http.response.status_code"] ?? span?.attributes?.["rpc.grpc.status_code"];
    const siblings = model.groupOf[row] >= 0 ? model.groups[model.groupOf[row]] : null;
    return h(
      "section",
      { class: "dh" },
      h(
        "div",
        { class: "row" },
        swatch(service),
        h("a", { class: "b cut", href: link(`/services/${encodeURIComponent(service)}`) }, service),
        peer && h("span", { class: "t3 cut" }, `→ ${peer}`),
        h("span", { class: "grow" }),
        siblings && h("span", { class: "tiny t3 nowrap" }, t("Trace.CallOf", integer(siblings.rows.indexOf(row) + 1), integer(siblings.count))),
        h(
          "button",
          {
            class: "btn sm sq ghost",
            type: "button",
            title: `${t("Trace.CopySpanLink")}`,
            "aria-label": t("Trace.CopySpanLink"),
            onclick: () => void copyText(location.href),
          },
          icon("link"),
        ),
        h(
          "button",
          { class: "btn sm sq ghost", type: "button", title: `${t("Shell.Close")} (Esc)`, "aria-label": t("Shell.Close"), onclick: () => this.view.open(-1) },
          icon("x"),
        ),
      ),
      h("h2", { class: "op" }, h("code", null, nameOf(model, row))),
      h(
        "div",
        { class: "row chips" },
        failed
          ? h("span", { class: "badge bad" }, icon("bad"), why === undefined ? t("Trace.Error") : valueText(why))
          : span?.status === "ok"
            ? h("span", { class: "badge ok" }, icon("ok"), t("Trace.Ok"))
            : null,
        h("span", { class: "badge" }, t(`Trace.Kind.${kinds[model.kind[row]]}`)),
        h("span", { class: "badge" }, text(duration(model.duration[row]))),
        hasChildren(model, row) ? h("span", { class: "badge" }, t("Trace.SelfIs", text(duration(model.self[row])))) : null,
        h("span", { class: "t3 small" }, t("Trace.StartsAt", `+${text(duration(model.start[row]))}`)),
      ),
      span?.statusMessage ? h("p", { class: "small bad msg" }, span.statusMessage) : null,
      errorsIn(model, row) > (failed ? 1 : 0) ? h("p", { class: "small t2" }, tn("Trace.ErrorsBelow", errorsIn(model, row) - (failed ? 1 : 0))) : null,
      model.missing.has(row) ? h("p", { class: "small warn" }, t("Trace.ParentMissing", model.missing.get(row) ?? "")) : null,
    );
  }

  /** @param {number} row @param {any} span @param {any[]} logs */
  sections(row, span, logs) {
    const attributes = span.attributes ?? {};
    const resource = span.resource?.attributes ?? {};
    const scope = span.scope ?? {};
    return [
      rankSection(span.durationRank, this.view.model.duration[row], attributes, span, this.view.model.services[this.view.model.service[row]]),
      statementSection(attributes),
      listSection(t("Trace.Attributes"), attributes, "span", t("Trace.ClickToFilter"), span.droppedAttributesCount, (key) => hotKeys.test(key)),
      span.events?.length ? this.eventsSection(span) : null,
      logs.length ? this.logsSection(row, logs) : null,
      span.links?.length ? this.linksSection(span) : null,
      this.relativesSection(row),
      listSection(t("Trace.Resource"), resource, "resource"),
      scope.name || Object.keys(scope.attributes ?? {}).length
        ? h(
            "section",
            null,
            h("h2", null, t("Trace.Scope")),
            h("p", { class: "small" }, h("code", null, scope.name || "–"), scope.version ? h("span", { class: "t3" }, ` ${scope.version}`) : null),
            scope.attributes && Object.keys(scope.attributes).length ? plainList(scope.attributes) : null,
          )
        : null,
      h(
        "section",
        { class: "small t3 ids" },
        h("span", null, t("Trace.SpanId"), " ", h("code", null, span.spanId)),
        h(
          "button",
          { class: "cpy on", type: "button", "aria-label": t("Trace.CopyValue", t("Trace.SpanId")), onclick: () => void copyText(span.spanId) },
          icon("copy"),
        ),
        span.traceState ? h("p", null, "tracestate ", h("code", null, span.traceState)) : null,
      ),
    ].filter((section) => section !== null);
  }

  /** @param {any} span */
  eventsSection(span) {
    const start = BigInt(span.startUnixNano);
    return h(
      "section",
      null,
      h("h2", null, t("Trace.EventsTitle"), " ", h("span", { class: "t3 n" }, integer(span.events.length))),
      span.events.map((/** @type {any} */ event) => {
        const at = `+${text(duration(Number(BigInt(event.timeUnixNano) - start)))}`;
        const isException = event.name === "exception";
        const type = valueText(event.attributes["exception.type"]);
        const rest = isException
          ? Object.fromEntries(Object.entries(event.attributes).filter(([key]) => !/^exception\.(type|message|stacktrace)$/.test(key)))
          : event.attributes;
        return h(
          "div",
          { class: isException ? "ev bad2" : "ev" },
          h(
            "div",
            { class: "row" },
            isException ? h("span", { class: "bad" }, icon("bad")) : null,
            h("b", { class: "cut" }, isException && type ? type : event.name),
            h("span", { class: "grow" }),
            h("time", { class: "t3 tiny" }, at),
          ),
          isException ? h("p", { class: "t2 msg" }, valueText(event.attributes["exception.message"])) : null,
          isException && event.attributes["exception.stacktrace"] ? stackTrace(valueText(event.attributes["exception.stacktrace"])) : null,
          Object.keys(rest).length ? attributeList(rest, "event") : null,
        );
      }),
      span.droppedEventsCount > 0 ? h("p", { class: "small warn" }, tn("Trace.Dropped", span.droppedEventsCount)) : null,
    );
  }

  /** @param {number} row @param {any[]} logs */
  logsSection(row, logs) {
    const { model } = this.view;
    const begin = BigInt(model.outline.startUnixNano);
    return h(
      "section",
      null,
      h("h2", null, t("Trace.Logs"), " ", h("span", { class: "t3 n" }, tn("Trace.InThisSpan", model.logs[row]))),
      logs.map((record) => logLine(record, begin)),
      h("a", { class: "link small", href: link("/logs", { q: `span:id = "${model.spanId[row]}"` }) }, t("Trace.OpenInLogs")),
    );
  }

  /** @param {any} span */
  linksSection(span) {
    return h(
      "section",
      null,
      h("h2", null, t("Trace.Links"), " ", h("span", { class: "t3 n" }, integer(span.links.length))),
      span.links.map((/** @type {any} */ one) =>
        h(
          "div",
          { class: "ev" },
          h(
            "a",
            { class: "link", href: link(`/traces/${one.traceId}`, { span: one.spanId }) },
            one.traceId === this.view.model.outline.traceId ? t("Trace.LinkHere", one.spanId) : t("Trace.LinkTo", one.traceId),
          ),
          Object.keys(one.attributes ?? {}).length ? attributeList(one.attributes, "link") : null,
        ),
      ),
    );
  }

  /** Parent and children, to walk without the waterfall. @param {number} row */
  relativesSection(row) {
    const { model } = this.view;
    const parent = model.parent[row];
    const children = [];
    for (let at = row + 1; at < model.end[row]; at = model.end[at]) children.push(at);
    if (parent < 0 && children.length === 0) return null;
    const button = (/** @type {number} */ at) =>
      h(
        "button",
        { class: "rel", type: "button", onclick: () => this.view.open(at) },
        swatch(model.services[model.service[at]]),
        h("span", { class: "cut" }, model.services[model.service[at]], " ", h("code", { class: "t2" }, nameOf(model, at))),
        model.status[at] === statusError ? h("span", { class: "bad" }, icon("bad")) : null,
        h("span", { class: "grow" }),
        h("span", { class: "t2 nowrap" }, ...unit(duration(model.duration[at]))),
      );
    const longest = children.sort((a, b) => model.duration[b] - model.duration[a]).slice(0, 5);
    return h(
      "section",
      null,
      parent >= 0 ? [h("h2", null, t("Trace.Parent")), button(parent)] : [],
      longest.length
        ? [
            h(
              "h2",
              { class: parent >= 0 ? "more" : null },
              t("Trace.Children"),
              " ",
              h(
                "span",
                { class: "t3 n" },
                children.length > longest.length ? t("Trace.LongestOf", longest.length, integer(children.length)) : integer(children.length),
              ),
            ),
            ...longest.map(button),
          ]
        : [],
    );
  }
}

/** @param {string} title @param {Record<string, any>} attributes @param {"span" | "resource"} scope @param {string} [hint] @param {number} [dropped] @param {(key: string) => boolean} [hot] */
function listSection(title, attributes, scope, hint, dropped = 0, hot) {
  if (Object.keys(attributes).length === 0 && !dropped) return null;
  return h(
    "section",
    null,
    h("div", { class: "row" }, h("h2", { class: "grow" }, title), hint ? h("span", { class: "tiny t3" }, hint) : null),
    attributeList(attributes, scope, { hot }),
    dropped > 0 ? h("p", { class: "small warn" }, tn("Trace.Dropped", dropped)) : null,
  );
}

/** @param {Record<string, any>} attributes */
function plainList(attributes) {
  return h("dl", { class: "kv" }, ...Object.entries(attributes).flatMap(([key, value]) => [h("dt", null, key), h("dd", null, valueText(value))]));
}

/** The statement of a database call, as it was written. @param {Record<string, any>} attributes */
function statementSection(attributes) {
  const statement = attributes["db.query.text"] ?? attributes["db.statement"];
  if (typeof statement !== "string" || !statement) return null;
  return h(
    "section",
    null,
    h(
      "div",
      { class: "row" },
      h("h2", { class: "grow" }, t("Trace.Statement")),
      h("button", { class: "btn sm", type: "button", onclick: () => void copyText(statement) }, icon("copy"), t("Shell.Copy")),
    ),
    h("pre", { class: "pre wrap", tabindex: "0" }, statement),
  );
}

/**
 * The span's duration on a logarithmic strip with the percentiles of its operation.
 * @param {any} rank @param {number} nano @param {Record<string, any>} _attributes @param {any} span @param {string} service
 */
function rankSection(rank, nano, _attributes, span, service) {
  if (!rank || rank.count < 1) return h("section", { class: "small t3" }, t("Trace.RankNone"));
  const [low, high] = [Math.min(nano, rank.p50Nano) / 2, Math.max(nano, rank.p99Nano) * 1.15];
  const place = (/** @type {number} */ value) => (Math.log(Math.max(value, low) / low) / Math.log(high / low)) * 100;
  const slow = rank.slowerThan >= 0.99;
  const said =
    rank.slowerThan >= 0.5
      ? t("Trace.SlowerThan", text(duration(nano)), text(percent(rank.slowerThan)))
      : t("Trace.FasterThan", text(duration(nano)), text(percent(1 - rank.slowerThan)));
  const me = place(nano);
  const labels = /** @type {[string, number][]} */ ([
    ["p50", rank.p50Nano],
    ["p95", rank.p95Nano],
    ["p99", rank.p99Nano],
  ]);
  return h(
    "section",
    null,
    h("h2", null, t("Trace.RankTitle")),
    h("p", { class: `small ${slow ? "bad b" : "t2"}` }, said),
    h(
      "div",
      { class: "strip", role: "img", "aria-label": `${said}; ${labels.map(([name, value]) => `${name} ${text(duration(value))}`).join(", ")}` },
      h("span", { class: "tr" }),
      h("span", { class: "rg", style: `left:${place(rank.p50Nano)}%;width:${Math.max(0, place(rank.p99Nano) - place(rank.p50Nano))}%` }),
      labels.map(([, value]) => h("span", { class: "mk", style: `left:${place(value)}%` })),
      h("span", { class: `me${slow ? " bad2" : ""}`, style: `left:${me}%` }),
    ),
    h(
      "div",
      { class: "row small pcts" },
      labels.map(([name, value]) => h("span", { class: "t3" }, `${name} `, h("span", { class: "t2" }, text(duration(value))))),
      h("span", { class: "grow" }),
      h("span", { class: "t3" }, tn("Trace.RankOf", rank.count)),
    ),
    h(
      "a",
      {
        class: "link small",
        href: link("/traces", { q: `${attributeField("resource", "service.name")} = ${JSON.stringify(service)} && ${attributeTerm("name", span.name)}` }),
      },
      t("Trace.SameOperation"),
    ),
  );
}

/** Frames of our own code stand out; the framework's are dim. @param {string} trace */
function stackTrace(trace) {
  const lines = trace.split("\n");
  const foreign = /^\s*(at|from|in)?\s*(System\.|Microsoft\.|java\.|javax\.|jdk\.|sun\.|org\.springframework\.|node:|internal\/)|node_modules|site-packages/;
  return h(
    "details",
    { class: "stack2", open: lines.length <= 12 ? true : null },
    h("summary", null, tn("Trace.Frames", lines.filter((line) => /^\s+(at|File)\b|^\s+\S+\(/.test(line)).length || lines.length)),
    h(
      "pre",
      { class: "pre", tabindex: "0" },
      ...lines.flatMap((line, index) => [
        h("span", { class: foreign.test(line) || /^\s*---/.test(line) ? "t3" : null }, line),
        index < lines.length - 1 ? "\n" : null,
      ]),
    ),
    h("button", { class: "btn sm", type: "button", onclick: () => void copyText(trace) }, icon("copy"), t("Shell.Copy")),
  );
}
