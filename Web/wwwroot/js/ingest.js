// What came in and what was rejected, a step.
import { timeChart } from "./chart.js";
import { compact } from "./format.js";

/** @type {WeakMap<HTMLElement, {update: (options: any) => void, destroy: () => void}>} */
const charts = new WeakMap();

/** @param {HTMLElement} element */
export function mount(element) {
  charts.set(element, timeChart(element, read(element)));
}

/** @param {HTMLElement} element */
export function update(element) {
  charts.get(element)?.update(read(element));
}

/** @param {HTMLElement} element */
export function unmount(element) {
  charts.get(element)?.destroy();
}

/** @param {HTMLElement} element @returns {import('./chart.js').ChartOptions} */
function read(element) {
  const data = JSON.parse(element.dataset.series ?? "{}");
  const [accepted, rejected] = (element.dataset.names ?? "|").split("|");
  return {
    startSeconds: data.start,
    stepSeconds: data.step,
    bars: true,
    noDrag: true,
    height: 132,
    series: [
      { label: rejected, values: data.values[0], color: "--bad" },
      { label: accepted, values: data.values[1], color: "--c-3" },
    ],
    format: compact,
    label: element.getAttribute("aria-label") ?? "",
  };
}
