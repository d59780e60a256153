// Numbers, durations and times, exactly as Format.cs writes them (tests/Web.Tests/Cases/format.json holds both to it).

/** @typedef {{value: string, unit: string}} Quantity */

export const none = "–";

/**
 * Rounds half away from zero, as the server does, and groups digits.
 * @param {number} value
 * @param {number} decimals
 */
function fixed(value, decimals) {
  const factor = 10 ** decimals;
  const rounded =
    (Math.sign(value) * Math.round(Math.abs(value) * factor)) / factor;
  return (rounded === 0 ? 0 : rounded).toLocaleString("en-US", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** @param {number} value */
const scaled = (value) => fixed(value, Math.abs(value) < 9.95 ? 1 : 0);

/** @param {number} value */
function short(value) {
  const size = Math.abs(value);
  if (size >= 99.95) return fixed(value, 0);
  if (size >= 9.995) return fixed(value, 1).replace(".0", "");
  return fixed(value, 2).replace(/\.?0+$/, "");
}

/** @param {number} value */
const pad = (value) => String(value).padStart(2, "0");

/** @param {number | null | undefined} value */
const missing = (value) =>
  value === null || value === undefined || Number.isNaN(value);

/** @param {number | null | undefined} nano @returns {Quantity} */
export function duration(nano) {
  if (missing(nano)) return { value: none, unit: "" };
  const value = Number(nano);
  const size = Math.abs(value);
  if (size < 1e3) return { value: fixed(value, 0), unit: "ns" };
  if (size < 1e3 * 999.5) return { value: scaled(value / 1e3), unit: "µs" };
  if (size < 1e6 * 999.5) return { value: scaled(value / 1e6), unit: "ms" };
  if (size < 1e9 * 59.95)
    return { value: fixed(value / 1e9, size < 1e9 * 9.995 ? 2 : 1), unit: "s" };
  const seconds = Math.round(size / 1e9);
  const sign = value < 0 ? "-" : "";
  if (seconds < 3600)
    return {
      value: `${sign}${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`,
      unit: "",
    };
  if (seconds < 86400)
    return {
      value: `${sign}${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} m`,
      unit: "",
    };
  return {
    value: `${sign}${Math.floor(seconds / 86400)} d ${pad(Math.floor((seconds % 86400) / 3600))} h`,
    unit: "",
  };
}

/** @param {number | null | undefined} perSecond @returns {Quantity} */
export function rate(perSecond) {
  if (missing(perSecond)) return { value: none, unit: "" };
  const value = Number(perSecond);
  if (value === 0) return { value: "0", unit: "/s" };
  if (value >= 0.1) return { value: short(value), unit: "/s" };
  if (value >= 0.1 / 60) return { value: short(value * 60), unit: "/min" };
  return { value: short(value * 3600), unit: "/h" };
}

/** @param {number | null | undefined} share 0–1 @returns {Quantity} */
export function percent(share) {
  if (missing(share)) return { value: none, unit: "" };
  const value = Number(share) * 100;
  if (value > 0 && value < 0.05) return { value: "<0.1", unit: "%" };
  return { value: fixed(value, value >= 99.95 ? 0 : 1), unit: "%" };
}

/** @param {number} value */
export function integer(value) {
  return fixed(value, 0);
}

/** @param {number} value */
export function compact(value) {
  const size = Math.abs(value);
  if (size < 1000) return short(value);
  if (size < 999_500) return `${scaled(value / 1e3)}k`;
  if (size < 999_500_000) return `${scaled(value / 1e6)}M`;
  return `${scaled(value / 1e9)}G`;
}

/** @param {number | null | undefined} count @returns {Quantity} */
export function bytes(count) {
  if (missing(count)) return { value: none, unit: "" };
  let value = Number(count);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let at = 0;
  while (Math.abs(value) >= 1023.5 && at < units.length - 1) {
    value /= 1024;
    at++;
  }
  return { value: at === 0 ? fixed(value, 0) : scaled(value), unit: units[at] };
}

/** "5.28 s" @param {Quantity} quantity */
export function text(quantity) {
  return quantity.unit ? `${quantity.value} ${quantity.unit}` : quantity.value;
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string | number | bigint} unixNano
 * @param {string} zone IANA name
 */
function parts(unixNano, zone) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  const nano = BigInt(
    typeof unixNano === "number" ? Math.round(unixNano) : unixNano,
  );
  /** @type {Record<string, string>} */
  const found = {
    millisecond: String((nano / 1_000_000n) % 1000n).padStart(3, "0"),
  };
  for (const part of format.formatToParts(Number(nano / 1_000_000n)))
    found[part.type] = part.value;
  return found;
}

/**
 * "03:12", "03:12:04", "03:12:04.871"
 * @param {string | number | bigint} unixNano
 * @param {string} zone
 * @param {'minutes' | 'seconds' | 'milliseconds'} [precision]
 */
export function time(unixNano, zone, precision = "minutes") {
  const p = parts(unixNano, zone);
  const minutes = `${p.hour}:${p.minute}`;
  if (precision === "minutes") return minutes;
  return precision === "seconds"
    ? `${minutes}:${p.second}`
    : `${minutes}:${p.second}.${p.millisecond}`;
}

/**
 * "2026-11-20 03:12:04"
 * @param {string | number | bigint} unixNano
 * @param {string} zone
 */
export function dateTime(unixNano, zone) {
  const p = parts(unixNano, zone);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}
