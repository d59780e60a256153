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

/// <param name="Inside">Spans in the box.</param>
/// <param name="Outside">The other spans that match <c>q</c> in the range.</param>
/// <param name="Attributes">Largest difference first.</param>
internal sealed record CompareAnswer(long Inside, long Outside, IReadOnlyList<AttributeDifference> Attributes, ScanAnswer Scan);

/// <param name="Difference">0: the values are spread alike; 1: no value occurs on both sides.</param>
internal sealed record AttributeDifference(string Field, double Difference, IReadOnlyList<ValueShare> Values);

/// <summary>The share of the spans inside and outside that have the value, 0 to 1.</summary>
internal sealed record ValueShare(AttributeValue Value, double Inside, double Outside);

/// <summary><c>GET spans/compare</c>: the attributes in which a box on the heatmap differs most from the rest.</summary>
internal static class CompareEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("spans/compare", GetAsync).WithName("CompareSpans").WithTags("Spans").WithSummary("Ranks the attributes whose values differ most between a box and the rest").Produces<CompareAnswer>();

    private static async Task<IResult> GetAsync(
        ISpanStore spans, QueryRunFactory runs, string? q, string? box, string? from, string? to, string? boxFrom, string? boxTo, CancellationToken cancellationToken)
    {
        var now = runs.NowUnixNano();
        var filter = Parameter.Filter(q, Signal.Traces);
        var boxFilter = Parameter.Filter(box, Signal.Traces, "box");
        var range = TimeParameter.ReadRange(from, to, now);
        var boxStart = string.IsNullOrWhiteSpace(boxFrom) ? range.StartUnixNano : TimeParameter.Read(boxFrom, "boxFrom", now);
        var boxEnd = string.IsNullOrWhiteSpace(boxTo) ? range.EndUnixNano : TimeParameter.Read(boxTo, "boxTo", now);
        // The box is a part of the range: what lies outside of it cannot be compared with the rest.
        var boxRange = new TimeRange(Math.Max(boxStart, range.StartUnixNano), Math.Min(boxEnd, range.EndUnixNano));
        if (boxRange.IsEmpty)
        {
            throw new ParameterException("boxFrom", "the box does not overlap the range");
        }
        var run = runs.Begin();
        var all = await spans.GetFacetsAsync(new FacetQuery(filter, range, [], AttributeComparison.CountedValues), run.Budget(), cancellationToken);
        run.Add(all.Scan);
        var inside = await spans.GetFacetsAsync(
            new FacetQuery(Filter.And(filter, boxFilter), boxRange, [], AttributeComparison.CountedValues), run.Budget(), cancellationToken);
        run.Add(inside.Scan);
        var answer = new CompareAnswer(inside.Matched, Math.Max(0, all.Matched - inside.Matched), AttributeComparison.Rank(all, inside), ScanAnswer.From(run.Report));
        return TypedResults.Json(answer, AnswerJson.Default.CompareAnswer);
    }
}
