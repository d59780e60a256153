// The top of the trace page: what it is, where its time went, and what is wrong with it, in words.
import { serviceColor } from "./colors.js";
import { copyText } from "./copy.js";
import { h, icon, swatch } from "./dom.js";
import { dateTime, duration, integer, percent, text, time } from "./format.js";
import { t, tn } from "./i18n.js";
import { pathByService, statusError } from "./trace-model.js";

/** @typedef {import("./trace-view.js").TraceView} TraceView */

/** Services named in the share bar; the rest is one grey part. */
const mostShares = 6;

/** A text with nodes in place of {0}, {1} … @param {string} key @param {...(Node | string)} parts */
export function rich(key, ...parts) {
  const pieces = t(key).split(/(\{\d\})/);
  return pieces.map((piece) => (/^\{\d\}$/.test(piece) ? (parts[Number(piece[1])] ?? "") : piece));
}

/** @param {string} said */
const bold = (said) => h("b", null, said);

/**
 * @param {TraceView} view @param {import("./page.js").PageState} page @param {{jump: (row: number) => void, download: () => void}} goTo
 */
export function header(view, page, goTo) {
  const { outline } = view.model;
  const { root } = outline;
  const code = root.httpStatusCode;
  const failed = root.status === "error" || (code !== null && code >= 500);
  const value = duration(outline.durationNano);
  const zone = page.zone === "UTC" ? " UTC" : "";
  const chip =
    code !== null || failed
      ? h(
          "span",
          { class: `badge ${failed ? "bad" : code !== null && code >= 400 ? "warn" : "ok"}` },
          icon(failed ? "bad" : code !== null && code >= 400 ? "warn" : "ok"),
          code !== null ? String(code) : t("Trace.Error"),
        )
      : root.status === "ok"
        ? h("span", { class: "badge ok" }, icon("ok"), t("Trace.Ok"))
        : null;
  const errors = outline.errorCount > 0 ? h("span", { class: "bad" }, tn("Trace.ErrorCount", outline.errorCount)) : tn("Trace.ErrorCount", 0);
  return h(
    "div",
    { class: "head" },
    h("h1", { class: "row" }, swatch(root.service), h("span", null, root.service), h("code", null, root.name)),
    chip,
    h("span", { class: "fig" }, value.value, value.unit ? h("small", null, value.unit) : null),
    h(
      "span",
      { class: "sub small" },
      tn("Trace.Spans", outline.spanCount),
      " · ",
      tn("Trace.Services", outline.services.length),
      " · ",
      errors,
      " · ",
      h(
        "time",
        { datetime: outline.startUnixNano },
        `${dateTime(outline.startUnixNano, page.zone).slice(0, 10)} ${time(outline.startUnixNano, page.zone, "milliseconds")}${zone}`,
      ),
    ),
    h("span", { class: "grow" }),
    h("code", { class: "t3 hide-n id" }, outline.traceId),
    h(
      "div",
      { class: "seg hide-n" },
      h(
        "button",
        { class: "sq", type: "button", title: t("Trace.CopyId"), "aria-label": t("Trace.CopyId"), onclick: () => void copyText(outline.traceId) },
        icon("copy"),
      ),
      h(
        "button",
        { class: "sq", type: "button", title: t("Trace.CopyLink"), "aria-label": t("Trace.CopyLink"), onclick: () => void copyText(location.href) },
        icon("link"),
      ),
      h("button", { class: "sq", type: "button", title: t("Trace.Download"), "aria-label": t("Trace.Download"), onclick: goTo.download }, icon("download")),
    ),
  );
}

/**
 * One sentence with the number, and calls that run over and over.
 * @param {TraceView} view @param {(row: number) => void} jump
 */
