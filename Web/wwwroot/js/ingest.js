// What came in and what was rejected, a step.
import { chartModule } from "./chart.js";
import { compact } from "./format.js";

export const { mount, update, unmount } = chartModule(read);

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
