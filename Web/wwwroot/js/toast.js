// Short messages at the corner; read out by screen readers (aria-live on #toasts).
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** Long enough to read two lines; one with an action stays longer. */
const shownMs = 5_000;
const shownWithActionMs = 12_000;

/**
 * @param {string} text
 * @param {{icon?: string, action?: {label: string, run: () => void}}} [options]
 */
export function toast(text, options = {}) {
  const host = document.getElementById("toasts");
  if (!host) return;
  const element = h(
    "div",
    { class: "toast" },
    icon(options.icon ?? "check"),
    h("span", null, text),
  );
  const close = () => element.remove();
  if (options.action) {
    const { label, run } = options.action;
    element.append(
      h(
        "button",
        { class: "btn sm", type: "button", onclick: () => (run(), close()) },
        label,
      ),
    );
  }
  element.append(
    h(
      "button",
      {
        class: "btn sm sq ghost",
        type: "button",
        "aria-label": t("Shell.Close"),
        onclick: close,
      },
      icon("x"),
    ),
  );
  host.append(element);
  setTimeout(close, options.action ? shownWithActionMs : shownMs);
}