export function headline(view, jump) {
  const { model } = view;
  const { headline: told, repeated, durationNano } = model.outline;
  const parts = [];
  if (told) parts.push(h("span", null, ...sentence(told, durationNano)));
  const worst = repeated[0];
  if (worst) {
    const row = worst.rows[0];
    const name = model.detail[row] >= 0 ? model.names[model.detail[row]] : worst.name;
    parts.push(
      h(
        "button",
        { class: "rep", type: "button", title: name, onclick: () => jump(row) },
        h("span", { class: "warn" }, icon("warn")),
        h(
          "span",
          null,
          ...rich("Trace.Repeated", h("code", { class: "cut" }, worst.name), bold(tn("Trace.Times", worst.count)), text(duration(worst.durationNano))),
        ),
      ),
    );
    if (repeated.length > 1) parts.push(h("span", { class: "t3 small" }, tn("Trace.RepeatedMore", repeated.length - 1)));
  }
  if (parts.length === 0) return null;
  return h("div", { class: "say" }, shareBar(view), ...parts);
}

/** @param {NonNullable<import("./trace-model.js").Outline["headline"]>} told @param {number} durationNano */
function sentence(told, durationNano) {
  const share = bold(
    t(
      "Trace.ShareOf",
      text(duration(told.durationNano)),
      text(duration(durationNano)),
      text({ ...percent(told.share), value: String(Math.round(told.share * 100)) }),
    ),
  );
  const service = bold(told.service);
  if (told.kind === "waits" && told.peer)
    return rich(told.calls === 1 ? "Trace.HeadlineWaits.One" : "Trace.HeadlineWaits.Other", share, integer(told.calls), service, bold(told.peer));
  const name = told.name ? h("code", null, told.name) : "";
  return rich(told.calls === 1 ? "Trace.HeadlineWorks.One" : "Trace.HeadlineWorks.Other", share, integer(told.calls), service, name);
}

/** The critical path by service; the part the sentence speaks of first, red where it failed. @param {TraceView} view */
function shareBar(view) {
  const { model } = view;
  const { headline: told, durationNano } = model.outline;
  const services = pathByService(model);
  /** @type {{color: string, nano: number, title: string}[]} */
  const parts = [];
  if (told) {
    const failed = model.outline.criticalPath.some(
      (section) =>
        model.status[section.row] === statusError &&
        model.services[model.service[section.row]] === told.service &&
        (told.peer === null || model.peer[section.row] >= 0),
    );
    parts.push({
      color: failed ? "var(--bad)" : serviceColor(told.service),
      nano: told.durationNano,
      title: `${told.service}${told.peer ? ` → ${told.peer}` : ""}`,
    });
  }
  for (const one of services) {
    const nano = told && one.name === told.service ? one.nano - told.durationNano : one.nano;
    if (nano > durationNano / 1000 && parts.length < mostShares) parts.push({ color: serviceColor(one.name), nano, title: one.name });
  }
  const rest = durationNano - parts.reduce((sum, part) => sum + part.nano, 0);
  if (rest > durationNano / 100) parts.push({ color: "var(--c-3)", nano: rest, title: t("Trace.Others") });
  return h(
    "span",
    { class: "share hide-n", role: "img", "aria-label": parts.map((part) => `${part.title} ${text(percent(part.nano / durationNano))}`).join(", ") },
    parts.map((part) =>
      h("i", {
        style: `background:${part.color};width:${((part.nano / durationNano) * 100).toFixed(2)}%`,
        title: `${part.title} · ${text(duration(part.nano))}`,
      }),
    ),
  );
}

/** What the reader should know before trusting the picture. @param {TraceView} view @param {(row: number) => void} jump */
export function banners(view, jump) {
  const { outline } = view.model;
  const found = [];
  if (outline.truncated) found.push(banner(t("Trace.Truncated"), tn("Trace.TruncatedHint", view.model.count)));
  if (outline.missingParents.length > 0) {
    const first = outline.missingParents[0];
    found.push(
      banner(
        tn("Trace.MissingParents", outline.missingParents.length),
        t("Trace.MissingParentsHint"),
        h("button", { class: "btn sm", type: "button", onclick: () => jump(first.row) }, t("Trace.Show")),
      ),
    );
  }
  for (const warning of outline.warnings) found.push(banner(t("Trace.Warning"), warning));
  return found;
}

/** @param {string} title @param {string} more @param {Node} [action] */
function banner(title, more, action) {
  return h(
    "div",
    { class: "banner warn" },
    h("span", { class: "warn" }, icon("warn")),
    h("span", { class: "grow" }, h("b", null, title), " ", h("span", { class: "t2" }, more)),
    action,
  );
}
