// In which attributes a box differs from the rest, largest difference first; a press adds one to the filter.
import { clear, h, icon } from "./dom.js";
import { failureBanner } from "./failure.js";
import { integer, percent, text } from "./format.js";
import { t, tn } from "./i18n.js";
import { addFilter } from "./page.js";
import { attributeTerm, valueText } from "./trace-values.js";

/** @typedef {{inside: number, outside: number, attributes: {field: string, difference: number, values: {value: any, inside: number, outside: number}[]}[]}} Comparison */

/** Values of an attribute shown at first, and attributes. */
const firstValues = 3;
const firstAttributes = 12;

/** A smaller difference says nothing: named "equal". */
const leastDifference = 0.03;

/** From this difference on, an attribute's first value may be what it is about. */
const strongDifference = 0.1;

export class Compare {
  /** @param {HTMLElement} host @param {() => void} close */
  constructor(host, close) {
    this.host = host;
    this.close = close;
    this.all = false;
  }

  loading() {
    this.frame(null, h("div", { class: "skeleton" }, ...[70, 92, 84, 60, 88, 76].map((width) => h("i", { class: "sk", style: `width:${width}%` }))));
  }

  /** @param {unknown} error @param {() => void} retry */
  failed(error, retry) {
    this.frame(null, failureBanner(error, { title: t("Traces.CompareFailed"), retry, look: "in" }));
  }

  /** @param {Comparison} answer */
  show(answer) {
    const differing = answer.attributes.filter((one) => one.difference >= leastDifference);
    const shown = this.all ? answer.attributes : differing.slice(0, firstAttributes);
    const rest = answer.attributes.length - shown.length;
    this.frame(
      tn("Traces.CompareSub", answer.attributes.length),
      h(
        "div",
        { class: "key" },
        h("span", null, h("i", { class: "k1" }), `${t("Traces.InBox")} `, h("b", null, integer(answer.inside))),
        h("span", null, h("i", { class: "k2" }), `${t("Traces.OutsideBox")} `, h("b", null, integer(answer.outside))),
      ),
      shown.length === 0 ? h("p", { class: "at t2" }, t(answer.inside === 0 ? "Traces.CompareNothing" : "Traces.CompareEqual")) : null,
      ...shown.map((one, index) => this.attribute(one, index)),
      rest > 0
        ? h(
            "div",
            { class: "at small t3" },
            tn("Traces.CompareMore", rest),
            " ",
            h("button", { class: "lnk", type: "button", onclick: () => ((this.all = true), this.show(answer)) }, t("Traces.ShowAll")),
          )
        : null,
    );
  }

  /** @param {string | null} sub @param {...(Node | null)} body */
  frame(sub, ...body) {
    clear(this.host).append(
      h(
        "header",
        null,
        h("h2", null, t("Traces.Compare")),
        h("span", { class: "sub" }, sub ?? ""),
        h("span", { class: "grow" }),
        h(
          "button",
          { class: "btn sm sq ghost", type: "button", title: `${t("Traces.ClearBox")} (Esc)`, "aria-label": t("Traces.ClearBox"), onclick: this.close },
          icon("x"),
        ),
      ),
      ...body.filter((part) => part !== null),
    );
  }

  /** @param {Comparison["attributes"][number]} one @param {number} index */
  attribute(one, index) {
    const values = [...one.values].sort((a, b) => Math.abs(b.inside - b.outside) - Math.abs(a.inside - a.outside) || b.inside - a.inside);
    const few = values.slice(0, firstValues);
    const [inside, outside] = [1 - few.reduce((sum, v) => sum + v.inside, 0), 1 - few.reduce((sum, v) => sum + v.outside, 0)];
    const key = one.field.replace(/^(span|resource|event|link|instrumentation)\./, "");
    const scope = key === one.field ? "" : one.field.slice(0, one.field.length - key.length - 1);
    const strong = one.difference >= strongDifference;
    return h(
      "div",
      { class: "at" },
      h(
        "header",
        null,
        h("span", { class: "rank small" }, integer(index + 1)),
        h("code", { class: "cut", title: one.field }, key),
        scope ? h("span", { class: "tiny t3" }, scope) : null,
        h("span", { class: "d" }, ...(one.difference < leastDifference ? [t("Traces.Equal")] : apart(one.difference))),
      ),
      few.map((value, at) => this.value(one.field, value, strong && at === 0, strong && value.inside > value.outside)),
      values.length > few.length || inside > 0.005 || outside > 0.005
        ? this.others(values.length - few.length, Math.max(0, inside), Math.max(0, outside))
        : null,
    );
  }

  /** @param {string} field @param {{value: any, inside: number, outside: number}} value @param {boolean} strong @param {boolean} adds */
  value(field, value, strong, adds) {
    const shown = value.value === null ? t("Traces.NoValue") : valueText(value.value) || t("Trace.EmptyValue");
    const term = value.value === null ? `${field} = nil` : fieldTerm(field, value.value);
    return h(
      "div",
      { class: `vl${strong ? " hi" : ""}` },
      h("code", { title: shown }, shown),
      bars(value.inside, value.outside),
      h("span", { class: "pc" }, h("b", null, text(percent(value.inside))), h("span", null, text(percent(value.outside)))),
      adds && term
        ? h(
            "button",
            { class: "btn", type: "button", title: t("Traces.AddFilter", term), "aria-label": t("Traces.AddFilter", term), onclick: () => addFilter(term) },
            icon("plus"),
          )
        : h("span"),
    );
  }

  /** @param {number} count @param {number} inside @param {number} outside */
  others(count, inside, outside) {
    return h(
      "div",
      { class: "vl" },
      h("span", { class: "t3 cut" }, count > 0 ? tn("Traces.OtherValues", count) : t("Traces.OthersOrNone")),
      bars(inside, outside),
      h("span", { class: "pc" }, h("b", null, text(percent(inside))), h("span", null, text(percent(outside)))),
      h("span"),
    );
  }
}

/** Kinds and statuses are words of the filter language, not strings. @param {string} field @param {any} value */
function fieldTerm(field, value) {
  return (field === "kind" || field === "status") && /^[a-z]+$/.test(String(value)) ? `${field} = ${value}` : attributeTerm(field, value);
}

/** @param {number} inside @param {number} outside */
function bars(inside, outside) {
  return h(
    "span",
    { class: "bb" },
    h("i", { class: "k1", style: `width:${(inside * 100).toFixed(1)}%` }),
    h("i", { class: "k2", style: `width:${(outside * 100).toFixed(1)}%` }),
  );
}

/** @param {number} difference */
function apart(difference) {
  return [h("b", { class: "t2" }, integer(Math.round(difference * 100))), ` ${t("Traces.PointsApart")}`];
}
