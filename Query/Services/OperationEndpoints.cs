using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Services;

/// <param name="Others">The spans of operations beyond those that are told apart, together; null when there are none.</param>
internal sealed record OperationsAnswer(IReadOnlyList<OperationAnswer> Operations, RedMeasure? Others, ScanAnswer Scan);

/// <param name="Kind">server, client, …</param>
/// <param name="TotalNano">Time spent in the operation: count times mean duration.</param>
internal sealed record OperationAnswer(
    string Service, string Name, string Kind, long Count, double Rate, long Errors, double ErrorRate, long P50Nano, long P95Nano, long P99Nano, long TotalNano);

/// <summary><c>GET operations</c>: span names of one service or all, with their RED, the most time-consuming first.</summary>
internal static class OperationEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("operations", ListAsync).WithName("ListOperations").WithTags("Services").WithSummary("Span names with their rate, errors and durations").Produces<OperationsAnswer>();

    private static async Task<IResult> ListAsync(
        ISpanStore spans, QueryRunFactory runs, string? service, string? from, string? to, CancellationToken cancellationToken)
    {
        var range = TimeParameter.ReadWideRange(from, to, runs.NowUnixNano());
        var filter = string.IsNullOrEmpty(service) ? Filter.All : Filter.Equal(Field.ServiceName, AttributeValue.FromString(service));
        var run = runs.Begin();
        var kind = Field.Of(Intrinsic.Kind);
        var result = await spans.AggregateAsync(new AggregateQuery(filter, range, 0, [Field.ServiceName, Field.Of(Intrinsic.Name), kind]), run.Budget(), cancellationToken);
        run.Add(result.Scan);
        var seconds = RedMeasure.Seconds(range, runs.NowUnixNano());
        var operations = result.Groups.Where(group => !group.IsOverflow)
            .Select(group =>
            {
                var measure = RedMeasure.Of(group.Total, seconds);
                return new OperationAnswer(
                    group.Key[0]?.ToString() ?? "", group.Key[1]?.ToString() ?? "", FieldValue.Shown(kind, group.Key[2])?.ToString() ?? "unspecified",
                    measure.Count, measure.Rate, measure.Errors, measure.ErrorRate, measure.P50Nano, measure.P95Nano, measure.P99Nano, measure.TotalNano);
            })
            .OrderByDescending(operation => operation.TotalNano).ThenBy(operation => operation.Service, StringComparer.Ordinal).ThenBy(operation => operation.Name, StringComparer.Ordinal)
            .ToArray();
        return TypedResults.Json(new OperationsAnswer(operations, RedMeasure.OfOthers(result, seconds), ScanAnswer.From(run.Report)), AnswerJson.Default.OperationsAnswer);
    }
}
