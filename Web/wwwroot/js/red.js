// A chart of rate, errors or durations on a service's page. Its series come in data-series; a click leads to the traces of that moment.
import { chartModule } from "./chart.js";
import { compact, duration, percent, text } from "./format.js";
import { go, link } from "./page.js";

export const { mount, update, unmount } = chartModule(read);

/** @param {HTMLElement} element @returns {import('./chart.js').ChartOptions | null} */
function read(element) {
  if (!element.dataset.series) return null;
  const data = JSON.parse(element.dataset.series);
  const kind = element.dataset.kind;
  const shared = {
    startSeconds: data.start,
    stepSeconds: data.step,
    height: 150,
    marks: JSON.parse(element.dataset.marks || "[]"),
    label: element.getAttribute("aria-label") ?? "",
  };
  const traces = (
    /** @type {number} */ seconds,
    /** @type {string} */ more,
  ) => {
    const from =
      Math.floor((seconds - data.start) / data.step) * data.step + data.start;
    go(
      link("/traces", {
        q: `${element.dataset.q}${more}`,
        from: new Date(from * 1000).toISOString(),
        to: new Date((from + data.step) * 1000).toISOString(),
        refresh: null,
      }),
    );
  };
  if (kind === "rate") {
    const unit = rateUnit(data.values[0]);
    return {
      ...shared,
      series: [{ label: "", values: data.values[0], fill: "--grid" }],
      format: (value) =>
        value === 0 ? "0" : `${compact(value * unit.factor)}${unit.name}`,
      onClick: (at) => traces(at, ""),
    };
  }
  if (kind === "errors")
    return {
      ...shared,
      series: [
        {
          label: "",
          values: data.values[0],
          color: element.dataset.bad ? "--bad" : "--c-1",
          width: 2,
        },
      ],
      top: 0.02,
      format: (value) => axis(text(percent(value))),
      onClick: (at) => traces(at, " && status = error"),
    };
  return {
    ...shared,
    series: [
      { label: "p50", values: data.values[0], color: "--c-3" },
      { label: "p99", values: data.values[1], color: "--c-2", dash: true },
      { label: "p95", values: data.values[2], width: 2 },
    ],
    format: (value) => (value === 0 ? "0" : axis(text(duration(value)))),
    onClick: (at) => traces(at, ""),
  };
}

/** Round values without their zeros. @param {string} written */
function axis(written) {
  return written.replace(/\.0+(?= )/, "");
}

/** One unit for a whole axis, by its largest value: as format.js writes that. @param {(number | null)[]} values */
function rateUnit(values) {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  if (most === 0 || most >= 0.1) return { factor: 1, name: "/s" };
  return most >= 0.1 / 60
    ? { factor: 60, name: "/min" }
    : { factor: 3600, name: "/h" };
}
