// The traces that match, a page at a time.
import { clear, h, icon, swatch, unit } from "./dom.js";
import { serviceColor } from "./colors.js";
import { dateTime, duration, integer, text, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { link } from "./page.js";

/** @typedef {{traceId: string, rootService: string, rootName: string, rootStatus: string, rootMissing: boolean, rootHttpStatusCode: number | null, startUnixNano: string, durationNano: number, spanCount: number, errorCount: number, orphanCount: number, services: {name: string, spanCount: number, errorCount: number, selfNano: number}[], matchedSpanCount: number, firstMatchSpanId: string | null}} Summary */

/** Digits of a trace id in the list. */
const shortDigits = 8;

/** Services drawn apart in a bar; the rest is grey. */
const mostParts = 6;

const dayNano = 86_400_000_000_000n;

export class TraceList {
  /** @param {HTMLElement} host @param {{zone: string, onMore: () => void, matching: () => boolean}} options */
  constructor(host, options) {
    this.host = host;
    this.options = options;
    this.body = h("tbody");
    this.foot = h("div", { class: "pager", hidden: true });
    this.started = h("th", null, t("Traces.Started"));
    this.length = h("th", { class: "r" }, t("Traces.Duration"));
    this.table = h(
      "table",
      { class: "tbl stack list", "data-export": "traces" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          this.started,
          h("th", null, t("Traces.Root")),
          this.length,
          h("th", { class: "r" }, t("Traces.Spans")),
          h("th", null, t("Traces.Status")),
          h("th", null, t("Traces.Trace")),
        ),
      ),
      this.body,
    );
    host.append(h("div", { class: "scroll" }, this.table), this.foot);
    /** @type {Summary[]} */
    this.rows = [];
    this.longest = 1;
  }

  loading() {
    this.rows = [];
    this.foot.hidden = true;
    this.table.hidden = false;
    clear(this.body).append(
      ...Array.from({ length: 8 }, (_, row) =>
        h(
          "tr",
          { class: "wait" },
          ...[84, 190, 120, 30, 44, 60].map((width) => h("td", null, h("i", { class: "sk", style: `width:${width - ((row * 7) % 20)}px` }))),
        ),
      ),
    );
  }

  /**
   * @param {Summary[]} rows @param {{more: boolean, append: boolean, order: "newest" | "slowest"}} options
   */
  show(rows, options) {
    if (!options.append) {
      this.rows = [];
      clear(this.body);
      this.longest = 1;
    }
    this.rows.push(...rows);
    const longest = this.rows.reduce((most, row) => Math.max(most, row.durationNano), 1);
    const rescale = longest !== this.longest && options.append;
    this.longest = longest;
    if (rescale) clear(this.body).append(...this.rows.map((row) => this.row(row)));
    else this.body.append(...rows.map((row) => this.row(row)));
    // The newest come by the span that matches, which is not the start that the column shows: it claims no order.
    const slowest = options.order === "slowest";
    this.length.classList.toggle("s", slowest);
    if (slowest) this.length.setAttribute("aria-sort", "descending");
    else this.length.removeAttribute("aria-sort");
    this.length.textContent = `${t("Traces.Duration")}${slowest ? " ↓" : ""}`;
    this.table.hidden = this.rows.length === 0;
    this.foot.hidden = !options.more;
    if (options.more)
      clear(this.foot).append(
        h("button", { class: "btn", type: "button", onclick: () => this.options.onMore() }, t("Traces.More")),
        h("span", { class: "t3 small" }, tn("Traces.Shown", this.rows.length)),
      );
  }

  /** @param {boolean} busy */
  busy(busy) {
    const button = this.foot.querySelector("button");
    if (button) button.toggleAttribute("disabled", busy);
  }

  /** @param {Summary} row */
  row(row) {
    const { zone } = this.options;
    const href = link(`/traces/${row.traceId}`, { span: this.options.matching() && row.firstMatchSpanId ? row.firstMatchSpanId : null });
    const failed = row.rootStatus === "error" || (row.rootHttpStatusCode ?? 0) >= 500;
    const today = BigInt(row.startUnixNano) > BigInt(Date.now()) * 1_000_000n - dayNano / 2n;
    const started = time(row.startUnixNano, zone, "milliseconds");
    const status = failed
      ? h("span", { class: "bad st2" }, icon("bad"), row.rootHttpStatusCode ?? t("Trace.Error"))
      : row.errorCount > 0
        ? h("span", { class: "warn st2", title: tn("Traces.ErrorsWithin", row.errorCount) }, icon("warn"), tn("Traces.ErrorsWithin", row.errorCount))
        : h("span", { class: "t2" }, row.rootHttpStatusCode ?? (row.rootStatus === "ok" ? t("Trace.Ok") : "–"));
    return h(
      "tr",
      { "data-href": href },
      h(
        "td",
        { class: "t2 tm full", "data-value": row.startUnixNano, title: dateTime(row.startUnixNano, zone) },
        today ? started : `${dateTime(row.startUnixNano, zone).slice(5, 10)} ${started}`,
      ),
      h(
        "td",
        { class: "rt full", "data-value": `${row.rootService} ${row.rootName}` },
        h(
          "span",
          { class: "row" },
          swatch(row.rootService || "?"),
          h("span", null, row.rootService || t("Traces.RootMissing")),
          h("code", { class: "t2 cut" }, row.rootName),
          row.rootMissing ? h("span", { class: "badge warn", title: t("Traces.RootMissingHint") }, t("Traces.RootMissing")) : null,
        ),
      ),
      h(
        "td",
        { class: "r", "data-l": t("Traces.DurationShort"), "data-value": row.durationNano },
        this.bar(row),
        h("span", { class: "num" }, ...unit(duration(row.durationNano))),
      ),
      h("td", { class: "r", "data-l": t("Traces.Spans"), "data-value": row.spanCount }, integer(row.spanCount)),
      h("td", { "data-l": t("Traces.Status"), "data-value": row.rootHttpStatusCode ?? row.rootStatus }, status),
      h(
        "td",
        { class: "off", "data-value": row.traceId },
        h("a", { href, "aria-label": t("Traces.Open", row.traceId) }, h("code", { class: "t3" }, row.traceId.slice(0, shortDigits))),
      ),
    );
  }

  /** As long as the trace against the longest shown; parts are each service's own work. @param {Summary} row */
  bar(row) {
    const own = [...row.services].sort((a, b) => b.selfNano - a.selfNano);
    const sum = own.reduce((total, one) => total + one.selfNano, 0) || 1;
    const width = Math.max(2, (row.durationNano / this.longest) * 100);
    const parts = own.slice(0, mostParts);
    const rest = own.slice(mostParts).reduce((total, one) => total + one.selfNano, 0);
    return h(
      "span",
      { class: "durbar hide-n", title: own.map((one) => `${one.name} ${text(duration(one.selfNano))}`).join("\n") },
      h(
        "span",
        { style: `width:${width.toFixed(1)}%` },
        parts.map((one) => h("i", { style: `width:${((one.selfNano / sum) * 100).toFixed(1)}%;background:${serviceColor(one.name)}` })),
        rest > 0 ? h("i", { style: `width:${((rest / sum) * 100).toFixed(1)}%;background:var(--c-3)` }) : null,
      ),
    );
  }
}
