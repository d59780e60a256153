using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Services;

/// <param name="Truncated">There are more edges than are told apart: those beyond are missing.</param>
internal sealed record DependenciesAnswer(IReadOnlyList<EdgeAnswer> Edges, bool Truncated, ScanAnswer Scan);

/// <param name="Type">service, database, queue or external: what <paramref name="Server"/> is.</param>
/// <param name="Operation">The most frequent name of the calling span.</param>
/// <param name="Rate">Calls per second over the whole range.</param>
/// <param name="ErrorRate">0 to 1.</param>
internal sealed record EdgeAnswer(
    string Client, string Server, string Type, string System, string Operation, long Calls, long Errors, double Rate, double ErrorRate,
    long P50Nano, long P95Nano, long P99Nano)
{
    public static EdgeAnswer Of(Edge edge, double seconds)
    {
        var measure = RedMeasure.Of(edge.Calls, edge.Errors, edge.Durations, seconds);
        return new EdgeAnswer(
            edge.Client, edge.Server, DependencyEndpoints.TypeName(edge.Type), edge.System, edge.Operation, edge.Calls, edge.Errors,
            measure.Rate, measure.ErrorRate, measure.P50Nano, measure.P95Nano, measure.P99Nano);
    }
}

/// <summary><c>GET dependencies</c>: who calls whom.</summary>
internal static class DependencyEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("dependencies", ListAsync).WithName("ListDependencies").WithTags("Services").WithSummary("Calls between services, and from services to databases, queues and hosts").Produces<DependenciesAnswer>();

    public static string TypeName(PeerType type) => type switch
    {
        PeerType.Service => "service",
        PeerType.Database => "database",
        PeerType.Queue => "queue",
        _ => "external",
    };

    private static async Task<IResult> ListAsync(
        ISpanStore spans, QueryRunFactory runs, string? service, string? from, string? to, CancellationToken cancellationToken)
    {
        var range = TimeParameter.ReadWideRange(from, to, runs.NowUnixNano());
        var run = runs.Begin();
        var result = await spans.GetEdgesAsync(range, run.Budget(), cancellationToken);
        run.Add(result.Scan);
        var seconds = RedMeasure.Seconds(range, runs.NowUnixNano());
        var edges = result.Edges
            .Where(edge => string.IsNullOrEmpty(service) || edge.Client == service || edge.Server == service)
            .Select(edge => EdgeAnswer.Of(edge, seconds))
            .OrderByDescending(edge => edge.Calls).ThenBy(edge => edge.Client, StringComparer.Ordinal).ThenBy(edge => edge.Server, StringComparer.Ordinal)
            .ToArray();
        return TypedResults.Json(new DependenciesAnswer(edges, result.IsTruncated, ScanAnswer.From(run.Report)), AnswerJson.Default.DependenciesAnswer);
    }
}
