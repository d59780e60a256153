using System.Globalization;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Query.Api;

/// <summary>Times and ranges as requests write them: RFC 3339, a Unix time in s, ms, µs or ns, <c>now</c>, <c>now-30m</c>.</summary>
internal static class TimeParameter
{
    private const string Expected = "expected RFC 3339 (2026-01-31T12:00:00Z), a Unix time in s, ms, µs or ns, now, or now-30m (units s m h d w)";
    private const long NanoPerSecond = 1_000_000_000;

    /// <summary>The range of a request without <c>from</c>.</summary>
    private const long DefaultRangeNano = 3_600 * NanoPerSecond;

    /// <summary>A number below it is seconds: the year 5138.</summary>
    private const decimal MaxSeconds = 1e11m;

    /// <summary>From how long on a range is read in whole units, and in which: the widths of rollups. The difference is at most a sixtieth at each end.</summary>
    private static readonly (long RangeNano, long UnitNano)[] s_units = [(6 * 3_600 * NanoPerSecond, 600 * NanoPerSecond), (3_600 * NanoPerSecond, 60 * NanoPerSecond)];

    public static TimeRange ReadRange(string? from, string? to, long nowUnixNano, string fromName = "from", string toName = "to")
    {
        var end = string.IsNullOrWhiteSpace(to) ? nowUnixNano : Read(to, toName, nowUnixNano);
        var start = string.IsNullOrWhiteSpace(from) ? end - DefaultRangeNano : Read(from, fromName, nowUnixNano);
        return start < end ? new TimeRange(start, end) : throw new ParameterException(fromName, $"is not before '{toName}'");
    }

    /// <summary>As <see cref="ReadRange"/>, and <see cref="Widen"/>.</summary>
    public static TimeRange ReadWideRange(string? from, string? to, long nowUnixNano) => Widen(ReadRange(from, to, nowUnixNano), 0);

    /// <summary>
    /// A range of an hour or more begins and ends at whole minutes, one of 6 hours or more at whole 10 minutes, up to that much earlier and later, where its steps are
    /// multiples of them: so it is answered from what was added up beforehand, and never from the rows of the minute that is running.
    /// </summary>
    public static TimeRange Widen(TimeRange range, long stepNano)
    {
        foreach (var (rangeNano, unitNano) in s_units)
        {
            if ((Int128)range.EndUnixNano - range.StartUnixNano >= rangeNano && stepNano % unitNano == 0 && range.StartUnixNano >= 0 && range.EndUnixNano <= long.MaxValue - unitNano)
            {
                return new TimeRange(range.StartUnixNano / unitNano * unitNano, (range.EndUnixNano + unitNano - 1) / unitNano * unitNano);
            }
        }
        return range;
    }

    public static long Read(string text, string parameter, long nowUnixNano)
    {
        text = text.Trim();
        if (text.StartsWith("now", StringComparison.OrdinalIgnoreCase))
        {
            return ReadRelative(text, parameter, nowUnixNano);
        }
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            var nano = number < MaxSeconds ? number * NanoPerSecond : number < MaxSeconds * 1_000 ? number * 1_000_000 : number < MaxSeconds * 1_000_000 ? number * 1_000 : number;
            return nano <= long.MaxValue ? (long)nano : throw Wrong(parameter, text);
        }
        return TryReadRfc3339(text, out var unixNano) ? unixNano : throw Wrong(parameter, text);
    }

    private static long ReadRelative(string text, string parameter, long nowUnixNano)
    {
        if (text.Length == 3)
        {
            return nowUnixNano;
        }
        var sign = text[3] switch { '-' => -1, '+' or ' ' => 1, _ => 0 };
        if (sign == 0 || !DurationText.TryParse(text.AsSpan(4).Trim(), out var nano) || nano < 0 || nano > nowUnixNano)
        {
            throw Wrong(parameter, text);
        }
        return nowUnixNano + (sign * nano);
    }

    private static bool TryReadRfc3339(string text, out long unixNano)
    {
        unixNano = 0;
        var point = text.IndexOf('.', StringComparison.Ordinal);
        long fractionNano = 0;
        if (point >= 0)
        {
            var end = point + 1;
            while (end < text.Length && char.IsAsciiDigit(text[end]))
            {
                end++;
            }
            var digits = text.AsSpan(point + 1, Math.Min(end - point - 1, 9)).ToString().PadRight(9, '0');
            if (end == point + 1 || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out fractionNano))
            {
                return false;
            }
            text = string.Concat(text.AsSpan(0, point), text.AsSpan(end));
        }
        string[] formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd' 'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];
        if (!DateTimeOffset.TryParseExact(text, formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            || time.Year is < 1970 or > 2260)
        {
            return false;
        }
        unixNano = ((time - DateTimeOffset.UnixEpoch).Ticks * 100) + fractionNano;
        return true;
    }

    private static ParameterException Wrong(string parameter, string text) => new(parameter, $"'{FieldShown(text)}' is no time; {Expected}");

    private static string FieldShown(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "…");
}
