// Log records of a trace: one line each, from a span to its record and back.
import { get } from "./api.js";
import { clear, h, swatch } from "./dom.js";
import { failureBanner, messageOf } from "./failure.js";
import { duration, text } from "./format.js";
import { t, tn } from "./i18n.js";
import { link } from "./page.js";
import { rowOf } from "./trace-model.js";
import { attributeList, valueText } from "./trace-values.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */

/** Asked for at a time: the API's largest page. */
const pageRecords = 1000;

const short = { fatal: "FTL", error: "ERR", warn: "WRN", info: "INF", debug: "DBG", trace: "TRC" };
const look = { fatal: "E", error: "E", warn: "W" };

/** @param {any} record */
export function severityMark(record) {
  const severity = /** @type {keyof typeof short} */ (record.severity);
  return h(
    "span",
    {
      class: `sev ${/** @type {Record<string, string>} */ (look)[severity] ?? ""}`,
      title: record.severityText || t(`Trace.Severity.${short[severity] ? severity : "unspecified"}`),
    },
    short[severity] ?? "···",
  );
}

/** Nanoseconds from the trace's begin as "+3.44 s". @param {string} unixNano @param {bigint} begin */
export function offsetText(unixNano, begin) {
  const nano = Number(BigInt(unixNano) - begin);
  return `${nano < 0 ? "−" : "+"}${text(duration(Math.abs(nano)))}`;
}

/** A short line for the drawer. @param {any} record @param {bigint} begin */
export function logLine(record, begin) {
  return h("div", { class: "log" }, h("time", null, offsetText(record.timeUnixNano, begin)), severityMark(record), h("span", null, bodyText(record)));
}

/** @param {any} record */
function bodyText(record) {
  return valueText(record.body) || record.eventName || valueText(record.attributes?.["exception.message"]) || "–";
}

/** Loads the trace's records page by page, oldest first, and marks them on the bars. */
export class TraceLogs {
  /** @param {TraceView} view */
  constructor(view) {
    this.view = view;
    /** @type {any[]} */
    this.records = [];
    /** @type {string | null} */
    this.cursor = null;
    this.state = /** @type {"idle" | "loading" | "done" | "failed"} */ ("idle");
    this.error = "";
    this.abort = new AbortController();
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  destroy() {
    this.abort.abort();
  }

  async load() {
    if (this.state === "loading") return;
    this.state = "loading";
    this.tell();
    const { model } = this.view;
    try {
      const answer = await get(`traces/${model.outline.traceId}/logs`, { limit: pageRecords, cursor: this.cursor }, this.abort.signal);
      this.records.push(...answer.records);
      this.cursor = answer.nextCursor ?? null;
      this.state = "done";
      this.mark(answer.records);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.state = "failed";
      this.error = messageOf(error);
    }
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  /** @param {any[]} records */
  mark(records) {
    const { model } = this.view;
    const rows = new Map(model.spanId.map((id, row) => [id, row]));
    const begin = BigInt(model.outline.startUnixNano);
    for (const record of records) {
      const row = record.spanId ? rows.get(record.spanId) : undefined;
      if (row === undefined) continue;
      const marks = model.marks.get(row) ?? [];
      marks.push({ at: Number(BigInt(record.timeUnixNano) - begin), severity: record.severity });
      model.marks.set(row, marks);
    }
    if (records.length > 0) this.view.changed("marks");
  }
}

/** The tab. */
export class LogsTab {
  /** @param {HTMLElement} host @param {TraceView} view @param {TraceLogs} logs @param {(spanId: string) => void} jump */
  constructor(host, view, logs, jump) {
    this.host = host;
    this.view = view;
    this.logs = logs;
    this.jump = jump;
    this.listener = () => this.draw();
    logs.listeners.add(this.listener);
    if (logs.state === "idle") void logs.load();
    this.draw();
  }

  destroy() {
    this.logs.listeners.delete(this.listener);
    clear(this.host);
  }

  draw() {
    const { records, state } = this.logs;
    clear(this.host);
    if (records.length > 0)
      this.host.append(
        h(
          "div",
          { class: "lgs", role: "list" },
          records.map((record) => this.line(record)),
        ),
      );
    else if (state === "loading")
      this.host.append(h("div", { class: "skeleton" }, ...[80, 64, 90, 72].map((width) => h("i", { class: "sk", style: `width:${width}%` }))));
    else if (state === "done")
      this.host.append(
        h(
          "div",
          { class: "empty" },
          h("h2", null, t("Trace.NoLogs")),
          h("p", { class: "t2" }, t("Trace.NoLogsHint")),
          h("a", { class: "btn", href: link("/logs") }, t("Trace.LogsAround")),
        ),
      );
    if (state === "failed")
      this.host.append(failureBanner(this.logs.error, { title: t("Trace.LogsFailed"), retry: () => void this.logs.load() }));
    else if (this.logs.cursor)
      this.host.append(
        h(
          "div",
          { class: "pager" },
          h("button", { class: "btn", type: "button", disabled: state === "loading", onclick: () => void this.logs.load() }, t("Trace.MoreLogs")),
          h("span", { class: "t3 small" }, tn("Trace.LogsShown", records.length)),
        ),
      );
  }

  /** @param {any} record */
  line(record) {
    const { model } = this.view;
    const row = rowOf(model, record.spanId);
    const attributes = record.attributes ?? {};
    const count = Object.keys(attributes).length;
    return h(
      "details",
      { class: "lgl", role: "listitem" },
      h(
        "summary",
        null,
        h("time", { title: record.timeUnixNano }, offsetText(record.timeUnixNano, BigInt(model.outline.startUnixNano))),
        severityMark(record),
        h("span", { class: "row svc2" }, swatch(record.service), h("span", { class: "cut" }, record.service)),
        h("span", { class: "cut body" }, bodyText(record)),
        row >= 0
          ? h(
              "button",
              {
                class: "btn sm ghost",
                type: "button",
                title: t("Trace.JumpToSpan"),
                onclick: (/** @type {Event} */ event) => (event.preventDefault(), this.jump(record.spanId)),
              },
              h("code", { class: "cut" }, model.names[model.name[row]]),
            )
          : h("span"),
      ),
      h(
        "div",
        { class: "lgd" },
        h("p", { class: "pre wrap" }, bodyText(record)),
        count ? attributeList(attributes, "log") : null,
        record.droppedAttributesCount > 0 ? h("p", { class: "small warn" }, tn("Trace.Dropped", record.droppedAttributesCount)) : null,
      ),
    );
  }
}
