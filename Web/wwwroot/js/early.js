// Before anything else: keys that come while the page's script is on its way are kept for it. A plain script, small, in the head; shell.js takes them over.
(() => {
  /** A reader's words in the filter are not commands, and what was pressed long ago is not meant any more, ms. */
  const keptMs = 5000;

  /** @type {{key: string, at: number}[]} */
  const kept = [];

  const listener = (/** @type {KeyboardEvent} */ event) => {
    const { target } = event;
    const isTyping =
      target instanceof HTMLElement &&
      (target.isContentEditable ||
        /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
    if (event.altKey || isTyping) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      kept.push({ key: "Ctrl+k", at: performance.now() });
    } else if (event.key === "/") {
      // At once, so that what is typed after it goes into the filter.
      const filter = document.querySelector(".filter input.text");
      if (!(filter instanceof HTMLElement)) return;
      event.preventDefault();
      filter.focus();
    } else if (event.key.length === 1)
      kept.push({ key: event.key, at: performance.now() });
  };
  document.addEventListener("keydown", listener);

  // For good: markup that arrives while somebody types empties the filter. What was typed is put back with the next letter, or by filter.js.
  const page = /** @type {{apmFilterDraft?: string}} */ (
    /** @type {any} */ (window)
  );
  const isFilter = (/** @type {EventTarget | null} */ target) =>
    target instanceof HTMLInputElement && target.matches(".filter input.text");
  document.addEventListener("beforeinput", ({ target }) => {
    if (!isFilter(target)) return;
    const input = /** @type {HTMLInputElement} */ (target);
    if (!input.value && page.apmFilterDraft) input.value = page.apmFilterDraft;
  });
  document.addEventListener("input", ({ target }) => {
    if (isFilter(target))
      page.apmFilterDraft = /** @type {HTMLInputElement} */ (target).value;
  });
  document.addEventListener("focusout", ({ target }) => {
    if (isFilter(target)) page.apmFilterDraft = "";
  });

  /** @type {any} */ (window).apmEarlyKeys = () => {
    document.removeEventListener("keydown", listener);
    return kept
      .splice(0)
      .filter((one) => performance.now() - one.at < keptMs)
      .map((one) => one.key);
  };
})();
