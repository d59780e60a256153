// How a query was read: part by part, what was read and what was skipped by which index.
import { get } from "./api.js";
import { clear, h, showDialog, unit } from "./dom.js";
import { failureBanner } from "./failure.js";
import { bytes, duration, integer } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {{search: number, id: string | null, level: number, rows: number, bytes: number, from: string, blocksRead: number, blocksSkipped: Record<string, number>, rowsScanned: number, bytesRead: number, elapsedMs: number}} Source */

/** Rows that one reads; what took less time is counted. */
const mostSources = 100;

/** @param {string} query  path and parameters below /api/v1/ */
export function openPlan(query) {
  if (document.querySelector("dialog.plan")) return;
  const body = h(
    "div",
    { class: "scroll" },
    h(
      "div",
      { class: "skeleton", role: "status", "aria-label": t("Shell.Loading") },
      h("i", { class: "sk", style: "width:60%" }),
      h("i", { class: "sk", style: "width:80%" }),
    ),
  );
  const asking = new AbortController();
  const dialog = /** @type {HTMLDialogElement} */ (
    h(
      "dialog",
      { class: "dialog plan", "aria-label": t("Shell.Plan") },
      h(
        "header",
        { class: "row" },
        h("h2", null, t("Shell.Plan")),
        h("span", { class: "t3 small grow hide-n" }, t("Shell.PlanHint")),
        h(
          "form",
          { method: "dialog" },
          h("button", { class: "btn sm" }, t("Shell.Close")),
        ),
      ),
      body,
    )
  );
  dialog.addEventListener("close", () => asking.abort());
  showDialog(dialog);
  void fill(body, query, asking.signal);
}

/** @param {HTMLElement} body @param {string} query @param {AbortSignal} signal */
async function fill(body, query, signal) {
  const [path, search] = query.split("?", 2);
  /** @type {Record<string, string[]>} */
  const params = { explain: ["true"] };
  for (const [key, value] of new URLSearchParams(search ?? ""))
    (params[key] ??= []).push(value);
  try {
    const answer = await get(path, params, signal);
    const plan = answer.scan?.plan;
    clear(body).append(
      plan ? table(plan) : h("p", { class: "none t2" }, t("Shell.PlanUnknown")),
    );
  } catch (error) {
    if (signal.aborted) return;
    clear(body).append(
      failureBanner(error, { retry: () => void fill(body, query, signal) }),
    );
  }
}

/** @param {Source[]} sources */
function table(sources) {
  if (sources.length === 0)
    return h("p", { class: "none t2" }, t("Shell.PlanNone"));
  const sorted = [...sources].sort((a, b) => b.elapsedMs - a.elapsedMs);
  const skipped = (/** @type {Source} */ source) =>
    Object.entries(source.blocksSkipped)
      .sort((a, b) => b[1] - a[1])
      .map(([reason, blocks]) => `${reason} ${integer(blocks)}`)
      .join(", ");
  const right = (/** @type {string} */ key) => h("th", { class: "r" }, t(key));
  return h(
    "div",
    null,
    h(
      "table",
      { class: "tbl" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", null, t("Shell.PlanPart")),
          right("Shell.PlanLevel"),
          right("Shell.PlanRows"),
          h("th", null, t("Shell.PlanRead")),
          right("Shell.PlanBlocks"),
          h("th", null, t("Shell.PlanSkipped")),
          right("Shell.PlanBytes"),
          right("Shell.PlanTime"),
        ),
      ),
      h(
        "tbody",
        null,
        sorted
          .slice(0, mostSources)
          .map((source) =>
            h(
              "tr",
              { class: source.from === "nothing" ? "t3" : null },
              h(
                "td",
                null,
                h("span", { class: "t3" }, `${source.search} · `),
                source.id === null
                  ? t("Shell.PlanMemory")
                  : h("code", null, source.id),
              ),
              h("td", { class: "r" }, source.id === null ? "–" : source.level),
              h("td", { class: "r" }, integer(source.rows)),
              h("td", null, t(`Shell.PlanFrom.${source.from}`)),
              h("td", { class: "r" }, integer(source.blocksRead)),
              h("td", { class: "t2" }, skipped(source)),
              h("td", { class: "r" }, unit(bytes(source.bytesRead))),
              h("td", { class: "r" }, unit(duration(source.elapsedMs * 1e6))),
            ),
          ),
      ),
    ),
    sorted.length > mostSources
      ? h(
          "p",
          { class: "none t3 small" },
          t("Shell.PlanMore", integer(sorted.length - mostSources)),
        )
      : null,
  );
}
