// The spans of a trace summed by service and operation: where the time went.
import { clear, h, icon, swatch, unit } from "./dom.js";
import { duration, integer } from "./format.js";
import { t } from "./i18n.js";
import { byOperation } from "./trace-model.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */
/** @typedef {ReturnType<typeof byOperation>[number]} Operation */
/** @typedef {"operation" | "count" | "total" | "self" | "critical" | "longest" | "errors"} SortKey */

/** Rows shown before "show all": more would only be scrolled past. */
const firstRows = 200;

export class OperationsTab {
  /** @param {HTMLElement} host @param {TraceView} view @param {(row: number) => void} jump */
  constructor(host, view, jump) {
    this.host = host;
    this.view = view;
    this.jump = jump;
    this.rows = byOperation(view.model);
    /** @type {SortKey} */
    this.by = "self";
    this.down = true;
    this.shown = firstRows;
    view.onChange((change) => {
      if (change === "found" && this.host.isConnected && !this.gone) this.draw();
    });
    this.gone = false;
    this.draw();
  }

  destroy() {
    this.gone = true;
    clear(this.host);
  }

  sorted() {
    const { model } = this.view;
    const name = (/** @type {Operation} */ one) => `${model.services[one.service]} ${model.names[one.name]}`;
    const wanted = this.view.text.trim().toLowerCase();
    const rows = wanted ? this.rows.filter((one) => name(one).toLowerCase().includes(wanted)) : [...this.rows];
    const by = this.by;
    rows.sort(by === "operation" ? (a, b) => (name(a) < name(b) ? 1 : -1) : (a, b) => b[by] - a[by]);
    return this.down ? rows : rows.reverse();
  }

  draw() {
    const { model } = this.view;
    const rows = this.sorted();
    const longest = rows.reduce((most, one) => Math.max(most, one.self), 0) || 1;
    /** @param {SortKey} key @param {string} label */
    const head = (key, label) =>
      h(
        "th",
        {
          class: `${key === "operation" ? "" : "r"}${this.by === key ? " s" : ""}`,
          "aria-sort": this.by === key ? (this.down ? "descending" : "ascending") : null,
        },
        h("button", { class: "srt", type: "button", onclick: () => this.sortBy(key) }, label, this.by === key ? (this.down ? " ↓" : " ↑") : ""),
      );
    const table = h(
      "table",
      { class: "tbl stack", "data-export": "operations" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          head("operation", t("Trace.Operation")),
          head("count", t("Trace.Count")),
          head("total", t("Trace.Total")),
          head("self", t("Trace.Self")),
          head("critical", t("Trace.OnPath")),
          head("longest", t("Trace.Longest")),
          head("errors", t("Trace.Errors")),
        ),
      ),
      h(
        "tbody",
        null,
        rows
          .slice(0, this.shown)
          .map((one) =>
            h(
              "tr",
              { class: one.errors ? "hot" : null },
              h(
                "td",
                { class: "full" },
                h(
                  "button",
                  { class: "opn", type: "button", title: t("Trace.JumpToLongest"), onclick: () => this.jump(one.row) },
                  swatch(model.services[one.service]),
                  h("span", null, model.services[one.service]),
                  " ",
                  h("code", { class: "t2" }, model.names[one.name]),
                ),
              ),
              h("td", { class: "r", "data-l": t("Trace.Count"), "data-value": one.count }, integer(one.count)),
              h("td", { class: "r", "data-l": t("Trace.Total"), "data-value": one.total }, ...unit(duration(one.total))),
              h(
                "td",
                { class: "r", "data-l": t("Trace.Self"), "data-value": one.self },
                h("span", { class: "bar", style: `--v:${one.self / longest}` }),
                " ",
                ...unit(duration(one.self)),
              ),
              h("td", { class: "r off", "data-value": one.critical }, ...(one.critical ? unit(duration(one.critical)) : [h("span", { class: "t3" }, "–")])),
              h("td", { class: "r off", "data-value": one.longest }, ...unit(duration(one.longest))),
              h(
                "td",
                { class: "r", "data-l": t("Trace.Errors"), "data-value": one.errors },
                one.errors ? h("span", { class: "bad" }, icon("bad"), ` ${integer(one.errors)}`) : h("span", { class: "t3" }, "0"),
              ),
            ),
          ),
      ),
    );
    clear(this.host).append(
      h("div", { class: "scroll" }, table),
      ...(rows.length > this.shown
        ? [
            h(
              "div",
              { class: "pager" },
              h("button", { class: "btn", type: "button", onclick: () => ((this.shown = rows.length), this.draw()) }, t("Trace.ShowAll", integer(rows.length))),
            ),
          ]
        : []),
    );
  }

  /** @param {SortKey} key */
  sortBy(key) {
    this.down = this.by === key ? !this.down : true;
    this.by = key;
    this.draw();
  }
}
