// "Waiting for the first span…": looks every two seconds, and shows the page again when something is there.
import { get } from "./api.js";
import { t } from "./i18n.js";
import { go } from "./page.js";
import { toast } from "./toast.js";

const everyMs = 2_000;

/** @type {WeakMap<HTMLElement, ReturnType<typeof setInterval>>} */
const timers = new WeakMap();

/** @param {HTMLElement} element */
export function mount(element) {
  const path = element.dataset.signal === "logs" ? "logs" : "traces";
  const look = async () => {
    if (document.hidden) return;
    // An outage is not news here: the next look asks again.
    const found = await get(path, { from: "now-15m", limit: 1 }).catch(
      () => null,
    );
    if (!found || (found.traces ?? found.records).length === 0) return;
    unmount(element);
    toast(t("Shell.Arrived"));
    go(location.pathname + location.search, { replace: true });
  };
  timers.set(element, setInterval(look, everyMs));
}

/** @param {HTMLElement} element */
export function unmount(element) {
  clearInterval(timers.get(element));
}
