// The strings of the page's language, the same as on the server (Resources/*.resx).

const language = document.documentElement.lang || "en";
/** @type {Record<string, string>} */
const texts = await fetch(
  new URL(`../text/${language}.json`, import.meta.url),
).then(
  (r) => (r.ok ? r.json() : {}),
  () => ({}),
);

/**
 * The text of a key with {0}, {1} … filled in; the key itself where it is missing.
 * @param {string} key
 * @param {...(string | number)} args
 */
export function t(key, ...args) {
  return (texts[key] ?? key).replace(/\{(\d)\}/g, (whole, index) =>
    String(args[Number(index)] ?? whole),
  );
}

/**
 * A counted text: key.One for 1, else key.Other.
 * @param {string} key
 * @param {number} count
 */
export function tn(key, count) {
  return t(
    key + (count === 1 ? ".One" : ".Other"),
    count.toLocaleString("en-US"),
  );
}

/** @param {string} key */
export function hasText(key) {
  return key in texts;
}
