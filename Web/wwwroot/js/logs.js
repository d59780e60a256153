// The list of log records: pages on as one scrolls, opens a record in place, follows new ones over server-sent events.
import { get, stream } from "./api.js";
import { h, icon, swatch } from "./dom.js";
import { offerExport } from "./export.js";
import { failureBanner } from "./failure.js";
import { dateTime, integer, time } from "./format.js";
import { t } from "./i18n.js";
import { equalTerm, go, isoMillis, link, state, withState } from "./page.js";
import { copyText } from "./copy.js";
import { virtualList } from "./virtual.js";

/**
 * @typedef {object} Record
 * @property {string} timeUnixNano
 * @property {string} severity
 * @property {number} severityNumber
 * @property {string} severityText
 * @property {unknown} body
 * @property {string} eventName
 * @property {string | null} traceId
 * @property {string | null} spanId
 * @property {string} service
 * @property {{attributes: {[key: string]: unknown}}} resource
 * @property {{name: string, version: string, attributes: {[key: string]: unknown}}} scope
 * @property {{[key: string]: unknown}} attributes
 * @property {number} droppedAttributesCount
 */

/** @typedef {{id: string, record: Record, open: boolean}} Row */

const pageRows = 200;

/** Rows kept while following; older ones fall off, they are a scroll away when paused. */
const mostTailRows = 2_000;

/** @type {WeakMap<HTMLElement, () => void>} */
const stops = new WeakMap();

/** @param {HTMLElement} element @param {import('./page.js').PageState} page */
export function mount(element, page) {
  const abort = new AbortController();
  const notice = h("div", { class: "logs-notice", role: "status" });
  element.replaceChildren(notice);
  /** @type {Row[]} */
  let rows = [];
  let serial = 0;
  let cursor = element.dataset.cursor || null;
  let loading = false;
  const tailing = element.dataset.tail === "1";
  const oldest = element.dataset.order === "oldest";
  const query = { q: page.filter, text: element.dataset.text || null };

  const wrap = (/** @type {Record} */ record) => ({
    id: String(serial++),
    record,
    open: false,
  });
  const list = virtualList(element, {
    rowHeight: 26,
    key: (/** @type {Row} */ row) => row.id,
    render: (/** @type {Row} */ row) =>
      renderRow(row, page, (/** @type {Row} */ changed) =>
        list.redraw(changed),
      ),
    onEnd: () => void more(),
  });

  const more = async () => {
    if (loading || !cursor || tailing) return;
    loading = true;
    try {
      const answer = await get(
        "logs",
        {
          ...query,
          from: page.fromUnixNano,
          to: page.toUnixNano,
          order: oldest ? "oldest" : null,
          traceId: element.dataset.trace,
          limit: pageRows,
          cursor,
        },
        abort.signal,
      );
      cursor = answer.nextCursor;
      rows = rows.concat(answer.records.map(wrap));
      list.set(rows);
    } catch (error) {
      if (abort.signal.aborted) return;
      // Not asked again by scrolling on: whether it is worth it the reader decides.
      const from = cursor;
      cursor = null;
      notice.replaceChildren(
        failureBanner(error, {
          title: t("Logs.MoreFailed"),
          retry: () => {
            notice.replaceChildren();
            cursor = from;
            void more();
          },
        }),
      );
    } finally {
      loading = false;
    }
  };

  const first = document.getElementById("logs-first");
  rows = JSON.parse(first?.textContent || "[]").map(wrap);
  list.set(rows);
  offerExport(element, "logs", () =>
    rows.map(({ record }) => ({
      time:
        dateTime(record.timeUnixNano, "UTC") +
        time(record.timeUnixNano, "UTC", "milliseconds").slice(8),
      severity: record.severity,
      service: record.service,
      body: asText(record.body),
      traceId: record.traceId,
      spanId: record.spanId,
      attributes: JSON.stringify(record.attributes),
    })),
  );

  /** @type {EventSource | null} */
  let source = null;
  /** @type {Record[]} */
  let arrived = [];
  let frame = 0;
  if (tailing) {
    source = stream("logs/tail", query);
    notice.append(
      h(
        "div",
        { class: "row small t2 logs-live" },
        h("span", { class: "pulse" }),
        h("span", null, t("Logs.Following")),
      ),
    );
    source.addEventListener("record", (event) => {
      arrived.push(JSON.parse(/** @type {MessageEvent} */ (event).data));
      // Once a frame however many arrive.
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        rows = [...arrived.reverse().map(wrap), ...rows].slice(0, mostTailRows);
        arrived = [];
        list.set(rows);
      });
    });
    source.addEventListener("dropped", (event) => {
      const { count } = JSON.parse(/** @type {MessageEvent} */ (event).data);
      notice.replaceChildren(
        h(
          "div",
          { class: "row small warn" },
          icon("warn"),
          t("Logs.Dropped", integer(count)),
        ),
      );
    });
    source.addEventListener("error", () => notice.classList.add("lost"));
    source.addEventListener("open", () => notice.classList.remove("lost"));
  }

  stops.set(element, () => {
    abort.abort();
    source?.close();
    cancelAnimationFrame(frame);
    list.destroy();
  });
}

/** @param {HTMLElement} element */
export function unmount(element) {
  stops.get(element)?.();
}

/** @param {HTMLElement} element @param {import('./page.js').PageState} page */
export function update(element, page) {
  // A refresh brought newer records; while following they come by themselves.
  if (element.dataset.tail === "1") return;
  unmount(element);
  mount(element, page);
}

/** @param {unknown} value */
function asText(value) {
  return typeof value === "string"
    ? value
    : value === null || value === undefined
      ? ""
      : JSON.stringify(value);
}

