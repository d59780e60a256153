// The clipboard.
import { t } from "./i18n.js";
import { isoMillis, state } from "./page.js";
import { time } from "./format.js";
import { toast } from "./toast.js";

/** @param {string} text @param {string} [said] */
export async function copyText(text, said) {
  if (await write(text)) toast(said ?? t("Shell.Copied"), { icon: "copy" });
  else toast(t("Shell.CopyFailed"), { icon: "bad" });
}

/** @param {string} text */
async function write(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      console.warn(error);
    }
  }
  // Over plain HTTP from another machine there is no clipboard API; the old way still works.
  const area = document.createElement("textarea");
  area.value = text;
  area.style.cssText = "position:fixed;opacity:0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** Copies the address of the page with its relative times made absolute. */
export function copyFrozenLink() {
  const page = state();
  const url = new URL(location.href);
  url.searchParams.set("from", isoMillis(BigInt(page.fromUnixNano)));
  url.searchParams.set("to", isoMillis(BigInt(page.toUnixNano)));
  url.searchParams.delete("refresh");
  return copyText(
    url.href,
    t("Shell.LinkCopied", time(page.toUnixNano, page.zone, "seconds")),
  );
}
