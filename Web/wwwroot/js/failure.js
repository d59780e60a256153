// What stands in the place of what could not be had: what failed, and a way to ask again.
import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * @param {unknown} error  an error, or what to say of it
 * @param {{title?: string, retry?: () => void, look?: string, ways?: (HTMLElement | null)[]}} [options]  `ways`: links that help, before "Retry"
 */
export function failureBanner(error, options = {}) {
  const { title, retry, look, ways = [] } = options;
  const said = messageOf(error);
  return h(
    "div",
    { class: `banner bad ${look ?? ""}`.trim(), role: "alert" },
    icon("bad"),
    title
      ? h(
          "span",
          { class: "grow" },
          h("b", null, title),
          " ",
          h("span", { class: "t2" }, said),
        )
      : h("span", { class: "grow" }, said),
    ...ways,
    retry
      ? h(
          "button",
          { class: "btn sm", type: "button", onclick: () => retry() },
          t("Shell.Retry"),
        )
      : null,
  );
}
