// The state of the page: what its URL says, as the server resolved it.

/**
 * @typedef {object} PageState
 * @property {string} path
 * @property {string} from  as in the URL, such as now-30m
 * @property {string} to
 * @property {string} fromUnixNano  resolved by the server for this rendering; pass on as it is (BigInt to compute)
 * @property {string} toUnixNano
 * @property {string} q  the filter bar's text
 * @property {string} env
 * @property {string} filter  q and env together, as the API wants it
 * @property {string} refresh  "", "5s", "10s", "30s" or "1m"
 * @property {boolean} relative  the range moves with the clock
 * @property {string} zone  IANA name
 * @property {string} lang
 * @property {string} theme
 * @property {Record<string, number>} colors  numbers of service colours
 */

/** Parameters that go with the reader from page to page; as in PageState.cs. */
const carried = ["from", "to", "env", "refresh"];

/** @returns {PageState} */
export function state() {
  return JSON.parse(document.getElementById("page-state")?.textContent || "{}");
}

/**
 * This page with some parameters changed; null removes one. Paging starts over.
 * @param {Record<string, string | null | undefined>} changes
 */
export function withState(changes) {
  const url = new URL(location.href);
  url.searchParams.delete("cursor");
  return apply(url, changes);
}

/**
 * Another page with the same range, environment and refresh.
 * @param {string} path
 * @param {Record<string, string | null | undefined>} [changes]
 */
export function link(path, changes = {}) {
  const here = new URLSearchParams(location.search);
  const url = new URL(path, location.origin);
  for (const key of carried) {
    const value = here.get(key);
    if (value && !url.searchParams.has(key)) url.searchParams.set(key, value);
  }
  return apply(url, changes);
}

/**
 * @param {URL} url
 * @param {Record<string, string | null | undefined>} changes
 */
function apply(url, changes) {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === "")
      url.searchParams.delete(key);
    else url.searchParams.set(key, value);
  }
  return url.pathname + url.search;
}

/**
 * Goes to an address of the UI by enhanced navigation.
 * @param {string} url
 * @param {{replace?: boolean}} [options]
 */
export function go(url, options = {}) {
  const blazor = /** @type {any} */ (window).Blazor;
  if (blazor?.navigateTo)
    blazor.navigateTo(url, false, options.replace ?? false);
  else location.href = url;
}

/**
 * Sets the time range, as a drag on a chart does.
 * @param {number | bigint} fromUnixNano
 * @param {number | bigint} toUnixNano
 */
export function setRange(fromUnixNano, toUnixNano) {
  go(
    withState({
      from: isoMillis(fromUnixNano),
      to: isoMillis(toUnixNano),
      refresh: null,
    }),
  );
}

/** @param {number | bigint} unixNano */
export function isoMillis(unixNano) {
  return new Date(
    Math.round(Number(BigInt(Math.round(Number(unixNano))) / 1000n) / 1000),
  ).toISOString();
}

/**
 * Adds a term to the filter and goes there.
 * @param {string} term
 * @param {string} [path] another page, for instance /traces
 */
export function addFilter(term, path) {
  const q = new URLSearchParams(location.search).get("q");
  const joined = q
    ? `${/\|\||\bor\b/i.test(q) ? `(${q})` : q} && ${term}`
    : term;
  go(path ? link(path, { q: joined }) : withState({ q: joined }));
}

/**
 * A string literal of the filter language.
 * @param {string} value
 */
export function quote(value) {
  return `"${value.replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n").replace(/\r/g, "\\r").replace(/\t/g, "\\t")}"`;
}

/**
 * `field = value` for an attribute's JSON value.
 * @param {string} field
 * @param {unknown} value
 */
export function equalTerm(field, value) {
  if (value === null || value === undefined) return `${field} = nil`;
  return `${field} = ${typeof value === "number" || typeof value === "boolean" ? value : quote(String(value))}`;
}

/**
 * Calls back when the theme changes, for what is drawn on a canvas, as long as the element is in the document.
 * @param {() => void} callback
 * @param {HTMLElement} element
 */
export function onTheme(callback, element) {
  const listener = () => {
    if (element.isConnected) callback();
    else document.removeEventListener("apm:theme", listener);
  };
  document.addEventListener("apm:theme", listener);
}
