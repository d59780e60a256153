// The typed and the absolute range, and the zone; the quick ranges are plain links.
import { dateTime } from "./format.js";
import { t } from "./i18n.js";
import { go, state, withState } from "./page.js";
import { parseRange, zoned } from "./time.js";

/** @param {HTMLElement} element */
export function mount(element) {
  const typed = /** @type {HTMLFormElement} */ (
    element.querySelector("form.typed")
  );
  const text = /** @type {HTMLInputElement} */ (typed.querySelector("input"));
  const preview = /** @type {HTMLElement} */ (
    typed.querySelector("[data-preview]")
  );
  text.addEventListener("input", () => {
    const range = text.value.trim()
      ? parseRange(text.value, state().zone)
      : null;
    preview.textContent = !text.value.trim()
      ? "\u00a0"
      : range
        ? describe(range)
        : t("Shell.RangeUnknown");
    preview.classList.toggle("bad", !!text.value.trim() && !range);
  });
  typed.addEventListener("submit", (event) => {
    event.preventDefault();
    const range = parseRange(text.value, state().zone);
    if (range)
      go(
        withState({
          from: range.from,
          to: range.to === "now" ? null : range.to,
        }),
      );
    else text.focus();
  });
  const absolute = /** @type {HTMLFormElement} */ (
    element.querySelector("form.absolute")
  );
  absolute.addEventListener("submit", (event) => {
    event.preventDefault();
    const [from, to] = [...absolute.querySelectorAll("input")].map((input) =>
      zoned(input.value.split(/\D/).map(Number), state().zone),
    );
    if (from < to)
      go(withState({ from: from.toISOString(), to: to.toISOString() }));
    else absolute.querySelector("input")?.focus();
  });
  for (const button of element.querySelectorAll("[data-zone]")) {
    button.addEventListener("click", () => {
      const zone =
        button.getAttribute("data-zone") === "local"
          ? Intl.DateTimeFormat().resolvedOptions().timeZone
          : "";
      document.cookie = `apm-zone=${encodeURIComponent(zone)}; path=/; max-age=${zone ? 31_536_000 : 0}; samesite=lax`;
      go(location.pathname + location.search, { replace: true });
    });
  }
}

/** @param {{from: string, to: string}} range */
function describe(range) {
  const zone = state().zone;
  const show = (/** @type {string} */ side) =>
    side.startsWith("now")
      ? side
      : dateTime(BigInt(Date.parse(side)) * 1_000_000n, zone);
  return `${show(range.from)} – ${show(range.to)}`;
}
