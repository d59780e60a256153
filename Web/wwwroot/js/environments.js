// The list of environments, asked for when it is opened.
import { get } from "./api.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { state, withState } from "./page.js";

const field = "resource.deployment.environment.name";

/** @param {HTMLElement} element */
export function mount(element) {
  element.addEventListener("apm:open", () => void fill(element));
}

/** @param {HTMLElement} element */
async function fill(element) {
  const page = state();
  const range = { field, from: "now-1d", limit: 50 };
  const [spans, logs] = await Promise.all([
    get("attributes/values", { signal: "traces", ...range }).catch(() => ({
      values: [],
    })),
    get("attributes/values", { signal: "logs", ...range }).catch(() => ({
      values: [],
    })),
  ]);
  const names = [
    ...new Set(
      [...spans.values, ...logs.values].map((/** @type {any} */ v) =>
        String(v.value),
      ),
    ),
  ].sort();
  if (page.env && !names.includes(page.env)) names.unshift(page.env);
  for (const old of [...element.children].slice(1)) old.remove();
  for (const name of names)
    element.append(
      h(
        "a",
        {
          role: "option",
          href: withState({ env: name }),
          "aria-selected": name === page.env ? "true" : "false",
        },
        name,
      ),
    );
  if (names.length === 0)
    element.append(h("span", { class: "cap" }, t("Shell.NoEnvironments")));
}
