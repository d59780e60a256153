// Starts what every page has: modules, popups, keys, theme, refresh, links. Listens on the document, so enhanced navigation loses nothing.
import { copyText, copyFrozenLink } from "./copy.js";
import { exportView } from "./export.js";
import { t } from "./i18n.js";
import { bindKeys, forgetWaiting, pressWaiting } from "./keys.js";
import { openPalette } from "./palette.js";
import { link, state } from "./page.js";
import { closePops, togglePop } from "./pop.js";
import { refreshNow, startRefresh } from "./refresh.js";
import { toast } from "./toast.js";

/** A year: the reader's choices stay. */
const cookieSeconds = 31_536_000;

/**
 * @typedef {object} PageModule
 * @property {(element: HTMLElement, page: import('./page.js').PageState) => void | Promise<void>} mount
 * @property {(element: HTMLElement) => void} [unmount]
 * @property {(element: HTMLElement, page: import('./page.js').PageState) => void} [update]
 */

/** @typedef {{name: string, data: string, module: PageModule | null, ready: boolean}} Entry  `ready`: its mount is done, or failed */

/** @type {Map<HTMLElement, Entry>} */
const mounted = new Map();

/** What a module was given in its element. @param {HTMLElement} element */
const dataOf = (element) => JSON.stringify(element.dataset);

/** Mounts what is new in the document and unmounts what left it. */
function sync() {
  for (const [element, entry] of mounted) {
    if (!element.isConnected || element.dataset.module !== entry.name)
      release(element, entry);
  }
  for (const element of document.querySelectorAll("[data-module]")) {
    if (element instanceof HTMLElement && !mounted.has(element))
      attach(element);
  }
}

/** @param {HTMLElement} element @param {{module: PageModule | null}} entry */
function release(element, entry) {
  mounted.delete(element);
  try {
    entry.module?.unmount?.(element);
  } catch (error) {
    report(error);
  }
}

/** @param {HTMLElement} element */
async function attach(element) {
  const name = element.dataset.module ?? "";
  /** @type {Entry} */
  const entry = { name, data: dataOf(element), module: null, ready: false };
  mounted.set(element, entry);
  try {
    const module = await import(new URL(`../${name}`, import.meta.url).href);
    if (mounted.get(element) !== entry || !element.isConnected) return;
    entry.module = module;
    await module.mount(element, state());
  } catch (error) {
    report(error);
  } finally {
    entry.ready = true;
    if (!isPending()) pressWaiting();
  }
}

/** The server was asked for another page, which is not here yet. */
let isLeaving = false;

/** Modules are on their way, or the part of the page that names them is. */
function isPending() {
  return (
    isLeaving ||
    document.querySelector("main .skeleton") !== null ||
    [...mounted.values()].some((entry) => !entry.ready)
  );
}

/** @param {unknown} error */
function report(error) {
  console.error(error);
  toast(
    t(
      "Shell.ModuleFailed",
      error instanceof Error ? error.message : String(error),
    ),
    { icon: "bad" },
  );
}

/** After navigation the server's markup replaced what modules drew: all are mounted afresh. */
function remount() {
  for (const [element, entry] of mounted) release(element, entry);
  sync();
}

/** After a refresh: elements that stayed are told, if their data changed. */
function afterRefresh() {
  for (const [element, entry] of mounted) {
    if (!element.isConnected || dataOf(element) === entry.data) continue;
    if (entry.module?.update) {
      entry.data = dataOf(element);
      entry.module.update(element, state());
    } else {
      release(element, entry);
    }
  }
  sync();
}

/** @param {string} name @param {string} value */
export function setCookie(name, value) {
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${cookieSeconds}; samesite=lax`;
}

/** @type {Record<string, (element: HTMLElement) => void>} */
const actions = {
  theme() {
    const theme =
      document.documentElement.dataset.theme === "light" ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
    setCookie("apm-theme", theme);
    document.dispatchEvent(new CustomEvent("apm:theme"));
  },
  language(element) {
    setCookie("apm-lang", element.lang);
    const url = new URL(location.href);
    url.searchParams.delete("lang");
    location.replace(url);
  },
  "copy-link": () => copyFrozenLink(),
  rail() {
    const narrow =
      document.querySelector(".rail")?.classList.toggle("narrow") ?? false;
    setCookie("apm-rail", narrow ? "narrow" : "wide");
    dispatchEvent(new Event("resize"));
  },
  refresh: () => void refreshNow(),
  palette: () => openPalette(),
  plan: (element) =>
    void import("./plan.js").then((module) =>
      module.openPlan(element.dataset.query ?? ""),
    ),
};

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const opener = target?.closest("[data-pop]");
  if (opener instanceof HTMLElement) {
    event.preventDefault();
    togglePop(opener);
    return;
  }
  if (!target?.closest(".pop")) closePops();
  const doer = target?.closest("[data-action]");
  if (doer instanceof HTMLElement && actions[doer.dataset.action ?? ""]) {
    event.preventDefault();
    closePops();
    actions[doer.dataset.action ?? ""](doer);
    return;
  }
  const copier = target?.closest("[data-copy]");
  if (copier instanceof HTMLElement) void copyText(copier.dataset.copy ?? "");
  const exporter = target?.closest("[data-export-as]");
  if (exporter instanceof HTMLElement) {
    closePops();
    exportView(exporter.dataset.exportAs === "json" ? "json" : "csv");
  }
  // A row with one link is pressed anywhere, but selecting text in it is not pressing.
  const row = target?.closest("tr[data-href]");
  if (
    row instanceof HTMLElement &&
    !target?.closest("a, button, input, summary") &&
    !getSelection()?.toString()
  ) {
    const anchor = row.querySelector("a");
    if (anchor) anchor.click();
  }
});

bindKeys(
  {
    // Focus is enough: a filter bar that is mounted later completes what was typed by then.
    "/": () => {
      const filter = document.querySelector(".filter input.text");
      if (filter instanceof HTMLElement) filter.focus();
    },
    s: () => follow("/services"),
    t: () => follow("/traces"),
    l: () => follow("/logs"),
    m: () => follow("/topology"),
    ",": () => follow("/settings"),
    r: () => void refreshNow(),
    palette: () => openPalette(),
  },
  isPending,
);

/** @param {string} path */
function follow(path) {
  const url = link(path);
  const blazor = /** @type {any} */ (window).Blazor;
  if (blazor?.navigateTo) blazor.navigateTo(url);
  else location.href = url;
}

/** The document may grow while it streams; one look per frame is enough. */
let asked = false;
new MutationObserver(() => {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    sync();
    if (!isPending()) pressWaiting();
  });
}).observe(document.documentElement, { childList: true, subtree: true });

/** @type {(name: string, listener: () => void) => void} */
const onBlazor = (name, listener) =>
  /** @type {any} */ (window).Blazor?.addEventListener?.(name, listener);
onBlazor("enhancednavigationstart", () => {
  isLeaving = true;
  forgetWaiting();
});
onBlazor("enhancednavigationend", () => {
  isLeaving = false;
  if (!isPending()) pressWaiting();
});
onBlazor("enhancedload", () => {
  // Navigation gives <html> the server's attributes, and with them takes this away.
  document.documentElement.classList.add("js");
  closePops();
  remount();
  startRefresh();
});
document.addEventListener("apm:refreshed", afterRefresh);

document.documentElement.classList.add("js");
sync();
startRefresh();
