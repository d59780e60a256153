using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Apm.Storage.Embedded.Retention;

/// <summary>What is dropped when; section <c>Retention</c>. Immutable.</summary>
/// <param name="DiskBudgetBytes">Bytes of all parts beyond which the oldest are dropped; null: no bound.</param>
public sealed record RetentionOptions(SignalRetention Spans, SignalRetention Logs, long? DiskBudgetBytes)
{
    public const string Section = "Retention";

    /// <summary>Kept where no setting says otherwise: a week and what led to it.</summary>
    public static readonly TimeSpan DefaultRetention = TimeSpan.FromDays(7);

    /// <summary>Shorter would drop rows that are still on their way.</summary>
    public static readonly TimeSpan MinRetention = TimeSpan.FromMinutes(1);

    /// <summary>A century: longer is "forever".</summary>
    public static readonly TimeSpan MaxRetention = TimeSpan.FromDays(36_500);

    /// <summary>Some seals' worth: with less, rows would be gone as soon as they are on the disk.</summary>
    public const long MinDiskBudgetBytes = 100_000_000;

    private const string Forever = "forever";

    private static readonly string[] s_names = [nameof(Spans), nameof(Logs), "DiskBudget"];

    private static readonly string[] s_signalNames = ["Default", "Services"];

    private static readonly (string Suffix, long Bytes)[] s_units =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)];

    /// <summary>Drops nothing.</summary>
    public static RetentionOptions KeepAll { get; } = new(SignalRetention.Forever, SignalRetention.Forever, null);

    /// <summary>Keys of the section, and of each signal's section in it, for who looks for unknown ones.</summary>
    public static IReadOnlyList<string> Names => s_names;

    public static IReadOnlyList<string> SignalNames => s_signalNames;

    /// <summary>Reads the section; what is absent or wrong has its default.</summary>
    /// <param name="wrong">Told of each value that is wrong, with its key and what would be right. Unknown keys are left to the caller.</param>
    public static RetentionOptions Read(IConfiguration configuration, Action<string> wrong)
    {
        var section = configuration.GetSection(Section);
        return new RetentionOptions(ReadSignal(section.GetSection(nameof(Spans)), wrong), ReadSignal(section.GetSection(nameof(Logs)), wrong), ReadBudget(section.GetSection("DiskBudget"), wrong));
    }

    private static SignalRetention ReadSignal(IConfigurationSection section, Action<string> wrong)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            wrong($"{section.Path}: '{section.Value}' must be given as {section.Path}:Default, or {section.Path}:Services:SERVICE for one service.");
        }
        var services = new Dictionary<string, TimeSpan?>(StringComparer.OrdinalIgnoreCase);
        var named = section.GetSection("Services");
        // A service's name may have a colon, which divides sections.
        foreach (var (service, value) in named.AsEnumerable(makePathsRelative: true))
        {
            if (service.Length > 0 && value is not null)
            {
                services[service] = ReadTime($"{named.Path}:{service}", value, wrong);
            }
        }
        var own = section.GetSection("Default");
        return new SignalRetention(own.Exists() ? ReadTime(own.Path, own.Value, wrong) : DefaultRetention, services);
    }

    private static TimeSpan? ReadTime(string key, string? text, Action<string> wrong)
    {
        if (string.Equals(text, Forever, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        var unit = text is { Length: > 1 } ? text[^1] switch { 'd' => TimeSpan.FromDays(1), 'h' => TimeSpan.FromHours(1), 'm' => TimeSpan.FromMinutes(1), _ => TimeSpan.Zero } : TimeSpan.Zero;
        if (unit > TimeSpan.Zero && long.TryParse(text.AsSpan(0, text!.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= MinRetention / unit && number <= MaxRetention / unit)
        {
            return unit * number;
        }
        wrong($"{key}: '{text}' must be a whole number of days, hours or minutes such as 7d, 36h or 90m, from 1m to {MaxRetention.Days}d, or {Forever}.");
        return DefaultRetention;
    }

    private static long? ReadBudget(IConfigurationSection section, Action<string> wrong)
    {
        if (!section.Exists())
        {
            return null;
        }
        var text = section.Value ?? "";
        foreach (var (suffix, bytes) in s_units)
        {
            if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
                && decimal.TryParse(text.AsSpan(0, text.Length - suffix.Length).Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                && number <= 1_000_000 && number * bytes is >= MinDiskBudgetBytes and var budget && budget <= long.MaxValue)
            {
                return (long)budget;
            }
        }
        wrong($"{section.Path}: '{text}' must be a size such as 50GB, 500MB or 1.5TiB, at least 100MB; leave it out for no bound.");
        return null;
    }
}
