using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Spans;

internal sealed record RedAnswer(UnixNano StartUnixNano, long StepNano, int Steps, IReadOnlyList<RedGroupAnswer> Groups, ScanAnswer Scan) : IHeldAnswer
{
    long IHeldAnswer.HeldBytes => Groups.Count * (256L + (Groups.Any(static group => group.Series is not null) ? Steps * 64L : 0));
}

/// <param name="Key">One value for each <c>by</c>; null where the spans lack it.</param>
/// <param name="Overflow">Everything beyond the groups that are told apart.</param>
/// <param name="Series">Null without a step.</param>
internal sealed record RedGroupAnswer(
    IReadOnlyList<AttributeValue?> Key, bool Overflow, long Count, long Errors, double Rate, double ErrorRate,
    long P50Nano, long P95Nano, long P99Nano, long TotalNano, RedSeriesAnswer? Series);

internal sealed record RedSeriesAnswer(long[] Count, long[] Errors, long?[] P50Nano, long?[] P95Nano, long?[] P99Nano);

/// <summary><c>GET spans/red</c>: rate, errors and durations of the spans that match, over time and by group.</summary>
internal static class RedEndpoints
{
    /// <summary>Groups told apart without steps; with steps the answer is bounded by <see cref="MaxPoints"/>.</summary>
    private const int MaxGroups = 1_000;

    /// <summary>Steps times groups of one answer: five numbers each, a few MB of JSON.</summary>
    private const int MaxPoints = 200_000;

    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("spans/red", GetAsync).WithName("GetSpanRed").WithTags("Spans").WithSummary("Rate, errors and durations of the spans that match, over time and by group").Produces<RedAnswer>();

    private static async Task<IResult> GetAsync(
        ISpanStore spans, QueryRunFactory runs, string? q, string? from, string? to, string? step, string[]? by, CancellationToken cancellationToken)
    {
        var filter = Parameter.Filter(q, Signal.Traces);
        var range = TimeParameter.ReadRange(from, to, runs.NowUnixNano());
        var stepNano = Parameter.Step(step, range);
        range = stepNano is { } steps ? TimeParameter.Widen(range, steps) : range;
        var fields = Parameter.Fields(by, Signal.Traces, "by", Parameter.MaxGroupFields);
        var groups = stepNano is { } width ? (int)Math.Clamp(MaxPoints / (long)(((Int128)range.EndUnixNano - range.StartUnixNano) / width + 2), 1, MaxGroups) : MaxGroups;
        var run = runs.Begin();
        var result = await spans.AggregateAsync(new AggregateQuery(filter, range, stepNano ?? 0, fields, groups), run.Budget(), cancellationToken);
        run.Add(result.Scan);
        var seconds = RedMeasure.Seconds(range, runs.NowUnixNano());
        var answer = new RedAnswer(
            new UnixNano(stepNano is null ? range.StartUnixNano : result.FirstStepUnixNano), result.StepNano, result.Steps,
            [.. result.Groups.Select(group => Group(group, fields, stepNano is not null, seconds))], ScanAnswer.From(run.Report));
        return TypedResults.Json(answer, AnswerJson.Default.RedAnswer);
    }

    private static RedGroupAnswer Group(AggregateGroup group, IReadOnlyList<Telemetry.Filters.Field> fields, bool withSeries, double seconds)
    {
        var measure = RedMeasure.Of(group.Total, seconds);
        return new RedGroupAnswer(
            [.. group.Key.Select((value, i) => FieldValue.Shown(fields[i], value))], group.IsOverflow,
            measure.Count, measure.Errors, measure.Rate, measure.ErrorRate, measure.P50Nano, measure.P95Nano, measure.P99Nano, measure.TotalNano,
            withSeries ? Series(group.Buckets) : null);
    }

    private static RedSeriesAnswer Series(AggregateBucket?[] buckets) => new(
        [.. buckets.Select(bucket => bucket?.Count ?? 0)], [.. buckets.Select(bucket => bucket?.Errors ?? 0)],
        Quantiles(buckets, 0.5), Quantiles(buckets, 0.95), Quantiles(buckets, 0.99));

    private static long?[] Quantiles(AggregateBucket?[] buckets, double quantile) =>
        [.. buckets.Select(bucket => bucket is { Count: > 0 } ? bucket.Durations?.QuantileNano(quantile) : null)];
}
