// Saves what is in view as CSV or JSON.
import { t } from "./i18n.js";
import { toast } from "./toast.js";

/** @typedef {Record<string, string | number | boolean | null>} Row */

/** @type {Map<HTMLElement, {name: string, rows: () => Row[]}>} */
const offers = new Map();

/**
 * What a module shows, for "Export"; forgotten when the element leaves the document.
 * @param {HTMLElement} element
 * @param {string} name  of the file
 * @param {() => Row[]} rows
 */
export function offerExport(element, name, rows) {
  offers.set(element, { name, rows });
}

/** Tables marked data-export: a cell gives data-value, else its text. @param {HTMLTableElement} table @returns {Row[]} */
function tableRows(table) {
  const heads = [...table.querySelectorAll("thead th")].map(
    (th, index) =>
      th.getAttribute("data-name") ??
      (th.textContent?.replace(/[↓↑]/g, "").trim() || `column ${index + 1}`),
  );
  return [...table.querySelectorAll("tbody tr")].map((tr) => {
    /** @type {Row} */
    const row = {};
    [...tr.children].forEach((cell, index) => {
      const raw = cell.getAttribute("data-value");
      row[heads[index] ?? `column ${index + 1}`] =
        raw === null
          ? (cell.textContent ?? "").replace(/\s+/g, " ").trim()
          : raw !== "" && Number.isFinite(Number(raw))
            ? Number(raw)
            : raw;
    });
    return row;
  });
}

/** @param {'csv' | 'json'} kind */
export function exportView(kind) {
  /** @type {{name: string, rows: Row[]}[]} */
  const sets = [];
  for (const table of document.querySelectorAll("main table[data-export]"))
    sets.push({
      name: table.getAttribute("data-export") ?? "table",
      rows: tableRows(/** @type {HTMLTableElement} */ (table)),
    });
  for (const [element, offer] of offers) {
    if (element.isConnected)
      sets.push({ name: offer.name, rows: offer.rows() });
    else offers.delete(element);
  }
  const filled = sets.filter((set) => set.rows.length > 0);
  if (filled.length === 0) {
    toast(t("Shell.ExportNothing"), { icon: "warn" });
    return;
  }
  if (kind === "json")
    save(
      `apm-${filled[0].name}.json`,
      "application/json",
      JSON.stringify(
        Object.fromEntries(filled.map((set) => [set.name, set.rows])),
        null,
        2,
      ),
    );
  else
    for (const set of filled)
      save(`apm-${set.name}.csv`, "text/csv", csv(set.rows));
}

/** RFC 4180; a cell that a spreadsheet would run as a formula gets an apostrophe. @param {Row[]} rows */
export function csv(rows) {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cell = (/** @type {unknown} */ value) => {
    if (typeof value === "number") return String(value);
    const text = String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
  };
  return (
    [names, ...rows.map((row) => names.map((name) => row[name]))]
      .map((line) => line.map(cell).join(","))
      .join("\r\n") + "\r\n"
  );
}

/** @param {string} name @param {string} type @param {string} text */
function save(name, type, text) {
  const address = URL.createObjectURL(
    new Blob([text], { type: `${type};charset=utf-8` }),
  );
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
