using Apm.Storage;

namespace Apm.Query.Json;

/// <summary>Rate, errors and durations of a group, from its bucket.</summary>
/// <param name="Rate">Per second over the whole range.</param>
/// <param name="ErrorRate">0 to 1.</param>
internal readonly record struct RedMeasure(long Count, long Errors, double Rate, double ErrorRate, long P50Nano, long P95Nano, long P99Nano, long TotalNano)
{
    public static RedMeasure Of(long count, long errors, DurationHistogram? durations, double seconds) => new(
        count, errors, seconds > 0 ? Math.Round(count / seconds, 6) : 0, count > 0 ? Math.Round((double)errors / count, 6) : 0,
        durations?.QuantileNano(0.5) ?? 0, durations?.QuantileNano(0.95) ?? 0, durations?.QuantileNano(0.99) ?? 0, durations?.SumNano ?? 0);

    public static RedMeasure Of(AggregateBucket bucket, double seconds) => Of(bucket.Count, bucket.Errors, bucket.Durations, seconds);

    /// <summary>Of everything beyond the groups that are told apart; null when there is nothing.</summary>
    public static RedMeasure? OfOthers(AggregateResult result, double seconds) =>
        result.Groups.FirstOrDefault(static group => group.IsOverflow) is { } others ? Of(others.Total, seconds) : null;

    /// <summary>What a rate is over: the range, without what of it is still to come.</summary>
    public static double Seconds(Telemetry.TimeRange range, long nowUnixNano)
    {
        var end = nowUnixNano > range.StartUnixNano ? Math.Min(range.EndUnixNano, nowUnixNano) : range.EndUnixNano;
        return (double)((Int128)end - range.StartUnixNano) / 1e9;
    }
}
