using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Spans;

/// <param name="Rows">Slowest first.</param>
internal sealed record HeatmapAnswer(UnixNano StartUnixNano, long StepNano, int Steps, IReadOnlyList<HeatmapRowAnswer> Rows, ScanAnswer Scan) : IHeldAnswer
{
    long IHeldAnswer.HeldBytes => Rows.Count * (64L + (Steps * 16L));
}

/// <summary>Spans that took from <paramref name="FromNano"/> (inclusive) to <paramref name="ToNano"/> (exclusive), for each step.</summary>
internal sealed record HeatmapRowAnswer(long FromNano, long ToNano, long[] Count, long[] Errors);

/// <summary><c>GET spans/heatmap</c>: how many spans of which duration at which time.</summary>
internal static class HeatmapEndpoints
{
    /// <summary>Rows aimed at: about as many as can be told apart in a strip above a list.</summary>
    private const int MaxRows = 22;

    /// <summary>Columns when the client names no step.</summary>
    private const int DefaultSteps = 120;

    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("spans/heatmap", GetAsync).WithName("GetSpanHeatmap").WithTags("Spans").WithSummary("Counts and errors of the spans that match, by duration and time").Produces<HeatmapAnswer>();

    private static async Task<IResult> GetAsync(
        ISpanStore spans, QueryRunFactory runs, string? q, string? from, string? to, string? step, CancellationToken cancellationToken)
    {
        var filter = Parameter.Filter(q, Signal.Traces);
        var range = TimeParameter.ReadRange(from, to, runs.NowUnixNano());
        var stepNano = Parameter.StepOrNice(step, range, DefaultSteps);
        var run = runs.Begin();
        var all = await spans.AggregateAsync(new AggregateQuery(filter, range, stepNano, []), run.Budget(), cancellationToken);
        run.Add(all.Scan);
        var failed = Filter.And(filter, Filter.Equal(Field.Of(Intrinsic.Status), AttributeValue.FromInt64((long)StatusCode.Error)));
        var errors = await spans.AggregateAsync(new AggregateQuery(failed, range, stepNano, []), run.Budget(), cancellationToken);
        run.Add(errors.Scan);
        var answer = new HeatmapAnswer(new UnixNano(all.FirstStepUnixNano), all.StepNano, all.Steps, Rows(all, errors), ScanAnswer.From(run.Report));
        return TypedResults.Json(answer, AnswerJson.Default.HeatmapAnswer);
    }

    /// <summary>Merges neighbouring duration buckets until at most <see cref="MaxRows"/> cover what there is.</summary>
    internal static HeatmapRowAnswer[] Rows(AggregateResult all, AggregateResult errors)
    {
        var total = all.Groups.Count > 0 ? all.Groups[0].Total.Durations : null;
        if (total is null || total.Count == 0)
        {
            return [];
        }
        var first = total.Counts.IndexOfAnyExcept(0);
        var last = total.Counts.LastIndexOfAnyExcept(0);
        var merged = (last - first + MaxRows) / MaxRows;
        var rows = new HeatmapRowAnswer[(last - first + merged) / merged];
        for (var i = 0; i < rows.Length; i++)
        {
            var bucket = first + ((rows.Length - 1 - i) * merged);
            rows[i] = new HeatmapRowAnswer(
                DurationHistogram.LowerBoundNano(bucket), DurationHistogram.LowerBoundNano(bucket + merged), Cells(all, bucket, merged), Cells(errors, bucket, merged, all));
        }
        return rows;
    }

    /// <param name="grid">Whose steps the cells have, when it is not <paramref name="result"/>: an empty result has no group, and searches a moment apart the same steps.</param>
    private static long[] Cells(AggregateResult result, int bucket, int merged, AggregateResult? grid = null)
    {
        var steps = (grid ?? result).Steps;
        var cells = new long[steps];
        if (result.Groups.Count == 0)
        {
            return cells;
        }
        var buckets = result.Groups[0].Buckets;
        for (var step = 0; step < Math.Min(steps, buckets.Length); step++)
        {
            if (buckets[step]?.Durations is { } durations)
            {
                var counts = durations.Counts;
                for (var i = bucket; i < Math.Min(bucket + merged, counts.Length); i++)
                {
                    cells[step] += counts[i];
                }
            }
        }
        return cells;
    }
}
