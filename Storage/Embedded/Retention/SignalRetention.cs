namespace Apm.Storage.Embedded.Retention;

/// <summary>How long rows of one signal are kept, by their time. Null is for ever. Immutable.</summary>
/// <param name="Default">Of services that are not named.</param>
/// <param name="Services">By <c>service.name</c>, without regard to case, as keys of settings are.</param>
public sealed record SignalRetention(TimeSpan? Default, IReadOnlyDictionary<string, TimeSpan?> Services)
{
    /// <summary>Nothing is dropped by age.</summary>
    public static SignalRetention Forever { get; } = new(null, new Dictionary<string, TimeSpan?>());

    /// <summary>No row is kept longer, whatever its service.</summary>
    public TimeSpan? Longest { get; } = Services.Values.Append(Default).Any(static time => time is null) ? null : Services.Values.Append(Default).Max();

    /// <summary>Every row is kept at least this long.</summary>
    public TimeSpan? Shortest { get; } = Services.Values.Append(Default).Min();

    public TimeSpan? Of(string service) => Services.TryGetValue(service, out var time) ? time : Default;

    /// <summary>When a row or part of this time has been kept for so long, in nanoseconds since the Unix epoch; <see cref="long.MaxValue"/>: never.</summary>
    public static long EndUnixNano(long unixNano, TimeSpan? retention) =>
        retention is { } time && unixNano <= long.MaxValue - (time.Ticks * TimeSpan.NanosecondsPerTick) ? unixNano + (time.Ticks * TimeSpan.NanosecondsPerTick) : long.MaxValue;
}
