// The latency heatmap of a service. A box or a cell leads to the traces in it.
import { get } from "./api.js";
import { failureBanner } from "./failure.js";
import { heatmap } from "./heatmap.js";
import { go, isoMillis, link, state } from "./page.js";

/** Columns at most: cells of about 6 pixels. */
const mostColumns = 90;

/** Round steps in seconds. */
const steps = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800,
  21600, 43200, 86400,
];

/** @type {WeakMap<HTMLElement, {abort: AbortController, destroy: () => void}>} */
const live = new WeakMap();

/** The step that cuts the page's range into at most so many columns. @param {number} most */
export function heatStep(most) {
  const page = state();
  const seconds =
    Number(BigInt(page.toUnixNano) - BigInt(page.fromUnixNano)) / 1e9;
  return `${steps.find((step) => seconds / step <= most) ?? 86400 * Math.ceil(seconds / most / 86400)}s`;
}

/** @param {HTMLElement} element */
export async function mount(element) {
  live.get(element)?.destroy();
  const abort = new AbortController();
  live.set(element, { abort, destroy: () => {} });
  const page = state();
  try {
    const data = await get(
      "spans/heatmap",
      {
        q: element.dataset.q,
        from: page.fromUnixNano,
        to: page.toUnixNano,
        step: heatStep(mostColumns),
      },
      abort.signal,
    );
    const traces = (/** @type {import('./heatmap.js').Box} */ box) =>
      go(
        link("/traces", {
          q: `${element.dataset.q} && duration >= ${Math.floor(box.minNano)}ns && duration < ${Math.ceil(box.maxNano)}ns`,
          from: isoMillis(box.fromUnixNano),
          to: isoMillis(box.toUnixNano),
          refresh: null,
        }),
      );
    const map = heatmap(element, data, {
      height: 282,
      label: element.getAttribute("aria-label") ?? "",
      marks: JSON.parse(element.dataset.marks || "[]"),
      onBox: traces,
      onCell: traces,
    });
    live.set(element, { abort, destroy: map.destroy });
  } catch (error) {
    if (abort.signal.aborted) return;
    element.replaceChildren(
      failureBanner(error, { retry: () => void mount(element) }),
    );
  }
}

/** The range moved: ask again, and keep the old picture until the answer is there. @param {HTMLElement} element */
export function update(element) {
  void mount(element);
}

/** @param {HTMLElement} element */
export function unmount(element) {
  live.get(element)?.abort.abort();
  live.get(element)?.destroy();
}
