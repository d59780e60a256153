// The Traces page: a heatmap of durations over the list of what matches, and what is different about a box of it.
import { ApiError, get, url } from "./api.js";
import { clear, h, icon } from "./dom.js";
import { failureBanner, messageOf } from "./failure.js";
import { integer, percent, text } from "./format.js";
import { t, tn } from "./i18n.js";
import { isTyping } from "./keys.js";
import { withState } from "./page.js";
import { Compare } from "./traces-compare.js";
import { Heat } from "./traces-heat.js";
import { TraceList } from "./traces-list.js";

/** @typedef {import("./page.js").PageState} PageState */
/** @typedef {import("./traces-heat.js").Box} Box */

const pageTraces = 50;

/** Without a filter the heatmap shows whole requests: their first spans. */
const rootsFilter = "span:parentID = nil";

/** Columns are this wide at least, and rows of the API's own choice. */
const columnPixels = 9;

const niceSteps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Deploys marked at most; more would cover the cells. */
const mostDeploys = 3;

/** @type {WeakMap<HTMLElement, TracesPage>} */
const pages = new WeakMap();

/** @param {HTMLElement} element @param {PageState} page */
export function mount(element, page) {
  const traces = new TracesPage(element, page);
  pages.set(element, traces);
  return traces.load();
}

/** @param {HTMLElement} element */
export function unmount(element) {
  pages.get(element)?.destroy();
  pages.delete(element);
}

/** The range moved on: the same page with newer data, without a flicker. @param {HTMLElement} element @param {PageState} page */
export function update(element, page) {
  const traces = pages.get(element);
  if (!traces) return;
  traces.page = page;
  void traces.load(true);
}

