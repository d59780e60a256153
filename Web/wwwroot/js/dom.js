// Builds elements. Text is always text: nothing here parses HTML.
import { serviceColor } from "./colors.js";

const sprite = new URL("../icons.svg", import.meta.url).pathname;

/**
 * An HTML element. Attributes: `class`, `style` (string), `on…` (listener), `data-…`, any other; false, null and undefined are left out, true is "".
 * @param {string} tag
 * @param {Record<string, any> | null} [attributes]
 * @param {...(Node | string | number | null | undefined | false | Array<Node | string | null | undefined | false>)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "style") element.style.cssText = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false)
      element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** @param {string} name  an id in icons.svg */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

/** The coloured square of a service; put its name beside it. @param {string} service */
export function swatch(service) {
  return h("i", {
    class: "sw",
    style: `--c:${serviceColor(service)}`,
    "data-service": service,
  });
}

/**
 * A quantity with its unit small and grey.
 * @param {{value: string, unit: string}} quantity
 */
export function unit(quantity) {
  return quantity.unit
    ? [quantity.value, h("u", null, quantity.unit)]
    : [quantity.value];
}

/** Opens a modal dialog: Escape and a press beside it close it, and then it is gone. @param {HTMLDialogElement} dialog  not in the document yet */
export function showDialog(dialog) {
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener(
    "click",
    (event) => event.target === dialog && dialog.close(),
  );
  document.body.append(dialog);
  dialog.showModal();
}

/** @param {Element} element */
export function clear(element) {
  element.replaceChildren();
  return element;
}
