using System.Globalization;

namespace Apm.Web;

/// <summary>A number and its unit apart, so that the unit can be small and grey.</summary>
internal readonly record struct Quantity(string Value, string Unit)
{
    public override string ToString() => Unit.Length == 0 ? Value : $"{Value} {Unit}";
}

/// <summary>
/// Numbers, durations and times as the UI writes them. wwwroot/js/format.js does the same in the browser; tests/Web.Tests/Cases/format.json holds both to it.
/// Invariant everywhere: a digit group is a comma, a decimal a point.
/// </summary>
internal static class Format
{
    private const double Microsecond = 1e3, Millisecond = 1e6, Second = 1e9;

    /// <summary>What stands where there is no number.</summary>
    public const string None = "–";

    /// <summary>Three significant digits up to a minute ("5.28 s", "84 ms", "1.1 ms"), then "2 m 05 s", "3 h 12 m", "4 d 03 h".</summary>
    public static Quantity Duration(double? nano)
    {
        if (nano is not { } value || double.IsNaN(value))
            return new(None, "");
        var size = Math.Abs(value);
        if (size < Microsecond)
            return new(Fixed(value, 0), "ns");
        if (size < Microsecond * 999.5)
            return new(Scaled(value / Microsecond), "µs");
        if (size < Millisecond * 999.5)
            return new(Scaled(value / Millisecond), "ms");
        if (size < Second * 59.95)
            return new(Fixed(value / Second, size < Second * 9.995 ? 2 : 1), "s");
        var seconds = (long)Math.Round(size / Second, MidpointRounding.AwayFromZero);
        var sign = value < 0 ? "-" : "";
        return seconds switch
        {
            < 3600 => new($"{sign}{seconds / 60} m {seconds % 60:00} s", ""),
            < 86400 => new($"{sign}{seconds / 3600} h {seconds % 3600 / 60:00} m", ""),
            _ => new($"{sign}{seconds / 86400} d {seconds % 86400 / 3600:00} h", ""),
        };
    }

    /// <summary>Per second from 0.1 up, else per minute, else per hour.</summary>
    public static Quantity Rate(double? perSecond)
    {
        if (perSecond is not { } value || double.IsNaN(value))
            return new(None, "");
        return value switch
        {
            0 => new("0", "/s"),
            >= 0.1 => new(Short(value), "/s"),
            >= 0.1 / 60 => new(Short(value * 60), "/min"),
            _ => new(Short(value * 3600), "/h"),
        };
    }

    /// <summary>A share 0–1 in percent with one decimal; "&lt;0.1" for what is there but would be written as zero.</summary>
    public static Quantity Percent(double? share)
    {
        if (share is not { } value || double.IsNaN(value))
            return new(None, "");
        var percent = value * 100;
        if (percent is > 0 and < 0.05)
            return new("<0.1", "%");
        return new(Fixed(percent, percent >= 99.95 ? 0 : 1), "%");
    }

    /// <summary>Digits grouped: 69,469.</summary>
    public static string Integer(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>For axes and badges: 999, 1.2k, 34k, 5.6M.</summary>
    public static string Compact(double value)
    {
        var size = Math.Abs(value);
        return size switch
        {
            < 1000 => Short(value),
            < 999_500 => Scaled(value / 1e3) + "k",
            < 999_500_000 => Scaled(value / 1e6) + "M",
            _ => Scaled(value / 1e9) + "G",
        };
    }

    /// <summary>Binary multiples: 512 B, 1.5 KiB, 20 MiB.</summary>
    public static Quantity Bytes(double? bytes)
    {
        if (bytes is not { } value || double.IsNaN(value))
            return new(None, "");
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var unit = 0;
        while (Math.Abs(value) >= 1023.5 && unit < units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        return new(unit == 0 ? Fixed(value, 0) : Scaled(value), units[unit]);
    }

    /// <summary>Apdex, always with two decimals.</summary>
    public static string Apdex(double? value) => value is { } number && !double.IsNaN(number) ? Fixed(number, 2) : None;

    /// <summary>Signed with the typographic minus; "±0" for nothing.</summary>
    public static string Signed(string magnitude, double value) => value < 0 ? "−" + magnitude.TrimStart('-') : "+" + magnitude;

    /// <summary>Time of day, "03:12"; with seconds "03:12:04"; with milliseconds "03:12:04.871".</summary>
    public static string Time(long unixNano, TimeZoneInfo zone, TimePrecision precision = TimePrecision.Minutes) =>
        Local(unixNano, zone).ToString(precision switch
        {
            TimePrecision.Minutes => "HH:mm",
            TimePrecision.Seconds => "HH:mm:ss",
            _ => "HH:mm:ss.fff",
        }, CultureInfo.InvariantCulture);

    /// <summary>"2026-11-20 03:12:04".</summary>
    public static string DateTime(long unixNano, TimeZoneInfo zone) =>
        Local(unixNano, zone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static DateTimeOffset Local(long unixNano, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(DateTimeOffset.UnixEpoch.AddTicks(unixNano / 100), zone);

    /// <summary>One decimal below 10, none above: 1.1, 6.4, 18, 231.</summary>
    private static string Scaled(double value) => Fixed(value, Math.Abs(value) < 9.95 ? 1 : 0);

    /// <summary>Three significant digits at most: 12.4, 214, 1,284, 0.25.</summary>
    private static string Short(double value) => Math.Abs(value) switch
    {
        >= 99.95 => Fixed(value, 0),
        >= 9.995 => Fixed(value, 1).Replace(".0", "", StringComparison.Ordinal),
        _ => Trim(Fixed(value, 2)),
    };

    private static string Trim(string text) => text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;

    private static string Fixed(double value, int decimals) =>
        Math.Round(value, decimals, MidpointRounding.AwayFromZero).ToString("N" + decimals, CultureInfo.InvariantCulture);
}

internal enum TimePrecision
{
    Minutes,
    Seconds,
    Milliseconds,
}