class TracesPage {
  /** @param {HTMLElement} element @param {PageState} page */
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.request = new AbortController();
    this.compareRequest = new AbortController();
    this.life = new AbortController();
    const query = new URLSearchParams(location.search);
    /** @type {"newest" | "slowest"} */
    this.order = query.get("order") === "slowest" ? "slowest" : "newest";
    this.box = readBox(query.get("box"));
    /** @type {string | null} */
    this.cursor = null;
    /** @type {{count: number, errors: number} | undefined} */
    this.heatTotals = undefined;
    /** @type {number | undefined} traces that match in the box, or in all */
    this.matched = undefined;
    /** @type {number | undefined} */
    this.allMatched = undefined;
    this.title = h("span", { class: "sub", role: "status" });
    this.notices = h("div", { class: "notices" });
    this.heatHost = h("div", { class: "hh" });
    this.heatCard = h(
      "div",
      { class: "card" },
      h(
        "header",
        null,
        h("h2", null, t("Traces.HeatTitle")),
        h("span", { class: "sub hide-n" }, t(this.page.filter ? "Traces.HeatSubMatching" : "Traces.HeatSubRoots")),
        h("span", { class: "grow" }),
        h(
          "div",
          { class: "legend" },
          h("span", null, h("i", { class: "box", style: "--c:rgb(var(--heat) / .75)" }), t("Traces.LegendOk")),
          h("span", null, h("i", { class: "box", style: "--c:rgb(var(--heat-bad) / .85)" }), t("Traces.LegendBad")),
        ),
      ),
      this.heatHost,
    );
    this.heat = new Heat(this.heatHost, this.page.zone, { onBox: (box) => this.setBox(box) });
    this.listTitle = h("h2");
    this.listSub = h("span", { class: "sub" });
    this.orders = h("div", { class: "seg" });
    const listHost = h("div");
    this.listCard = h(
      "div",
      { class: "card" },
      h("header", { class: "ln" }, this.listTitle, this.listSub, h("span", { class: "grow" }), this.orders),
      listHost,
    );
    this.list = new TraceList(listHost, { zone: this.page.zone, onMore: () => void this.more(), matching: () => this.page.filter !== "" || this.box !== null });
    this.compareHost = h("div", { class: "card cmp", hidden: true });
    this.compare = new Compare(this.compareHost, () => this.setBox(null));
    this.emptyHost = h("div", { hidden: true });
    this.columns = h("div", { class: "two" }, h("div", null, this.heatCard, this.listCard), h("div", { class: "side", hidden: true }, this.compareHost));
    clear(this.element).append(
      h("div", { class: "head" }, h("h1", null, t("Traces.Title")), this.title, h("span", { class: "grow" })),
      this.notices,
      this.emptyHost,
      this.columns,
    );
    document.addEventListener(
      "keydown",
      (event) => {
        if (event.key !== "Escape" || !this.box || isTyping(event) || event.defaultPrevented || document.querySelector("dialog[open], .pop:not([hidden])"))
          return;
        event.preventDefault();
        this.setBox(null);
      },
      { signal: this.life.signal },
    );
  }

  destroy() {
    this.request.abort();
    this.compareRequest.abort();
    this.life.abort();
    this.heat.destroy();
  }

  /** What the heatmap and the comparison count. */
  get spanFilter() {
    return this.page.filter || rootsFilter;
  }

  get range() {
    return { from: this.page.fromUnixNano, to: this.page.toUnixNano };
  }

  step() {
    const seconds = Number(BigInt(this.page.toUnixNano) - BigInt(this.page.fromUnixNano)) / 1e9;
    const columns = Math.min(160, Math.max(20, Math.floor((this.heatHost.clientWidth - 64) / columnPixels)));
    return `${niceSteps.find((one) => seconds / one <= columns) ?? Math.ceil(seconds / columns / 86_400) * 86_400}s`;
  }

  /** @param {boolean} [quiet] keep what is shown until the answer is there */
  async load(quiet = false) {
    this.request.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    if (!quiet) {
      this.list.loading();
      this.heatHost.classList.add("waiting");
    }
    this.drawOrders();
    this.columns.hidden = false;
    const heat = get("spans/heatmap", { q: this.spanFilter, ...this.range, step: this.step() }, signal).then(
      (answer) => this.showHeat(answer),
      (error) => this.fail(error, signal),
    );
    if (this.box) void this.loadCompare(quiet);
    void this.loadDeploys(signal);
    await Promise.all([heat, this.loadList(signal)]);
  }

  /** @param {any} answer */
  showHeat(answer) {
    this.heatHost.classList.remove("waiting");
    this.heat.show(answer);
    this.heat.setBox(this.box);
    this.heatTotals = { count: 0, errors: 0 };
    for (const row of answer.rows)
      for (let step = 0; step < row.count.length; step++) {
        this.heatTotals.count += row.count[step];
        this.heatTotals.errors += row.errors[step];
      }
    this.drawTitle();
  }

  /** The list's own filter and range: those of the box when there is one. */
  listParameters() {
    const { box } = this;
    const parts = [this.page.filter || (box ? rootsFilter : ""), box ? boxFilter(box) : ""].filter(Boolean);
    const q = parts.map((part) => (parts.length > 1 && /\|\||\bor\b/i.test(part) ? `(${part})` : part)).join(" && ");
    return { q, ...(box ? { from: nano(box.from), to: nano(box.to) } : this.range), limit: pageTraces, order: this.order };
  }

  /** @param {AbortSignal} signal */
  async loadList(signal) {
    this.asked = this.listParameters();
    try {
      const asked = { ...this.asked, count: "true" };
      const answer = await get("traces", asked, signal);
      if (signal.aborted) return;
      this.cursor = answer.nextCursor ?? null;
      this.matched = answer.matchedTraces;
      this.matchedSpans = answer.matchedSpans;
      this.list.show(answer.traces, { more: this.cursor !== null, append: false, order: this.order });
      this.drawScan(answer.scan, asked);
      this.drawTitle();
      this.drawListHead();
      this.drawEmpty(answer);
    } catch (error) {
      this.fail(error, signal);
    }
  }

  async more() {
    if (!this.cursor) return;
    const { signal } = this.request;
    this.list.busy(true);
    try {
      const asked = { ...this.asked, cursor: this.cursor };
      const answer = await get("traces", asked, signal);
      if (signal.aborted) return;
      this.cursor = answer.nextCursor ?? null;
      this.list.show(answer.traces, { more: this.cursor !== null, append: true, order: this.order });
      this.drawScan(answer.scan, asked);
    } catch (error) {
      this.list.busy(false);
      this.fail(error, signal);
    }
  }

  /** @param {AbortSignal} signal */
  async loadDeploys(signal) {
    try {
      const answer = await get("services", this.range, signal);
      if (signal.aborted) return;
      this.heat.deploys = answer.services
        .filter((/** @type {any} */ one) => one.versionChangedUnixNano && one.version)
        .map((/** @type {any} */ one) => ({ at: Number(one.versionChangedUnixNano), label: `${one.name} ${one.version}`, count: one.count ?? 0 }))
        .sort((/** @type {any} */ a, /** @type {any} */ b) => b.count - a.count)
        .slice(0, mostDeploys);
      this.heat.draw();
    } catch (error) {
      // The markers are an addition: the page stands without them.
      if (!signal.aborted) console.warn(error);
    }
  }

  /** @param {boolean} [quiet] */
  async loadCompare(quiet = false) {
    this.compareRequest.abort();
    this.compareRequest = new AbortController();
    const { signal } = this.compareRequest;
    const { box } = this;
    this.compareHost.hidden = !box;
    this.compareHost.parentElement?.toggleAttribute("hidden", !box);
    this.columns.classList.toggle("open", !!box);
    if (!box) return;
    if (!quiet) this.compare.loading();
    try {
      const answer = await get(
        "spans/compare",
        { q: this.spanFilter, box: boxFilter(box), ...this.range, boxFrom: nano(box.from), boxTo: nano(box.to) },
        signal,
      );
      if (!signal.aborted) this.compare.show(answer);
    } catch (error) {
      if (!signal.aborted) this.compare.failed(error, () => void this.loadCompare());
    }
  }

  /** @param {Box | null} box */
  setBox(box) {
    if (JSON.stringify(box) === JSON.stringify(this.box)) return;
    this.box = box;
    this.heat.setBox(box);
    this.put("box", box ? [box.from, box.to, box.low, box.high].map(nano).join("-") : null);
    void this.loadCompare();
    this.reloadList();
  }

  reloadList() {
    this.request.abort();
    this.request = new AbortController();
    this.heatHost.classList.remove("waiting");
    this.list.loading();
    this.drawOrders();
    void this.loadList(this.request.signal);
  }

  /** @param {string} key @param {string | null} value */
  put(key, value) {
    history.replaceState(history.state, "", withState({ [key]: value }));
  }

  drawOrders() {
    const order = (/** @type {"newest" | "slowest"} */ name) =>
      h(
        "button",
        { type: "button", class: this.order === name ? "on" : null, "aria-pressed": String(this.order === name), onclick: () => this.setOrder(name) },
        t(`Traces.Order.${name}`),
      );
    clear(this.orders).append(order("newest"), order("slowest"));
    this.drawListHead();
  }

  /** @param {"newest" | "slowest"} name */
  setOrder(name) {
    if (this.order === name) return;
    this.order = name;
    this.put("order", name === "newest" ? null : name);
    this.reloadList();
  }

  drawListHead() {
    this.listTitle.textContent = t(this.box ? "Traces.InBox" : "Traces.List");
    this.listSub.textContent =
      this.matched === undefined || this.matched === null ? "" : `${tn("Traces.Count", this.matched)}, ${t(`Traces.OrderSub.${this.order}`)}`;
  }

  drawTitle() {
    const totals = this.heatTotals;
    clear(this.title);
    if (!this.box && this.matched !== undefined && this.matched !== null) {
      this.allMatched = this.matched;
    }
    if (this.allMatched !== undefined) this.title.append(h("b", null, integer(this.allMatched)), ` ${t("Traces.Match")}`);
    if (totals && totals.count > 0) {
      const share = text(percent(totals.errors / totals.count));
      const failed = tn(this.page.filter ? "Traces.FailedSpans" : "Traces.Failed", totals.errors);
      this.title.append(this.allMatched !== undefined ? " · " : "", totals.errors > 0 ? h("span", { class: "bad" }, `${failed} (${share})`) : failed);
    }
  }

  /** Says what a search that was stopped has not looked at, and leads to how it was read. @param {any} scan @param {Parameters<typeof url>[1]} asked */
  drawScan(scan, asked) {
    clear(this.notices);
    // A page that is full is no search cut short.
    if (!scan || scan.complete || !scan.stoppedBy || scan.stoppedBy === "limit") return;
    const seconds = text({ value: ((scan.elapsedMs ?? 0) / 1000).toFixed(1), unit: "s" });
    this.notices.append(
      h(
        "div",
        { class: "banner warn" },
        h("span", { class: "warn" }, icon("warn")),
        h(
          "span",
          { class: "grow" },
          h("b", null, t(`Traces.Stopped.${scan.stoppedBy}`)),
          " ",
          h("span", { class: "t2" }, t("Traces.StoppedHint", integer(scan.partsRead ?? 0), integer(scan.rowsScanned ?? 0), seconds)),
        ),
        this.cursor ? h("button", { class: "btn sm", type: "button", onclick: () => void this.more() }, t("Traces.Continue")) : null,
        h("button", { class: "btn sm", type: "button", "data-action": "plan", "data-query": url("traces", asked).slice("/api/v1/".length) }, t("Shell.Plan")),
      ),
    );
  }

  /** @param {any} answer */
  drawEmpty(answer) {
    const empty = answer.traces.length === 0 && !this.box;
    this.emptyHost.hidden = !empty;
    this.columns.hidden = empty;
    clear(this.emptyHost);
    if (!empty) return;
    const filtered = this.page.q !== "" || this.page.env !== "";
    const send = document.querySelector("template[data-traces-empty]");
    this.emptyHost.append(
      h(
        "div",
        { class: "card empty" },
        h("h2", { class: "t15" }, t(filtered ? "Traces.EmptyFiltered" : "Traces.Empty")),
        h("p", { class: "t2" }, t(filtered ? "Traces.EmptyFilteredHint" : "Traces.EmptyHint")),
        h(
          "div",
          { class: "row wrap" },
          filtered ? h("a", { class: "btn pri", href: withState({ q: null, env: null }) }, t("Shell.ClearFilter")) : null,
          h("a", { class: "btn", href: withState({ from: "now-24h", to: "now" }) }, t("Traces.LastDay")),
          h("a", { class: "btn", href: withState({ from: "now-7d", to: "now" }) }, t("Traces.LastWeek")),
        ),
        !filtered && send instanceof HTMLTemplateElement ? /** @type {any} */ (send.content.cloneNode(true)) : null,
      ),
    );
  }

  /** @param {unknown} error @param {AbortSignal} signal */
  fail(error, signal) {
    if (signal.aborted) return;
    this.heatHost.classList.remove("waiting");
    const problem = error instanceof ApiError ? error.problem : undefined;
    const where = problem?.column ? ` ${t("Shell.ErrorAt", problem.line ?? 1, problem.column)}` : "";
    const expected = problem?.expected?.length ? ` ${t("Shell.ErrorExpected", problem.expected.join(", "))}` : "";
    const clearFilter =
      error instanceof ApiError && error.status === 400 && this.page.q
        ? h("a", { class: "btn sm", href: withState({ q: null }) }, t("Shell.ClearFilter"))
        : null;
    clear(this.notices).append(
      failureBanner(`${messageOf(error)}${where}${expected}`, {
        title: t("Traces.QueryFailed"),
        ways: [clearFilter],
        retry: () => (clear(this.notices), void this.load()),
      }),
    );
    // With nothing to show the frame is only in the way.
    if (this.list.rows.length === 0 && !this.heat.data) this.columns.hidden = true;
    else if (this.list.rows.length === 0) this.list.show([], { more: false, append: false, order: this.order });
  }
}

/** Nanoseconds as the API and the URL write them. @param {number} value */
const nano = (value) => String(BigInt(Math.round(value)));

/** @param {Box} box */
const boxFilter = (box) => `duration >= ${nano(box.low)}ns && duration < ${nano(box.high)}ns`;

/** @param {string | null} value "from-to-low-high" in nanoseconds @returns {Box | null} */
function readBox(value) {
  const parts = (value ?? "").split("-");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,19}$/.test(part))) return null;
  const [from, to, low, high] = parts.map(Number);
  return from < to && low < high ? { from, to, low, high } : null;
}
