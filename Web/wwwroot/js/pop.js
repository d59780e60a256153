// Popups: a button with data-pop="id" opens the element of that id; Escape, a click elsewhere or another popup closes it.

/** @type {{pop: HTMLElement, opener: HTMLElement} | null} */
let open = null;

/** @param {HTMLElement} opener */
export function togglePop(opener) {
  const pop = document.getElementById(opener.dataset.pop ?? "");
  const was = open?.pop === pop;
  closePops();
  if (!pop || was) return;
  pop.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  open = { pop, opener };
  pop.dispatchEvent(new CustomEvent("apm:open"));
  const first = /** @type {HTMLElement | null} */ (
    pop.querySelector(
      'input, [aria-selected="true"], [aria-current="true"], a, button',
    )
  );
  first?.focus();
}

/** @param {boolean} [giveFocusBack] */
export function closePops(giveFocusBack = false) {
  if (!open) return;
  open.pop.hidden = true;
  open.opener.setAttribute("aria-expanded", "false");
  if (giveFocusBack) open.opener.focus();
  open = null;
}

document.addEventListener("keydown", (event) => {
  if (!open) return;
  if (event.key === "Escape") {
    event.stopPropagation();
    closePops(true);
    return;
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  if (!open.pop.classList.contains("list")) return;
  event.preventDefault();
  const items = /** @type {HTMLElement[]} */ ([
    ...open.pop.querySelectorAll("a, button"),
  ]);
  const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const next =
    (at + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
  items[next]?.focus();
});
