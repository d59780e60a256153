// Log records a step, by severity, stacked; drag sets the range.
import { chartModule } from "./chart.js";
import { compact } from "./format.js";
import { t } from "./i18n.js";

const colors = {
  fatal: "--bad",
  error: "--bad",
  warn: "--warn",
  info: "--c-3",
  debug: "--c-fill",
  trace: "--c-fill",
  unspecified: "--c-fill",
};

export const { mount, update, unmount } = chartModule(read);

/** @param {HTMLElement} element @returns {import('./chart.js').ChartOptions} */
function read(element) {
  const data = JSON.parse(element.dataset.series ?? "{}");
  const series = Object.entries(colors)
    .filter(([name]) =>
      data.series?.[name]?.some((/** @type {number} */ n) => n > 0),
    )
    .map(([name, color]) => ({
      label: t(`Logs.Severity.${name}`),
      values: data.series[name],
      color,
    }));
  return {
    startSeconds: data.start,
    stepSeconds: data.step,
    bars: true,
    height: 132,
    series: series.length
      ? series
      : [{ label: "", values: data.series?.info ?? [] }],
    format: compact,
    label: element.getAttribute("aria-label") ?? "",
  };
}
