// Colours of services and of the theme.
import { state } from "./page.js";

const count = 12;

/** @type {Map<string, number>} names given a colour in this browser tab, beyond those the server named */
const assigned = new Map();

/** FNV-1a over UTF-8, as ServiceColors.Hash. @param {string} text */
export function hash(text) {
  let value = 2166136261;
  for (const byte of new TextEncoder().encode(text))
    value = Math.imul(value ^ byte, 16777619) >>> 0;
  return value >>> 0;
}

/** The number 1–12 of a service's colour. @param {string} service */
export function serviceColorNumber(service) {
  const known = assigned.get(service) ?? state().colors?.[service];
  if (known) {
    assigned.set(service, known);
    return known;
  }
  for (const mark of document.querySelectorAll("[data-service]")) {
    const number = /--svc-(\d+)/.exec(mark.getAttribute("style") ?? "");
    if (number && mark.getAttribute("data-service") === service) {
      assigned.set(service, Number(number[1]));
      return Number(number[1]);
    }
  }
  const all = new Map([...Object.entries(state().colors ?? {}), ...assigned]);
  const uses = new Array(count).fill(0);
  for (const number of all.values()) uses[number - 1]++;
  const least = Math.min(...uses);
  let slot = hash(service) % count;
  while (uses[slot] !== least) slot = (slot + 1) % count;
  assigned.set(service, slot + 1);
  return slot + 1;
}

/** A CSS colour for markup. @param {string} service */
export function serviceColor(service) {
  return `var(--svc-${serviceColorNumber(service)})`;
}

/** The present value of a token, for a canvas. @param {string} name  such as --bad, or --svc-3 */
export function token(name) {
  return getComputedStyle(document.documentElement)
    .getPropertyValue(name)
    .trim();
}
