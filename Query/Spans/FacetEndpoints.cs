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

internal sealed record FacetsAnswer(long Matched, IReadOnlyList<FacetAnswer> Facets, ScanAnswer Scan)
{
    public static FacetsAnswer From(FacetResult result, Signal signal) => new(
        result.Matched,
        [.. result.Facets.Select(facet => new FacetAnswer(
            FieldFormatter.Format(facet.Field, signal), facet.Present, facet.Distinct, facet.Truncated,
            [.. facet.Values.GroupBy(value => FieldValue.Shown(facet.Field, value.Value)) // the four numbers of a severity share a word
                .Select(values => new FacetValueAnswer(values.Key, values.Sum(value => value.Count), values.Sum(value => value.Errors)))
                .OrderByDescending(value => value.Count)]))],
        ScanAnswer.From(result.Scan));
}

/// <param name="Present">Matching records that have the field.</param>
/// <param name="Distinct">Distinct values seen.</param>
/// <param name="Truncated">There are more distinct values than were counted.</param>
internal sealed record FacetAnswer(string Field, long Present, int Distinct, bool Truncated, IReadOnlyList<FacetValueAnswer> Values);

internal sealed record FacetValueAnswer(AttributeValue Value, long Count, long Errors);

/// <summary><c>GET spans/facets</c>: the most frequent values of attributes among the spans that match.</summary>
internal static class FacetEndpoints
{
    private const int DefaultValues = 10;

    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("spans/facets", GetAsync).WithName("GetSpanFacets").WithTags("Spans").WithSummary("The most frequent values of attributes among the spans that match").Produces<FacetsAnswer>();

    private static async Task<IResult> GetAsync(
        ISpanStore spans, QueryRunFactory runs, string? q, string? from, string? to, string[]? field, string? limit, CancellationToken cancellationToken)
    {
        var query = new FacetQuery(
            Parameter.Filter(q, Signal.Traces), TimeParameter.ReadRange(from, to, runs.NowUnixNano()),
            Parameter.Fields(field, Signal.Traces, "field", Parameter.MaxFacetFields), Parameter.Limit(limit, DefaultValues));
        var result = await spans.GetFacetsAsync(query, runs.Begin().Budget(), cancellationToken);
        return TypedResults.Json(FacetsAnswer.From(result, Signal.Traces), AnswerJson.Default.FacetsAnswer);
    }
}
