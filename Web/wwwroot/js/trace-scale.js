// Time to pixels within the window that is looked at, ticks, and what of many small things a pixel shows.
import { duration, text } from "./format.js";

/** Steps of an axis in nanoseconds: 1, 2 and 5 of each decade, then what reads well in minutes and hours. */
/** @type {number[]} */
const steps = [];
for (let decade = 1; decade <= 1e10; decade *= 10) for (const factor of [1, 2, 5]) if (factor * decade <= 2e10) steps.push(factor * decade);
steps.push(3e10, 6e10, 1.2e11, 3e11, 6e11, 1.2e12, 1.8e12, 3.6e12, 7.2e12, 1.44e13, 4.32e13, 8.64e13);

/**
 * Round instants within a window.
 * @param {number} from nanoseconds since the trace began @param {number} to @param {number} most
 * @returns {{at: number, label: string}[]}
 */
export function timeTicks(from, to, most) {
  const wanted = (to - from) / Math.max(1, most);
  const step = steps.find((one) => one >= wanted) ?? steps[steps.length - 1] * Math.ceil(wanted / steps[steps.length - 1]);
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push({ at, label: offset(at, step) });
  return found;
}

/** "3.2 s", in the unit of the step so that ticks of an axis read alike. @param {number} nano @param {number} step */
function offset(nano, step) {
  if (nano >= 6e10 || nano === 0) return nano === 0 ? "0" : text(duration(nano));
  const [unit, size] =
    nano >= 1e9 || step >= 1e9 ? ["s", 1e9] : nano >= 1e6 || step >= 1e6 ? ["ms", 1e6] : nano >= 1e3 || step >= 1e3 ? ["µs", 1e3] : ["ns", 1];
  const decimals = Math.max(0, Math.ceil(-Math.log10(step / Number(size)) - 1e-9));
  return `${(nano / Number(size)).toFixed(Math.min(6, decimals))} ${unit}`;
}

/** A tick of two pixels and a gap of one. */
const hatchPixels = 3;

/** A window of time over a width in pixels. */
export class Scale {
  /** @param {number} from @param {number} to @param {number} width */
  constructor(from, to, width) {
    this.from = from;
    this.to = to;
    this.width = width;
    this.perNano = width / Math.max(1, to - from);
  }

  /** @param {number} nano */
  x(nano) {
    return (nano - this.from) * this.perNano;
  }
}

/**
 * An SVG path of one rectangle for each run of covered pixels: however many intervals there are, it has at most `width` parts.
 * @param {Scale} scale @param {Iterable<[number, number]>} intervals @param {number} y @param {number} height
 * @param {boolean} hatched  cut into ticks, as what is many small things and not one long
 */
export function coverage(scale, intervals, y, height, hatched = false) {
  const width = Math.ceil(scale.width);
  if (width <= 0) return "";
  const covered = new Uint8Array(width + 1);
  for (const [from, to] of intervals) {
    const left = Math.floor(scale.x(from));
    const right = Math.max(left + 2, Math.round(scale.x(to)));
    if (right <= 0 || left >= width) continue;
    covered.fill(1, Math.max(0, left), Math.min(width, right));
  }
  if (hatched) for (let x = hatchPixels - 1; x < width; x += hatchPixels) covered[x] = 0;
  let path = "";
  for (let x = 0; x < width; x++) {
    if (!covered[x]) continue;
    let last = x;
    while (last < width && covered[last]) last++;
    path += `M${x} ${y}h${last - x}v${height}h${x - last}z`;
    x = last;
  }
  return path;
}
