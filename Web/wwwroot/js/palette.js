// Ctrl+K: jumps to a service, an operation, a trace or a page.
import { get } from "./api.js";
import { clear, h, icon, showDialog, swatch } from "./dom.js";
import { t } from "./i18n.js";
import { equalTerm, go, link, state } from "./page.js";

/** Shown at most of each kind; the rest is found by typing on. */
const mostOfAKind = 8;

/** @typedef {{kind: string, label: string, hint?: string, mark: () => Node, url: string}} Item */

/** The address of a service's page. @param {string} name */
export function servicePath(name) {
  return `/services/${name.split("/").map(encodeURIComponent).join("/")}`;
}

/** @returns {Item[]} */
function pages() {
  return ["services", "traces", "logs", "topology", "settings"].map((id) => ({
    kind: "Shell.JumpPages",
    label: t(`Shell.${id[0].toUpperCase()}${id.slice(1)}`),
    mark: () => icon(id),
    url: link(`/${id}`),
  }));
}

/** @returns {Promise<Item[]>} */
async function things() {
  const page = state();
  const range = { from: page.fromUnixNano, to: page.toUnixNano };
  const [services, operations] = await Promise.all([
    get("services", range).catch(() => ({ services: [] })),
    get("operations", range).catch(() => ({ operations: [] })),
  ]);
  return [
    ...services.services.map((/** @type {any} */ s) => ({
      kind: "Shell.JumpServices",
      label: s.name,
      hint: s.version ?? "",
      mark: () => swatch(s.name),
      url: link(servicePath(s.name)),
    })),
    ...operations.operations.map((/** @type {any} */ o) => ({
      kind: "Shell.JumpOperations",
      label: o.name,
      hint: o.service,
      mark: () => swatch(o.service),
      url: link("/traces", {
        q: `${equalTerm("resource.service.name", o.service)} && ${equalTerm("name", o.name)}`,
      }),
    })),
  ];
}

export function openPalette() {
  if (document.querySelector("dialog.palette")) return;
  const input = /** @type {HTMLInputElement} */ (
    h("input", {
      class: "palette-in",
      type: "text",
      placeholder: t("Shell.JumpHint"),
      "aria-label": t("Shell.Jump"),
      role: "combobox",
      "aria-expanded": "true",
      "aria-controls": "palette-list",
      autocomplete: "off",
      spellcheck: "false",
    })
  );
  const list = h("div", {
    id: "palette-list",
    role: "listbox",
    class: "palette-list",
  });
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { class: "dialog palette", "aria-label": t("Shell.Jump") },
      h("div", { class: "row palette-head" }, icon("search"), input),
      list,
    )
  );
  /** @type {Item[]} */
  let known = pages();
  /** @type {Item[]} */
  let shown = [];
  let at = 0;

  const draw = () => {
    shown = find(known, input.value.trim());
    at = Math.min(at, Math.max(0, shown.length - 1));
    clear(list);
    let kind = "";
    shown.forEach((item, index) => {
      if (item.kind !== kind)
        list.append(h("div", { class: "cap" }, t((kind = item.kind))));
      list.append(
        h(
          "div",
          {
            class: "palette-item",
            id: `palette-${index}`,
            role: "option",
            "aria-selected": index === at ? "true" : "false",
            onclick: () => choose(index),
          },
          item.mark(),
          h("span", { class: "cut" }, item.label),
          item.hint && h("span", { class: "t3 small cut" }, item.hint),
        ),
      );
    });
    if (shown.length === 0)
      list.append(h("div", { class: "cap" }, t("Shell.JumpNothing")));
    input.setAttribute(
      "aria-activedescendant",
      shown.length ? `palette-${at}` : "",
    );
    list
      .querySelector('[aria-selected="true"]')
      ?.scrollIntoView({ block: "nearest" });
  };
  const choose = (/** @type {number} */ index) => {
    const item = shown[index];
    dialog.close();
    if (item) go(item.url);
  };

  input.addEventListener("input", () => ((at = 0), draw()));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = shown.length
        ? (at + (event.key === "ArrowDown" ? 1 : -1) + shown.length) %
          shown.length
        : 0;
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(at);
    }
  });
  showDialog(dialog);
  draw();
  void things().then((found) => {
    known = [...pages(), ...found];
    if (dialog.isConnected) draw();
  });
}

/** Items whose label has the letters in order, best first within their kind. @param {Item[]} items @param {string} text @returns {Item[]} */
function find(items, text) {
  /** @type {Item[]} */
  const found = [];
  if (/^[0-9a-f]{32}$/i.test(text))
    found.push({
      kind: "Shell.Traces",
      label: t("Shell.JumpTrace", text.toLowerCase()),
      mark: () => icon("traces"),
      url: link(`/traces/${text.toLowerCase()}`),
    });
  const kinds = [...new Set(items.map((item) => item.kind))];
  for (const kind of text ? kinds.slice(1).concat(kinds[0]) : kinds) {
    const scored = items
      .filter((item) => item.kind === kind)
      .map((item) => ({
        item,
        score: score(`${item.label} ${item.hint ?? ""}`, text),
      }));
    found.push(
      ...scored
        .filter((s) => s.score > 0)
        .sort((a, b) => b.score - a.score)
        .slice(0, mostOfAKind)
        .map((s) => s.item),
    );
  }
  return found;
}

/** 0: no match. @param {string} label @param {string} text */
export function score(label, text) {
  const [where, what] = [label.toLowerCase(), text.toLowerCase()];
  if (!what) return 1;
  const at = where.indexOf(what);
  if (at >= 0)
    return 100 - at + (at === 0 || /\W/.test(where[at - 1]) ? 50 : 0);
  let from = 0;
  for (const letter of what) {
    const next = where.indexOf(letter, from);
    if (next < 0) return 0;
    from = next + 1;
  }
  return 1;
}
