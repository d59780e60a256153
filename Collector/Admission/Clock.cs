namespace Apm.Collector.Admission;

internal static class Clock
{
    /// <summary>Now, in nanoseconds since the Unix epoch.</summary>
    public static long UnixNano(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
}