const short = /** @type {{[key: string]: string}} */ ({
  fatal: "FTL",
  error: "ERR",
  warn: "WRN",
  info: "INF",
  debug: "DBG",
  trace: "TRC",
});
const letter = /** @type {{[key: string]: string}} */ ({
  fatal: "E",
  error: "E",
  warn: "W",
});

/** @param {Row} row @param {import('./page.js').PageState} page @param {(row: Row) => void} redraw */
function renderRow(row, page, redraw) {
  const { record } = row;
  const toggle = () => {
    if (getSelection()?.toString()) return;
    row.open = !row.open;
    redraw(row);
  };
  const body =
    asText(record.body) ||
    record.eventName ||
    asText(record.attributes["exception.message"]) ||
    "–";
  return h(
    "div",
    { class: `log${row.open ? " open" : ""}` },
    h(
      "div",
      { class: "line", onclick: toggle },
      h(
        "button",
        {
          type: "button",
          class: "tw",
          "aria-expanded": row.open ? "true" : "false",
          "aria-label": t("Logs.Open"),
        },
        row.open ? "▼" : "▶",
      ),
      h(
        "time",
        { class: "t2", title: dateTime(record.timeUnixNano, page.zone) },
        time(record.timeUnixNano, page.zone, "milliseconds"),
      ),
      h(
        "span",
        {
          class: `sev ${letter[record.severity] ?? ""}`,
          title: record.severityText || record.severity,
        },
        short[record.severity] ?? "···",
      ),
      h(
        "span",
        { class: "who" },
        swatch(record.service),
        h("span", { class: "cut" }, record.service),
      ),
      h(
        "span",
        { class: `msg cut${letter[record.severity] === "E" ? " hot" : ""}` },
        body.split("\n", 1)[0].slice(0, 2000),
      ),
      h(
        "span",
        { class: "tid t3" },
        record.traceId ? `${record.traceId.slice(0, 6)}…` : "",
      ),
    ),
    row.open && details(record, page, body),
  );
}

/** @param {Record} record @param {import('./page.js').PageState} page @param {string} body */
function details(record, page, body) {
  const at = BigInt(record.timeUnixNano);
  const around = {
    from: isoMillis(at - 30_000_000_000n),
    to: isoMillis(at + 30_000_000_000n),
    refresh: null,
    tail: null,
    text: null,
    q: null,
  };
  const stack = asText(record.attributes["exception.stacktrace"]);
  /** @type {[string, string, unknown][]} */
  const pairs = [
    ...Object.entries(record.attributes)
      .filter(([key]) => key !== "exception.stacktrace")
      .map(
        ([key, value]) =>
          /** @type {[string, string, unknown]} */ (["log", key, value]),
      ),
    ...Object.entries(record.resource.attributes).map(
      ([key, value]) =>
        /** @type {[string, string, unknown]} */ (["resource", key, value]),
    ),
  ];
  return h(
    "div",
    { class: "more" },
    h(
      "div",
      { class: "row wrap" },
      record.traceId &&
        h(
          "a",
          {
            class: "btn sm",
            href: link(`/traces/${record.traceId}`, { span: record.spanId }),
          },
          icon("traces"),
          t(record.spanId ? "Logs.OpenSpan" : "Logs.OpenTrace"),
        ),
      record.traceId &&
        h(
          "a",
          {
            class: "btn sm",
            href: withState({
              trace: record.traceId,
              q: null,
              text: null,
              tail: null,
            }),
          },
          icon("logs"),
          t("Logs.SameTrace"),
        ),
      h(
        "a",
        { class: "btn sm", href: link("/logs", around) },
        icon("clock"),
        t("Logs.Around"),
      ),
      h(
        "button",
        {
          class: "btn sm",
          type: "button",
          onclick: () => void copyText(JSON.stringify(record, null, 2)),
        },
        icon("copy"),
        t("Logs.CopyJson"),
      ),
    ),
    (body.includes("\n") || body.length > 120) &&
      h("pre", { class: "pre" }, body),
    stack && h("pre", { class: "pre" }, stack),
    h(
      "dl",
      { class: "kv two" },
      pairs.flatMap(([scope, key, value]) => [
        h("dt", { class: "cut", title: `${scope}.${key}` }, key),
        h(
          "dd",
          { class: /^(exception|error)\b/.test(key) ? "hot" : "" },
          h(
            "button",
            {
              type: "button",
              class: "pick-value",
              title: t("Logs.FilterOn", `${scope}.${key}`),
              onclick: () => choose(scope, key, value),
            },
            asText(value) || '""',
          ),
        ),
      ]),
      record.scope?.name && [
        h("dt", null, t("Logs.Logger")),
        h("dd", null, record.scope.name),
      ],
      record.traceId && [
        h("dt", null, "trace.id"),
        h("dd", null, record.traceId),
      ],
      record.spanId && [h("dt", null, "span.id"), h("dd", null, record.spanId)],
    ),
    record.droppedAttributesCount > 0 &&
      h(
        "p",
        { class: "small warn" },
        t("Logs.DroppedAttributes", integer(record.droppedAttributesCount)),
      ),
  );
}

/** @param {string} scope @param {string} key @param {unknown} value */
function choose(scope, key, value) {
  const name = /^[\w.-]+$/.test(key)
    ? `${scope}.${key}`
    : `${scope}.${JSON.stringify(key)}`;
  const term = equalTerm(
    name,
    typeof value === "object" ? JSON.stringify(value) : value,
  );
  const q = state().q;
  go(withState({ q: q ? `${q} && ${term}` : term }));
}
