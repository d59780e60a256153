using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Apm.Web;

/// <summary>The times of a URL, as the API reads them: RFC 3339, a Unix number (s, ms, µs or ns by magnitude), <c>now</c>, <c>now-30m</c> (s m h d w).</summary>
internal static class TimeExpression
{
    private const string Now = "now";

    /// <summary>Whether the text moves with the clock.</summary>
    public static bool IsRelative(string text) => text.StartsWith(Now, StringComparison.Ordinal);

    public static bool TryParse(string text, DateTimeOffset now, out long unixNano)
    {
        unixNano = 0;
        if (IsRelative(text))
        {
            if (!TryParseOffset(text.AsSpan(Now.Length), out var offset))
                return false;
            unixNano = ToUnixNano(now + offset);
            return true;
        }
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return TryScale(number, out unixNano);
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            return false;
        unixNano = ToUnixNano(time);
        return true;
    }

    public static long ToUnixNano(DateTimeOffset time) => (time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) * 100;

    /// <summary>RFC 3339 to the millisecond, for frozen links.</summary>
    public static string ToText(long unixNano) =>
        DateTimeOffset.UnixEpoch.AddTicks(unixNano / 100).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>"now-45m" to ("45", "m"): for the label of the range.</summary>
    public static bool TrySplit(string text, [NotNullWhen(true)] out string? amount, out char unit)
    {
        amount = null;
        unit = default;
        if (text.Length < 6 || !text.StartsWith("now-", StringComparison.Ordinal) || !TryParseOffset(text.AsSpan(3), out _))
            return false;
        amount = text[4..^1];
        unit = text[^1];
        return true;
    }

    private static bool TryParseOffset(ReadOnlySpan<char> text, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (text.IsEmpty)
            return true;
        if (text.Length < 3 || text[0] is not ('-' or '+')
            || !int.TryParse(text[1..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var amount))
            return false;
        double seconds = text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86400, 'w' => 604800, _ => 0 };
        // A century is far beyond any retention and keeps the arithmetic within its types.
        if (seconds == 0 || amount * seconds > 3.2e9)
            return false;
        offset = TimeSpan.FromSeconds(text[0] == '-' ? -amount * seconds : amount * seconds);
        return true;
    }

    private static bool TryScale(long number, out long unixNano)
    {
        long factor = number switch
        {
            < 100_000_000_000 => 1_000_000_000,
            < 100_000_000_000_000 => 1_000_000,
            < 100_000_000_000_000_000 => 1_000,
            _ => 1,
        };
        unixNano = unchecked(number * factor);
        return number <= long.MaxValue / factor;
    }
}
