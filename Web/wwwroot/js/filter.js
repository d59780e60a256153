// The filter bar: terms as chips, completion from the API while one types, errors with their column before anything runs.
import { ApiError, get } from "./api.js";
import { integer } from "./format.js";
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { go, link, state, withState } from "./page.js";

/** After the last key: quick enough to feel at once, and not a query per key. */
const waitMs = 120;

const mostItems = 10;

/** @typedef {{text: string, kind: string, detail: string}} Item */

/** @type {WeakMap<HTMLElement, () => void>} */
const closers = new WeakMap();

/** What was typed into the focused filter and has not run yet; early.js keeps it, as it outlives the page's markup. @type {{apmFilterDraft?: string}} */
const kept = /** @type {any} */ (window);

/** @param {HTMLElement} element */
export function mount(element) {
  const form = /** @type {HTMLFormElement} */ (element);
  const input = /** @type {HTMLInputElement} */ (
    form.querySelector("input.text")
  );
  const chips = /** @type {HTMLElement} */ (form.querySelector(".chips"));
  const signal = form.dataset.signal ?? "traces";
  const target = form.dataset.target ?? location.pathname;
  const pop = h("div", {
    class: "pop filter-pop",
    id: "filter-pop",
    role: "listbox",
    hidden: true,
  });
  document.body.append(pop);
  /** @type {string[]} */
  let terms = [...chips.querySelectorAll("[data-term]")].map(
    (chip) => chip.getAttribute("data-term") ?? "",
  );
  /** @type {Item[]} */
  let items = [];
  let replace = { from: 0, to: 0 };
  /** letters of the text that `replace` is about */
  let askedLength = 0;
  let at = -1;
  let error = "";
  let caption = "";
  /** @type {AbortController | null} */
  let asking = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const drawChips = () => {
    chips.replaceChildren(
      ...terms.map((term, index) =>
        h(
          "span",
          { class: "chip", "data-term": term },
          h(
            "button",
            {
              type: "button",
              class: "cut",
              title: t("Shell.FilterEdit", term),
              "aria-label": t("Shell.FilterEdit", term),
              onclick: () => edit(index),
            },
            ...pretty(term),
          ),
          h(
            "button",
            {
              type: "button",
              class: "x",
              "aria-label": t("Shell.FilterRemove", term),
              onclick: () => run(terms.filter((_, i) => i !== index)),
            },
            "×",
          ),
        ),
      ),
    );
    input.placeholder = t(
      terms.length ? "Shell.FilterAdd" : "Shell.FilterHint",
    );
  };

  const edit = (/** @type {number} */ index) => {
    input.value = terms[index];
    terms = terms.filter((_, i) => i !== index);
    drawChips();
    input.focus();
    ask();
  };

  const close = () => {
    asking?.abort();
    clearTimeout(timer);
    pop.hidden = true;
    at = -1;
    form.classList.remove("open");
    input.setAttribute("aria-expanded", "false");
  };

  const draw = () => {
    if (items.length === 0 && !error) {
      pop.hidden = true;
      return;
    }
    const rect = input.getBoundingClientRect();
    const width = Math.min(480, innerWidth - 24);
    pop.style.cssText = `top:${form.getBoundingClientRect().bottom + 4}px;left:${Math.max(12, Math.min(rect.left, innerWidth - width - 12))}px;width:${width}px`;
    pop.replaceChildren(
      ...(error
        ? [
            h(
              "div",
              { class: "err", role: "alert" },
              icon("bad"),
              h("span", null, error),
            ),
          ]
        : []),
      ...(items.length ? [h("div", { class: "cap" }, caption)] : []),
      h(
        "ul",
        null,
        items.map((item, index) =>
          h(
            "li",
            {
              id: `filter-item-${index}`,
              role: "option",
              class: index === at ? "on" : "",
              "aria-selected": index === at ? "true" : "false",
              onmousedown: (/** @type {Event} */ event) =>
                event.preventDefault(),
              onclick: () => accept(index),
            },
            h("span", { title: item.text }, item.text),
            h("span", { class: "nowrap" }, count(item.detail)),
          ),
        ),
      ),
      h(
        "div",
        { class: "foot" },
        h(
          "span",
          null,
          h("kbd", null, "↑"),
          " ",
          h("kbd", null, "↓"),
          ` ${t("Shell.FilterChoose")}`,
        ),
        h("span", null, h("kbd", null, "Tab"), ` ${t("Shell.FilterComplete")}`),
        h("span", null, h("kbd", null, "Enter"), ` ${t("Shell.FilterRun")}`),
        h("span", null, h("kbd", null, "Esc"), ` ${t("Shell.FilterClose")}`),
      ),
    );
    pop.hidden = false;
    form.classList.add("open");
    input.setAttribute("aria-expanded", "true");
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", `filter-item-${at}`);
      pop.querySelector(".on")?.scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };

  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asking?.abort();
      asking = new AbortController();
      const page = state();
      const { length } = input.value;
      try {
        const answer = await get(
          "filter/complete",
          {
            q: input.value,
            caret: input.selectionStart ?? input.value.length,
            signal,
            from: page.fromUnixNano,
            to: page.toUnixNano,
            limit: mostItems,
          },
          asking.signal,
        );
        const chosen = items[at]?.text;
        items = answer.items;
        replace = { from: answer.replaceFrom, to: answer.replaceTo };
        askedLength = length;
        caption = t(`Shell.FilterExpect.${answer.expecting}`);
        // An answer that comes after somebody has chosen does not take the choice away: Enter would run half a filter.
        at = chosen ? items.findIndex((item) => item.text === chosen) : -1;
        if (document.activeElement === input) draw();
      } catch (failure) {
        // Without completion one can still type; a wrong filter is told when it runs.
        if (!(failure instanceof ApiError)) return;
        items = [];
      }
    }, waitMs);
  };

  const accept = (/** @type {number} */ index) => {
    const item = items[index];
    if (!item) return;
    // Letters typed since the answer belong to the word that is replaced.
    const to = replace.to + input.value.length - askedLength;
    const rest = input.value.slice(Math.max(replace.from, to));
    const space = item.kind === "scope" || rest.startsWith(" ") ? "" : " ";
    input.value = input.value.slice(0, replace.from) + item.text + space + rest;
    kept.apmFilterDraft = input.value;
    const caret = replace.from + item.text.length + space.length;
    input.setSelectionRange(caret, caret);
    error = "";
    // They were for the text before: a quick second Enter runs the filter and puts nothing in twice.
    items = [];
    at = -1;
    ask();
  };

  /** Asks whether the filter can be read, and goes there. @param {string[]} all */
  const run = async (all) => {
    kept.apmFilterDraft = "";
    const q =
      all.length > 1
        ? all
            .map((term) =>
              /\|\||\bor\b/i.test(term) && !/^[({].*[)}]$/.test(term)
                ? `(${term})`
                : term,
            )
            .join(" && ")
        : (all[0] ?? "");
    if (q) {
      try {
        await get("filter/parse", { q, signal });
      } catch (failure) {
        if (failure instanceof ApiError && failure.status === 400) {
          const { column, detail, expected } = failure.problem ?? {};
          error = column
            ? t("Shell.FilterError", column, detail ?? failure.message)
            : (detail ?? failure.message);
          if (expected?.length && !error.includes(expected[0]))
            error += ` · ${t("Shell.FilterExpected", [expected].flat().join(", "))}`;
          input.focus();
          draw();
          return;
        }
      }
    }
    close();
    input.value = "";
    go(target === location.pathname ? withState({ q }) : link(target, { q }));
  };

  // Navigation may keep the input and mount this module on it again: the listeners of before go.
  const leaving = new AbortController();
  const { signal: gone } = leaving;
  input.addEventListener(
    "input",
    () => {
      error = "";
      ask();
    },
    { signal: gone },
  );
  input.addEventListener("focus", ask, { signal: gone });
  input.addEventListener("blur", close, { signal: gone });
  input.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (items.length === 0) return;
        event.preventDefault();
        at =
          event.key === "ArrowDown"
            ? (at + 1) % items.length
            : (at <= 0 ? items.length : at) - 1;
        draw();
      } else if (
        event.key === "Tab" &&
        !event.shiftKey &&
        !pop.hidden &&
        items.length > 0 &&
        input.value.trim()
      ) {
        event.preventDefault();
        accept(Math.max(0, at));
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (at >= 0 && !pop.hidden) accept(at);
        else void run([...terms, input.value.trim()].filter(Boolean));
      } else if (event.key === "Escape") {
        event.stopPropagation();
        if (pop.hidden) input.blur();
        else close();
      } else if (
        event.key === "Backspace" &&
        input.selectionStart === 0 &&
        input.selectionEnd === 0 &&
        terms.length > 0
      ) {
        event.preventDefault();
        edit(terms.length - 1);
      }
    },
    { signal: gone },
  );
  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      void run([...terms, input.value.trim()].filter(Boolean));
    },
    { signal: gone },
  );
  form.addEventListener(
    "mousedown",
    (event) => {
      if (event.target === form || event.target === chips) {
        event.preventDefault();
        input.focus();
      }
    },
    { signal: gone },
  );
  drawChips();
  if (document.activeElement === input) {
    // What arrives of a page while somebody types puts the server's text in place of theirs.
    const draft = kept.apmFilterDraft ?? "";
    if (draft && !input.value) input.value = draft;
    // The reader was quicker than this script.
    if (input.value) ask();
  }
  closers.set(element, () => {
    leaving.abort();
    close();
    pop.remove();
  });
}

/** @param {HTMLElement} element */
export function unmount(element) {
  closers.get(element)?.();
}

/** A comparison in three greys: where it looks is unimportant, the value matters. @param {string} term */
function pretty(term) {
  const found =
    /^([\w.:"-]+?)\s*(=~|!~|!=|>=|<=|=|>|<|contains\b)\s*(.+)$/s.exec(term);
  if (!found) return [term];
  return [
    h("i", null, found[1].replace(/^(resource|span|log)\./, "")),
    " ",
    h("em", null, found[2]),
    " ",
    found[3].replace(/^"([^"\\]*)"$/, "$1"),
  ];
}

/** "1883 records" is shown as 1,883. @param {string} detail */
function count(detail) {
  const found = /^(\d+) records?$/.exec(detail);
  return found ? integer(Number(found[1])) : detail;
}
