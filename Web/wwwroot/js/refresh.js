// Refresh without navigation: the page is asked for again and what differs is put in place, so nothing flickers and the scroll stays.
import { t } from "./i18n.js";
import { state } from "./page.js";
import { interval } from "./time.js";
import { toast } from "./toast.js";

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let running = false;
let failed = false;

/** Starts over the timer that the URL asks for. */
export function startRefresh() {
  clearTimeout(timer);
  const every = interval(state().refresh ?? "");
  if (every > 0) timer = setTimeout(tick, every);
}

async function tick() {
  // Not while hidden, and not under the reader's fingers.
  const busy =
    document.hidden ||
    document.querySelector(".pop:not([hidden]), dialog[open], .filter.open") ||
    getSelection()?.toString();
  if (!busy) await refreshNow();
  startRefresh();
}

/** Renders the page's URL again and updates <main>. */
export async function refreshNow() {
  if (running) return;
  running = true;
  const asked = location.href;
  document.documentElement.classList.add("refreshing");
  try {
    const response = await fetch(asked, { headers: { accept: "text/html" } });
    const text = await response.text();
    if (location.href !== asked) return;
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    put(settle(new DOMParser().parseFromString(text, "text/html")));
    failed = false;
    document.dispatchEvent(new CustomEvent("apm:refreshed"));
  } catch (error) {
    // Said once, not every 5 seconds of an outage.
    if (!failed)
      toast(t("Shell.RefreshFailed", /** @type {Error} */ (error).message), {
        icon: "warn",
      });
    failed = true;
  } finally {
    running = false;
    document.documentElement.classList.remove("refreshing");
  }
}

/**
 * Puts streamed parts where they belong: `<blazor-ssr><template blazor-component-id="N">` goes between the comments `bl:N` and `/bl:N`.
 * @param {Document} page
 */
function settle(page) {
  for (const template of page.querySelectorAll(
    "blazor-ssr > template[blazor-component-id]",
  )) {
    const id = template.getAttribute("blazor-component-id");
    const walker = page.createTreeWalker(page.body, NodeFilter.SHOW_COMMENT);
    /** @type {Node | null} */
    let start = null;
    while (walker.nextNode()) {
      if (walker.currentNode.nodeValue === `bl:${id}`)
        start = walker.currentNode;
      if (walker.currentNode.nodeValue !== `/bl:${id}` || !start) continue;
      const range = page.createRange();
      range.setStartAfter(start);
      range.setEndBefore(walker.currentNode);
      range.deleteContents();
      range.insertNode(/** @type {HTMLTemplateElement} */ (template).content);
      break;
    }
  }
  return page;
}

/** @param {Document} page */
function put(page) {
  const [now, then] = [
    document.querySelector("main"),
    page.querySelector("main"),
  ];
  if (!now || !then) return;
  const fresh = page.getElementById("page-state");
  const mine = document.getElementById("page-state");
  if (fresh && mine) mine.textContent = fresh.textContent;
  document.title = page.title || document.title;
  const label = page.querySelector(".range .seg button");
  document
    .querySelector(".range .seg button")
    ?.replaceChildren(...(label?.childNodes ?? []));
  morph(now, then);
}

/**
 * Makes the children of one element those of another, keeping what is equal. What a module drew into its element stays; its attributes are brought up to date.
 * @param {Element} now
 * @param {Element} then
 */
function morph(now, then) {
  const [old, fresh] = [[...now.childNodes], [...then.childNodes]];
  for (let i = 0; i < fresh.length; i++) {
    const [mine, theirs] = [old[i], fresh[i]];
    if (!mine) now.append(document.adoptNode(theirs));
    else if (
      mine instanceof Element &&
      theirs instanceof Element &&
      mine.tagName === theirs.tagName &&
      mine.id === theirs.id
    ) {
      for (const name of mine.getAttributeNames())
        if (!theirs.hasAttribute(name) && !keeps(mine, name))
          mine.removeAttribute(name);
      for (const name of theirs.getAttributeNames())
        if (
          mine.getAttribute(name) !== theirs.getAttribute(name) &&
          !keeps(mine, name)
        )
          mine.setAttribute(name, theirs.getAttribute(name) ?? "");
      if (!(mine instanceof HTMLElement && mine.dataset.module))
        morph(mine, theirs);
    } else if (
      mine.nodeType === theirs.nodeType &&
      !(mine instanceof Element)
    ) {
      if (mine.nodeValue !== theirs.nodeValue)
        mine.nodeValue = theirs.nodeValue;
    } else mine.replaceWith(document.adoptNode(theirs));
  }
  for (const extra of old.slice(fresh.length)) extra.remove();
}

/** What the reader did to an element stays: an opened <details>, and what a module set on its own element. @param {Element} element @param {string} name */
function keeps(element, name) {
  return (
    (name === "open" && element.tagName === "DETAILS") ||
    (element instanceof HTMLElement &&
      !!element.dataset.module &&
      (name === "class" || name === "style"))
  );
}
