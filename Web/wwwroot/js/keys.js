// Keys of the shell. A page module binds its own with a listener and checks isTyping.
import { h, showDialog } from "./dom.js";
import { t } from "./i18n.js";

/** Whether a key press belongs to what the reader types in. @param {KeyboardEvent} event */
export function isTyping(event) {
  const target = event.target;
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
        !/^(checkbox|radio|button)$/.test(
          /** @type {HTMLInputElement} */ (target).type,
        )))
  );
}

/** What was pressed this long before its module was there is not meant any more, ms. */
const waitMs = 5_000;

/** Keys that nobody took while modules of the page were on their way. @type {{key: string, at: number}[]} */
const waiting = [];

/** Keys pressed by this module, which do not wait a second time. @type {WeakSet<Event>} */
const replayed = new WeakSet();

/**
 * @param {Record<string, () => void>} commands  by key; "palette" is Ctrl+K
 * @param {() => boolean} isPending  modules of the page are not mounted yet, and may want a key
 */
export function bindKeys(commands, isPending) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      commands.palette();
      return;
    }
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.defaultPrevented ||
      isTyping(event) ||
      document.querySelector("dialog[open]")
    )
      return;
    if (event.key === "?") {
      event.preventDefault();
      showKeys();
      return;
    }
    if (commands[event.key]) {
      event.preventDefault();
      commands[event.key]();
      return;
    }
    const pressed = document.querySelector(
      `[data-key="${CSS.escape(event.key)}"]`,
    );
    if (pressed instanceof HTMLElement) {
      event.preventDefault();
      pressed.click();
      return;
    }
    if (
      (event.key === "j" || event.key === "k") &&
      moveRow(event.key === "j" ? 1 : -1)
    )
      return;
    if (event.key.length !== 1 || replayed.has(event) || !isPending()) return;
    // Those that are mounted hear it after this listener; what they leave waits for the others.
    setTimeout(() => {
      if (!event.defaultPrevented)
        waiting.push({ key: event.key, at: performance.now() });
    });
  });
  const early = /** @type {any} */ (window).apmEarlyKeys?.() ?? [];
  for (const key of early) press(key);
}

/** All modules are there: the keys that waited for them are pressed again, in their order. */
export function pressWaiting() {
  for (const { key, at } of waiting.splice(0))
    if (performance.now() - at < waitMs) press(key, true);
}

/** The reader went elsewhere. */
export function forgetWaiting() {
  waiting.length = 0;
}

/** @param {string} key  "Ctrl+k" or one letter @param {boolean} [again] */
function press(key, again = false) {
  const isPalette = key === "Ctrl+k";
  const event = new KeyboardEvent("keydown", {
    key: isPalette ? "k" : key,
    ctrlKey: isPalette,
    bubbles: true,
    cancelable: true,
  });
  if (again) replayed.add(event);
  (document.activeElement ?? document.body).dispatchEvent(event);
}

/** j and k walk over the first link of each row of the page's tables; false when there is none. @param {number} by */
function moveRow(by) {
  const rows = /** @type {HTMLElement[]} */ (
    [...document.querySelectorAll("main .tbl tbody tr")]
      .map((row) => row.querySelector("a, button"))
      .filter((link) => link instanceof HTMLElement)
  );
  if (rows.length === 0) return false;
  const at = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  rows[
    at < 0
      ? by > 0
        ? 0
        : rows.length - 1
      : Math.min(rows.length - 1, Math.max(0, at + by))
  ].focus();
  return true;
}

function showKeys() {
  const keys = [
    [["Ctrl", "K"], "Shell.KeyJump"],
    [["/"], "Shell.KeyFilter"],
    [["s", "t", "l", "m"], "Shell.KeyPages"],
    [[","], "Shell.KeySettings"],
    [["d"], "Shell.KeyRange"],
    [["[", "]"], "Shell.KeyStep"],
    [["r"], "Shell.KeyRefresh"],
    [["j", "k"], "Shell.KeyRows"],
    [["?"], "Shell.KeyHelp"],
    [["Esc"], "Shell.KeyClose"],
  ];
  // A page adds its own: <template data-keys> with rows of kbd and text.
  const more = [...document.querySelectorAll("template[data-keys]")].map(
    (template) =>
      /** @type {HTMLTemplateElement} */ (template).content.cloneNode(true),
  );
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { class: "dialog", "aria-label": t("Shell.Keys") },
      h(
        "header",
        { class: "row" },
        h("h2", { class: "grow" }, t("Shell.Keys")),
        h(
          "form",
          { method: "dialog" },
          h("button", { class: "btn sm" }, t("Shell.Close")),
        ),
      ),
      h(
        "dl",
        { class: "keys" },
        keys.map(([names, text]) =>
          h(
            "div",
            null,
            h(
              "dt",
              null,
              /** @type {string[]} */ (names).map((name) =>
                h("kbd", null, name),
              ),
            ),
            h("dd", null, t(/** @type {string} */ (text))),
          ),
        ),
        more,
      ),
    )
  );
  showDialog(dialog);
}
