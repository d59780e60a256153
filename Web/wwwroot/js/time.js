// Typed time ranges, and round ticks of a time axis.

const secondsOf = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const units = {
  s: "s",
  sec: "s",
  second: "s",
  秒: "s",
  m: "m",
  min: "m",
  minute: "m",
  分: "m",
  分钟: "m",
  h: "h",
  hr: "h",
  hour: "h",
  小时: "h",
  d: "d",
  day: "d",
  天: "d",
  w: "w",
  week: "w",
  周: "w",
};

/**
 * Wall-clock time of a zone to an instant; the earlier one where a clock is set back.
 * @param {number[]} parts year, month 1–12, day, hour, minute, second
 * @param {string} zone
 */
export function zoned(
  [year, month, day, hour = 0, minute = 0, second = 0],
  zone,
) {
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  let at = wall;
  for (let i = 0; i < 2; i++) at = wall - offset(at, zone);
  return new Date(at);
}

/** @param {number} at @param {string} zone */
function offset(at, zone) {
  const found = wallParts(at, zone);
  return (
    Date.UTC(found[0], found[1] - 1, found[2], found[3], found[4], found[5]) -
    Math.floor(at / 1000) * 1000
  );
}

/** @param {number} at @param {string} zone @returns {number[]} */
export function wallParts(at, zone) {
  /** @type {Record<string, number>} */
  const found = {};
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  for (const part of format.formatToParts(at))
    found[part.type] = Number(part.value);
  return [
    found.year,
    found.month,
    found.day,
    found.hour,
    found.minute,
    found.second,
  ];
}

/**
 * "past 45m", "45m", "2 h", "today", "yesterday", "10:00 – 11:30", "2026-01-31 08:00 to 09:00", one day "2026-01-31".
 * @param {string} text
 * @param {string} zone
 * @param {number} [now] ms
 * @returns {{from: string, to: string} | null} values for the URL
 */
export function parseRange(text, zone, now = Date.now()) {
  const clean = text.trim().toLowerCase();
  const relative =
    /^(?:past|last|最近|过去)?\s*(\d{1,6})\s*([a-z]+|[^\s\d]+?)s?$/.exec(clean);
  if (relative) {
    const unit =
      /** @type {Record<string, string>} */ (units)[relative[2]] ??
      /** @type {Record<string, string>} */ (units)[
        relative[2].replace(/s$/, "")
      ];
    if (unit && Number(relative[1]) > 0)
      return { from: `now-${Number(relative[1])}${unit}`, to: "now" };
  }
  if (/^now(-\d+[smhdw])?$/.test(clean))
    return clean === "now" ? null : { from: clean, to: "now" };
  const [year, month, day] = wallParts(now, zone);
  if (clean === "today" || clean === "今天")
    return { from: zoned([year, month, day], zone).toISOString(), to: "now" };
  if (clean === "yesterday" || clean === "昨天") {
    const midnight = zoned([year, month, day], zone);
    return {
      from: zoned([year, month, day - 1], zone).toISOString(),
      to: midnight.toISOString(),
    };
  }
  const sides = clean.split(
    /\s+(?:to|until|-|–|—|至|到)\s+|\s*[–—至到]\s*|(?<=:\d\d)-(?=\d)/,
  );
  const first = instant(sides[0], zone, [year, month, day]);
  if (!first) return null;
  if (sides.length === 1) {
    if (first.hasTime) return { from: first.date.toISOString(), to: "now" };
    return {
      from: first.date.toISOString(),
      to: zoned(
        [first.day[0], first.day[1], first.day[2] + 1],
        zone,
      ).toISOString(),
    };
  }
  if (sides.length !== 2) return null;
  if (sides[1] === "now" || sides[1] === "现在")
    return { from: first.date.toISOString(), to: "now" };
  const second = instant(sides[1], zone, first.day);
  if (!second) return null;
  if (second.date <= first.date) return null;
  return { from: first.date.toISOString(), to: second.date.toISOString() };
}

/**
 * @param {string} text
 * @param {string} zone
 * @param {number[]} today
 */
function instant(text, zone, today) {
  const found =
    /^(?:(\d{4})-(\d{1,2})-(\d{1,2}))?(?:[t\s]*(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?(z)?)?$/.exec(
      text.trim(),
    );
  if (!found || !text.trim()) return null;
  const day = found[1]
    ? [Number(found[1]), Number(found[2]), Number(found[3])]
    : today;
  const [hour, minute, second] = [
    Number(found[4] ?? 0),
    Number(found[5] ?? 0),
    Number(found[6] ?? 0),
  ];
  if (
    day[1] < 1 ||
    day[1] > 12 ||
    day[2] < 1 ||
    day[2] > 31 ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    return null;
  return {
    date: zoned([...day, hour, minute, second], found[7] ? "UTC" : zone),
    day,
    hasTime: found[4] !== undefined,
  };
}

/** Steps between ticks in seconds, all of them read well. */
const steps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
  43200, 86400, 172800, 604800,
];

/**
 * Round instants in a range, aligned to the zone's clock.
 * @param {number} from seconds
 * @param {number} to seconds
 * @param {number} most at most so many
 * @param {string} zone
 */
export function ticks(from, to, most, zone) {
  const step =
    steps.find((s) => (to - from) / s <= most) ??
    Math.ceil((to - from) / most / 604800) * 604800;
  const shift = offset(from * 1000, zone) / 1000;
  const found = [];
  for (
    let at = Math.ceil((from + shift) / step) * step - shift;
    at <= to;
    at += step
  )
    found.push(at);
  return found;
}

/** @param {string} text such as "10s", "1m" @returns {number} ms, 0 for none */
export function interval(text) {
  const found = /^(\d+)([smhdw])$/.exec(text);
  return found
    ? Number(found[1]) *
        /** @type {Record<string, number>} */ (secondsOf)[found[2]] *
        1000
    : 0;
}
