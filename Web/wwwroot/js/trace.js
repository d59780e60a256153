// The trace page: fetches the outline, lays out its parts, keeps the view in the URL.
import { ApiError, get, url } from "./api.js";
import { clear, h, icon } from "./dom.js";
import { offerExport } from "./export.js";
import { failureBanner } from "./failure.js";
import { integer } from "./format.js";
import { t } from "./i18n.js";
import { isTyping } from "./keys.js";
import { link } from "./page.js";
import { Drawer } from "./trace-drawer.js";
import { FlameTab } from "./trace-flame.js";
import { banners, header, headline } from "./trace-header.js";
import { LogsTab, TraceLogs } from "./trace-logs.js";
import { Minimap } from "./trace-minimap.js";
import { buildModel, foldedSpans, kinds, nextError, nextRow, rowOf } from "./trace-model.js";
import { OperationsTab } from "./trace-table.js";
import { TraceView } from "./trace-view.js";
import { Waterfall } from "./trace-waterfall.js";

/** @typedef {"waterfall" | "flame" | "table" | "logs"} TabName */

const tabNames = /** @type {TabName[]} */ (["waterfall", "flame", "table", "logs"]);

/** Typing in the search waits so long before it looks through the spans. */
const searchMs = 120;

/** Writing the URL waits so long: browsers refuse more than a hundred changes in half a minute. */
const urlMs = 300;

/** @type {WeakMap<HTMLElement, TracePage>} */
const pages = new WeakMap();

/** @param {HTMLElement} element @param {import("./page.js").PageState} page */
export async function mount(element, page) {
  const trace = new TracePage(element, page);
  pages.set(element, trace);
  await trace.load();
}

/** @param {HTMLElement} element */
export function unmount(element) {
  pages.get(element)?.destroy();
  pages.delete(element);
}

/** A refresh keeps what is looked at: a trace hardly changes, and the page can be loaded anew. */
export function update() {}

