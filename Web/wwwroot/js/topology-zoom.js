// Moves and zooms what is drawn: drag, Ctrl+wheel, two fingers, a double click. One finger up and down still scrolls the page.

/** How far a map may be zoomed out and in; and how far it is zoomed out at most to be seen whole. */
const least = 0.15;
const most = 2.5;
const leastToFit = 0.35;

/** On a phone's screen a map is rather moved about than too small to be read, px and zoom. */
const narrow = { width: 560, zoom: 0.72 };

/** px around a map that fits; above it lie the controls, below the legend. */
const margin = 24;
const overlay = { top: 46, bottom: 32 };

/** A press that moved less than this is a click, px. */
const clickPixels = 4;

/**
 * @param {SVGSVGElement} svg
 * @param {SVGGElement} world
 * @param {() => {width: number, height: number, above: number}} size  of what is drawn, from 0 and above it
 */
export function createZoom(svg, world, size) {
  let [x, y, k] = [0, 0, 1];
  let fitted = true;
  let far = false;
  /** @type {Map<number, {x: number, y: number}>} */
  const pointers = new Map();
  /** @type {{x: number, y: number} | null} */
  let down = null;

  const apply = () => {
    world.setAttribute(
      "transform",
      `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${k.toFixed(3)})`,
    );
    svg.classList.toggle("far", k < 0.55);
  };

  const fit = () => {
    const { clientWidth, clientHeight } = svg;
    const { width, height, above } = size();
    if (!clientWidth || !clientHeight) return;
    const room = clientHeight - overlay.top - overlay.bottom;
    const whole = Math.min(
      (clientWidth - 2 * margin) / Math.max(1, width),
      room / Math.max(1, height + above),
    );
    k = Math.min(
      1,
      Math.max(clientWidth < narrow.width ? narrow.zoom : leastToFit, whole),
    );
    x =
      width * k > clientWidth - 2 * margin
        ? margin
        : (clientWidth - width * k) / 2;
    y =
      overlay.top +
      above * k +
      Math.max(0, (room - (height + above) * k) / 2);
    fitted = true;
    apply();
  };

  /** @param {number} factor @param {number} [cx] @param {number} [cy]  px in the element; its middle */
  const by = (factor, cx = svg.clientWidth / 2, cy = svg.clientHeight / 2) => {
    const next = Math.min(most, Math.max(least, k * factor));
    x = cx - ((cx - x) * next) / k;
    y = cy - ((cy - y) * next) / k;
    k = next;
    fitted = false;
    apply();
  };

  /**
   * Moves so far that a box is in view.
   * @param {{x: number, y: number, width: number, height: number}} box
   * @param {boolean} [stillFits]  a new size of the frame fits the map again
   */
  const show = (box, stillFits = false) => {
    const edge = 16;
    const [left, top] = [x + box.x * k, y + box.y * k];
    const [right, bottom] = [left + box.width * k, top + box.height * k];
    const shift = (
      /** @type {number} */ from,
      /** @type {number} */ to,
      /** @type {number} */ room,
    ) =>
      from < edge
        ? edge - from
        : to > room - edge
          ? Math.max(edge - from, room - edge - to)
          : 0;
    const [dx, dy] = [
      shift(left, right, svg.clientWidth),
      shift(top, bottom, svg.clientHeight),
    ];
    if (dx === 0 && dy === 0) return;
    x += dx;
    y += dy;
    fitted = fitted && stillFits;
    apply();
  };

  const place = (/** @type {MouseEvent} */ event) => {
    const box = svg.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  svg.addEventListener(
    "wheel",
    (event) => {
      // Without Ctrl the wheel scrolls the page, as everywhere; a pinch on a touchpad comes with Ctrl.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const at = place(event);
      by(Math.exp(-event.deltaY * 0.004), at.x, at.y);
    },
    { passive: false },
  );
  svg.addEventListener("dblclick", (event) => {
    const at = place(event);
    by(1.5, at.x, at.y);
  });
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    down = place(event);
    far = false;
    pointers.set(event.pointerId, down);
  });
  svg.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before || !down) return;
    const now = place(event);
    if (!far && Math.hypot(now.x - down.x, now.y - down.y) < clickPixels)
      return;
    if (!far) svg.setPointerCapture(event.pointerId);
    far = true;
    if (pointers.size === 2) {
      const other = [...pointers.entries()].find(
        ([id]) => id !== event.pointerId,
      )?.[1];
      if (other) {
        const apart = Math.hypot(before.x - other.x, before.y - other.y);
        const next = Math.hypot(now.x - other.x, now.y - other.y);
        if (apart > 0)
          by(next / apart, (now.x + other.x) / 2, (now.y + other.y) / 2);
      }
    } else {
      x += now.x - before.x;
      y += now.y - before.y;
      fitted = false;
      apply();
    }
    pointers.set(event.pointerId, now);
  });
  const up = (/** @type {PointerEvent} */ event) =>
    pointers.delete(event.pointerId);
  svg.addEventListener("pointerup", up);
  svg.addEventListener("pointercancel", up);

  const watcher = new ResizeObserver(() => {
    if (fitted) fit();
  });
  watcher.observe(svg);

  return {
    fit,
    by,
    show,
    /** Whether the press that ended moved the map, and so was no click. */
    moved: () => far,
    destroy: () => watcher.disconnect(),
  };
}
