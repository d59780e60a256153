// Checkboxes of the facets: a field with some values checked becomes one term of the filter.
import { go, quote, withState } from "./page.js";

/** @param {HTMLElement} element */
export function mount(element) {
  element.addEventListener("change", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
    const group = box.closest("[data-field]");
    const field = group?.getAttribute("data-field");
    if (!group || !field) return;
    const values = [...group.querySelectorAll("input:checked")].map(
      (one) => /** @type {HTMLInputElement} */ (one).value,
    );
    const terms = values.map((value) =>
      field === "severity" ||
      (/^(true|false|-?\d+(\.\d+)?)$/.test(value) && box.dataset.raw === "1")
        ? `${field} = ${value}`
        : `${field} = ${quote(value)}`,
    );
    const others = JSON.parse(element.dataset.terms ?? "[]")
      .filter(
        (/** @type {{field: string | null}} */ term) => term.field !== field,
      )
      .map((/** @type {{text: string}} */ term) => term.text);
    const joined = terms.length > 1 ? `(${terms.join(" || ")})` : terms[0];
    go(withState({ q: [...others, joined].filter(Boolean).join(" && ") }));
  });
}