class TracePage {
  /** @param {HTMLElement} element @param {import("./page.js").PageState} page */
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.traceId = element.dataset.trace ?? "";
    this.abort = new AbortController();
    /** @type {{destroy: () => void}[]} */
    this.parts = [];
    /** @type {{destroy: () => void, onKey?: (key: string) => boolean} | null} */
    this.open = null;
    /** @type {TabName} */
    this.tab = "waterfall";
    /** @type {"time" | "path"} */
    this.flame = "time";
    /** @type {HTMLInputElement | undefined} */
    this.input = undefined;
    /** the reader has folded or unfolded all: the button stays, to go back */
    this.wasFolded = false;
  }

  destroy() {
    this.abort.abort();
    clearTimeout(this.urlTimer);
    for (const part of this.parts) part.destroy();
    this.open?.destroy();
  }

  async load() {
    try {
      const outline = await get(`traces/${encodeURIComponent(this.traceId)}/outline`, {}, this.abort.signal);
      if (this.abort.signal.aborted) return;
      this.build(outline);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.showFailure(error);
    }
  }

  /** @param {unknown} error */
  showFailure(error) {
    const missing = error instanceof ApiError && error.status === 404;
    if (!missing) console.warn(error);
    clear(this.element).append(
      missing
        ? h(
            "div",
            { class: "card empty" },
            h("h1", null, t("Trace.NotFound")),
            h("p", { class: "t2" }, t("Trace.NotFoundHint", this.traceId)),
            h(
              "div",
              { class: "row" },
              h("button", { class: "btn", type: "button", onclick: () => this.retry() }, t("Shell.Retry")),
              h("a", { class: "btn", href: link("/traces") }, t("Trace.ToTraces")),
            ),
          )
        : failureBanner(error, { title: t("Trace.Failed"), retry: () => this.retry() }),
    );
  }

  retry() {
    clear(this.element).append(h("div", { class: "skeleton" }, ...[40, 70, 90, 80].map((width) => h("i", { class: "sk", style: `width:${width}%` }))));
    void this.load();
  }

  /** @param {import("./trace-model.js").Outline} outline */
  build(outline) {
    const view = new TraceView(buildModel(outline));
    this.view = view;
    this.logs = new TraceLogs(view);
    this.readUrl(view);
    const jump = (/** @type {number} */ row) => this.showRow(row);
    this.tools = h("div", { class: "bar2" });
    this.host = h("div", { class: "tabhost", role: "tabpanel" });
    this.body = h("div", { class: "body" }, this.host);
    const minimap = h("div", { class: "mmh" });
    clear(this.element).append(
      h("div", { class: "hd" }, header(view, this.page, { jump, download: () => this.download() }), headline(view, jump) ?? "", ...banners(view, jump)),
      minimap,
      this.tools,
      this.body,
    );
    this.parts.push(
      new Minimap(minimap, view),
      this.logs,
      new Drawer(this.body, view, { jump: (spanId) => this.showRow(rowOf(view.model, spanId)), logs: () => this.setTab("logs") }),
    );
    this.drawTools();
    view.onChange((change) => {
      if (change === "found" || change === "cursor") this.drawFound();
      if (change === "rows" || change === "look" || (change === "window" && view.isZoomed !== this.zoomed)) this.drawTools();
      this.writeUrl();
    });
    const hasLogs = view.model.logs.some((count) => count > 0);
    // Where the outline counted the records the tab says so already, and drawing the tabs anew under a click would lose it.
    if (!hasLogs) this.logs.listeners.add(() => this.drawTools());
    document.addEventListener("keydown", (event) => this.onKey(event), { capture: true, signal: this.abort.signal });
    this.showTab();
    if (hasLogs) void this.logs.load();
    if (view.span >= 0) requestAnimationFrame(() => view.moveTo(view.span));
    offerExport(this.element, `trace-${this.traceId}`, () => this.exportRows());
  }

  /** @param {TraceView} view */
  readUrl(view) {
    const query = new URLSearchParams(location.search);
    const tab = /** @type {TabName} */ (query.get("tab"));
    if (tabNames.includes(tab)) this.tab = tab;
    if (query.get("flame") === "path") this.flame = "path";
    view.critical = query.get("critical") === "1";
    const zoom = /^(\d+)-(\d+)$/.exec(query.get("zoom") ?? "");
    if (zoom && Number(zoom[1]) < Number(zoom[2])) view.look(Number(zoom[1]), Number(zoom[2]));
    const row = rowOf(view.model, query.get("span"));
    if (row >= 0) view.open(row);
    const find = query.get("find");
    if (find) view.find(find);
  }

  writeUrl() {
    clearTimeout(this.urlTimer);
    this.urlTimer = setTimeout(() => {
      const { view } = this;
      if (!view || this.abort.signal.aborted) return;
      const here = new URL(location.href);
      const put = (/** @type {string} */ key, /** @type {string} */ value) => (value ? here.searchParams.set(key, value) : here.searchParams.delete(key));
      put("tab", this.tab === "waterfall" ? "" : this.tab);
      put("flame", this.tab === "flame" && this.flame === "path" ? "path" : "");
      put("critical", view.critical ? "1" : "");
      put("zoom", view.isZoomed ? `${Math.floor(view.from)}-${Math.ceil(view.to)}` : "");
      put("span", view.span >= 0 ? view.model.spanId[view.span] : "");
      put("find", view.text.trim());
      if (here.href !== location.href) history.replaceState(history.state, "", here);
    }, urlMs);
  }

  drawTools() {
    const { view, tools } = this;
    if (!view || !tools) return;
    const { model } = view;
    const errors = model.outline.errorCount;
    const hidden = foldedSpans(model);
    const canFold = this.tab === "waterfall";
    this.zoomed = view.isZoomed;
    const labels = { waterfall: "Trace.Waterfall", flame: "Trace.Flame", table: "Trace.Table", logs: "Trace.Logs" };
    const logCount = model.logs.reduce((sum, count) => sum + count, 0) || (this.logs?.records.length ?? 0);
    const tabs = h(
      "div",
      { class: "seg", role: "tablist", "aria-label": t("Trace.Views") },
      tabNames.map((name, index) =>
        h(
          "button",
          {
            type: "button",
            role: "tab",
            class: this.tab === name ? "on" : null,
            "aria-selected": String(this.tab === name),
            title: `${t(labels[name])} (${index + 1})`,
            onclick: () => this.setTab(name),
          },
          t(labels[name]),
          name === "logs" && logCount > 0 ? h("span", { class: "t3" }, integer(logCount)) : null,
        ),
      ),
    );
    const typing = this.input && document.activeElement === this.input;
    this.input ??= this.makeSearch();
    clear(tools).append(
      tabs,
      ...(this.tab === "waterfall" || this.tab === "flame"
        ? [
            h(
              "button",
              {
                class: `btn sm${view.critical ? " press" : ""}`,
                type: "button",
                "aria-pressed": String(view.critical),
                title: t("Trace.CriticalHint"),
                onclick: () => view.dim(!view.critical),
              },
              icon(view.critical ? "check" : "flame"),
              t("Trace.Critical"),
            ),
          ]
        : []),
      ...(canFold && (hidden > 0 || this.wasFolded)
        ? [
            h(
              "button",
              { class: "btn sm", type: "button", title: t("Trace.FoldHint"), onclick: () => ((this.wasFolded = true), view.foldAll(hidden > 0)) },
              icon("fold"),
              hidden > 0 ? t("Trace.Expand", integer(hidden)) : t("Trace.FoldFast"),
            ),
          ]
        : []),
      ...(errors > 0
        ? [
            h(
              "button",
              { class: "btn sm", type: "button", title: t("Trace.NextError"), onclick: () => this.toError(1) },
              t("Trace.ErrorsButton", integer(errors)),
              " ",
              h("kbd", { class: "hide-n" }, "e"),
            ),
          ]
        : []),
      ...(view.isZoomed
        ? [h("button", { class: "btn sm", type: "button", onclick: () => view.look(0, model.durationNano) }, icon("x"), t("Trace.ShowWhole"))]
        : []),
      h("span", { class: "grow" }),
      this.search ?? "",
    );
    if (typing) this.input.focus();
  }

  makeSearch() {
    const input = /** @type {HTMLInputElement} */ (
      h("input", { class: "text", type: "search", placeholder: t("Trace.Find"), "aria-label": t("Trace.Find"), autocomplete: "off", spellcheck: "false" })
    );
    input.value = this.view?.text ?? "";
    this.count = h("span", { class: "tiny t3 nowrap", role: "status" });
    this.search = h("div", { class: "filter find" }, icon("search"), input, this.count, h("kbd", { class: "hide-n" }, "f"));
    input.addEventListener("input", () => {
      clearTimeout(this.searchTimer);
      this.searchTimer = setTimeout(() => {
        this.view?.find(input.value);
        if (this.view && this.view.found.count > 0 && !this.view.found.hit[this.view.cursor]) this.toFound(1);
      }, searchMs);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.toFound(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") {
        input.value = "";
        this.view?.find("");
        input.blur();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    return input;
  }

  drawFound() {
    const { view, count } = this;
    if (!view || !count) return;
    if (!view.text.trim()) count.textContent = "";
    else {
      let place = 0;
      for (let row = 0; row <= view.cursor; row++) place += view.found.hit[row];
      count.textContent = view.found.count === 0 ? t("Trace.FoundNone") : `${view.found.hit[view.cursor] ? integer(place) : "–"}/${integer(view.found.count)}`;
    }
  }

  /** @param {number} by */
  toFound(by) {
    const { view } = this;
    if (!view || view.found.count === 0) return;
    this.step(nextRow(view.model.count, view.cursor, by, (row) => view.found.hit[row] === 1));
  }

  /** @param {number} by */
  toError(by) {
    if (!this.view) return;
    this.step(nextError(this.view.model, this.view.cursor, by));
  }

  /** Moves to a row; the drawer follows when it is open. @param {number} row */
  step(row) {
    const { view } = this;
    if (!view || row < 0) return;
    if (this.tab !== "waterfall" && this.tab !== "flame") this.setTab("waterfall");
    if (view.span >= 0) view.open(row);
    else view.moveTo(row);
  }

  /** Opens a span on the waterfall. @param {number} row @returns {boolean} */
  showRow(row) {
    if (row < 0 || !this.view) return false;
    if (this.tab !== "waterfall") this.setTab("waterfall");
    this.view.open(row);
    this.view.moveTo(row);
    return true;
  }

  /** @param {TabName} tab */
  setTab(tab) {
    if (this.tab === tab) return;
    this.tab = tab;
    this.showTab();
    this.drawTools();
    this.writeUrl();
  }

  showTab() {
    const { view, host, logs } = this;
    if (!view || !host || !logs) return;
    this.open?.destroy();
    const jump = (/** @type {number} */ row) => this.showRow(row);
    if (this.tab === "waterfall") this.open = new Waterfall(host, view);
    else if (this.tab === "flame")
      this.open = new FlameTab(host, view, this.flame, (mode) => {
        this.flame = mode;
        this.writeUrl();
      });
    else if (this.tab === "table") this.open = new OperationsTab(host, view, jump);
    else this.open = new LogsTab(host, view, logs, (spanId) => this.showRow(rowOf(view.model, spanId)));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event) || document.querySelector("dialog[open]")) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    const within = !target || target === document.body || target.id === "main" || this.element.contains(target);
    if (within && this.act(event, target)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /** @param {KeyboardEvent} event @param {HTMLElement | null} target */
  act(event, target) {
    const { view } = this;
    if (!view) return false;
    const { key } = event;
    if (key === "Escape") {
      if (view.span < 0) return false;
      view.open(-1);
      return true;
    }
    if (key === "f") {
      this.input?.focus();
      this.input?.select();
      return true;
    }
    if (key === "e" || key === "E") return (this.toError(key === "e" ? 1 : -1), true);
    if (key === "n" || key === "N") return (this.toFound(key === "n" ? 1 : -1), true);
    if (key === "c") return (view.dim(!view.critical), true);
    if (/^[1-4]$/.test(key)) return (this.setTab(tabNames[Number(key) - 1]), true);
    // Keys that press a button or a handle stay theirs.
    const pressed = target?.closest("button, a, summary, [role=slider]");
    if (pressed && (key === "Enter" || key === " " || key.startsWith("Arrow"))) return false;
    if (target?.closest(".drawer") && key !== "j" && key !== "k") return false;
    const done = this.open?.onKey?.(key) ?? false;
    if (done && view.span >= 0 && view.cursor !== view.span && key !== "Enter") view.open(view.cursor);
    return done;
  }

  download() {
    const anchor = /** @type {HTMLAnchorElement} */ (
      h("a", { href: url(`traces/${encodeURIComponent(this.traceId)}`), download: `trace-${this.traceId}.json` })
    );
    anchor.click();
  }

  exportRows() {
    const model = this.view?.model;
    if (!model) return [];
    const { names, services } = model;
    return Array.from(model.visible, (row) => ({
      spanId: model.spanId[row],
      parentSpanId: model.parent[row] >= 0 ? model.spanId[model.parent[row]] : "",
      service: services[model.service[row]],
      name: names[model.name[row]],
      kind: kinds[model.kind[row]],
      status: ["unset", "ok", "error"][model.status[row]],
      startNano: model.start[row],
      durationNano: model.duration[row],
      selfNano: model.self[row],
      peer: model.peer[row] >= 0 ? names[model.peer[row]] : "",
      detail: model.detail[row] >= 0 ? names[model.detail[row]] : "",
    }));
  }
}
