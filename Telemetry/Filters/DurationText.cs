using System.Globalization;
using System.Text;

namespace Apm.Telemetry.Filters;

/// <summary>Durations as Go and TraceQL write them: <c>1h30m</c>, <c>1.5s</c>, <c>100ms</c>, <c>10us</c>, <c>10µs</c>, <c>5ns</c>; also <c>2d</c> and <c>1w</c>.</summary>
public static class DurationText
{
    private static readonly (string Unit, long Nano)[] s_units =
    [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
    ];

    /// <returns>False when the text is no duration, or one of more than 64 bits of nanoseconds (292 years).</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out long nano)
    {
        nano = 0;
        var negative = text.StartsWith("-");
        if (negative)
        {
            text = text[1..];
        }
        if (text.IsEmpty || text.Length > 64)
        {
            return false;
        }
        decimal total = 0;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            {
                return false;
            }
            text = text[digits..];
            var length = text.IndexOfAny("0123456789.");
            var unit = UnitNano(length < 0 ? text : text[..length]);
            if (unit == 0 || number > long.MaxValue)
            {
                return false;
            }
            total += number * unit;
            if (total > long.MaxValue)
            {
                return false;
            }
            text = length < 0 ? default : text[length..];
        }
        nano = (long)decimal.Round(negative ? -total : total);
        return true;
    }

    /// <summary>The shortest exact text in one unit up to seconds: <c>1.5s</c>, <c>100ms</c>, <c>90s</c>.</summary>
    public static string Format(long nano)
    {
        var magnitude = Math.Abs((decimal)nano);
        var (unit, unitNano) = magnitude switch
        {
            0 => ("s", 1_000_000_000m),
            >= 1_000_000_000 => ("s", 1_000_000_000m),
            >= 1_000_000 => ("ms", 1_000_000m),
            >= 1_000 => ("us", 1_000m),
            _ => ("ns", 1m),
        };
        return new StringBuilder().Append(CultureInfo.InvariantCulture, $"{nano / unitNano:0.#########}{unit}").ToString();
    }

    private static long UnitNano(ReadOnlySpan<char> unit)
    {
        foreach (var (name, nano) in s_units)
        {
            if (unit.SequenceEqual(name))
            {
                return nano;
            }
        }
        return 0;
    }
}
