namespace Apm.Bench;

/// <summary>When the telemetry that is sent happened: now, or spread evenly over a time up to now, so that what looks at a day has a day to look at.</summary>
internal sealed class Timeline
{
    private readonly ulong _stepNano;
    private readonly DateTimeOffset _started = DateTimeOffset.UtcNow;

    /// <param name="spread">Zero: each request happens when it is sent.</param>
    /// <param name="requests">Requests that cover the spread.</param>
    public Timeline(TimeSpan spread, long requests)
    {
        StartUnixNano = UnixNano(_started - spread);
        _stepNano = spread == TimeSpan.Zero ? 0 : (ulong)(spread.Ticks * 100L / Math.Max(1, requests));
    }

    public ulong StartUnixNano { get; }

    /// <summary>The time of a request's first item.</summary>
    /// <param name="number">Requests before it.</param>
    /// <param name="durationNano">How long the request's items took.</param>
    public ulong Next(long number, ulong durationNano) => (_stepNano == 0 ? UnixNano(DateTimeOffset.UtcNow) : StartUnixNano + (_stepNano * (ulong)number)) - durationNano;

    private static ulong UnixNano(DateTimeOffset time) => (ulong)(time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
