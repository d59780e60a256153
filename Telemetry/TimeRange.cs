namespace Apm.Telemetry;

/// <summary>A half-open range of time in nanoseconds since the Unix epoch, UTC: start inclusive, end exclusive.</summary>
public readonly record struct TimeRange(long StartUnixNano, long EndUnixNano)
{
    public static readonly TimeRange All = new(long.MinValue, long.MaxValue);

    public bool IsEmpty => EndUnixNano <= StartUnixNano;

    public bool Contains(long unixNano) => unixNano >= StartUnixNano && unixNano < EndUnixNano;

    /// <param name="firstUnixNano">Earliest time in the other set, inclusive.</param>
    /// <param name="lastUnixNano">Latest time in the other set, inclusive.</param>
    public bool Overlaps(long firstUnixNano, long lastUnixNano) => lastUnixNano >= StartUnixNano && firstUnixNano < EndUnixNano;
}
