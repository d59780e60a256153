// Attribute values as text, and filters that find them again.
import { copyText } from "./copy.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { link, quote } from "./page.js";

/** A longer value starts folded. */
const longCharacters = 400;

/** An attribute's JSON value as the reader sees it (docs/http-api.md: {"int"}, {"double"} and {"bytes"} are values too). @param {any} value @returns {string} */
export function valueText(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  if (typeof value.int === "string") return value.int;
  if (typeof value.double === "string") return value.double;
  if (typeof value.bytes === "string") return value.bytes;
  return JSON.stringify(value);
}

/** The field of an attribute as a filter writes it. @param {"span" | "resource" | "event" | "link" | "log"} scope @param {string} key */
export function attributeField(scope, key) {
  return /^[A-Za-z_][\w.\-/]*$/.test(key) ? `${scope}.${key}` : `${scope}.${quote(key)}`;
}

/** `field = value`; null where no filter can say it. @param {string} field @param {any} value @returns {string | null} */
export function attributeTerm(field, value) {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value.length <= 1000 ? `${field} = ${quote(value)}` : null;
  if (typeof value === "number" || typeof value === "boolean") return `${field} = ${value}`;
  if (typeof value.int === "string" && /^-?\d+$/.test(value.int)) return `${field} = ${value.int}`;
  return null;
}

/**
 * Attributes as rows: a value is a link that filters by it, and can be copied.
 * @param {Record<string, any>} attributes @param {"span" | "resource" | "event" | "link" | "log"} scope
 * @param {{hot?: (key: string, value: any) => boolean}} [options]
 */
export function attributeList(attributes, scope, options = {}) {
  const list = h("dl", { class: "kv" });
  for (const key of Object.keys(attributes).sort()) {
    const value = attributes[key];
    const shown = valueText(value);
    const term = attributeTerm(attributeField(scope, key), value);
    const hot = options.hot?.(key, value) ?? false;
    const body = shown.length > longCharacters ? foldedText(shown) : shown === "" ? h("span", { class: "t3" }, t("Trace.EmptyValue")) : shown;
    list.append(
      h("dt", { title: key }, key),
      h(
        "dd",
        { class: hot ? "hot" : null },
        term ? h("a", { class: "val", href: link("/traces", { q: term }), title: t("Trace.FilterBy", term) }, body) : h("span", { class: "val" }, body),
        h(
          "button",
          { class: "cpy", type: "button", "aria-label": t("Trace.CopyValue", key), title: t("Shell.Copy"), onclick: () => void copyText(shown) },
          icon("copy"),
        ),
      ),
    );
  }
  return list;
}

/** @param {string} text */
function foldedText(text) {
  return h("details", { class: "long" }, h("summary", null, `${text.slice(0, longCharacters)}…`), text);
}
