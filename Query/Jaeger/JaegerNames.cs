using Apm.Query.Api;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Jaeger;

/// <summary>Services and operations, which Jaeger asks for without a time.</summary>
internal static class JaegerNames
{
    /// <summary>In place of the name of what is beyond the operations and services that are told apart, as it counts together.</summary>
    public const string Others = "(others)";

    /// <summary>How far back names are looked for: a service that sent nothing for a week is gone.</summary>
    private const long LookbackNano = 7L * 86_400 * 1_000_000_000;

    /// <summary>Clocks of senders may be ahead.</summary>
    private const long AheadNano = 3_600L * 1_000_000_000;

    private const int MaxServices = 10_000;
    private const int MaxOperations = 10_000;

    public static async Task<List<string>> ServicesAsync(ISpanStore spans, QueryRunFactory runs, CancellationToken cancellationToken)
    {
        var query = new AggregateQuery(Filter.All, Range(runs), 0, [Field.ServiceName], MaxServices, WithDurations: false);
        var result = await spans.AggregateAsync(query, runs.Begin().Budget(), cancellationToken);
        return [.. result.Groups.Where(group => !group.IsOverflow).Select(group => group.Key[0]?.ToString() ?? JaegerSearch.MissingServiceName).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <param name="kind">Null: every kind.</param>
    public static async Task<List<(string Name, SpanKind Kind)>> OperationsAsync(ISpanStore spans, QueryRunFactory runs, string service, SpanKind? kind, CancellationToken cancellationToken)
    {
        var filter = Filter.And(JaegerSearch.Service(service), kind is { } wanted ? JaegerSearch.Kind(wanted) : Filter.All);
        var query = new AggregateQuery(filter, Range(runs), 0, [Field.Of(Intrinsic.Name), Field.Of(Intrinsic.Kind)], MaxOperations, WithDurations: false);
        var result = await spans.AggregateAsync(query, runs.Begin().Budget(), cancellationToken);
        return [.. result.Groups.Where(group => !group.IsOverflow)
            .Select(group => (Name: group.Key[0]?.ToString() ?? "", Kind: (SpanKind)(group.Key[1]?.AsInt64() ?? 0)))
            .OrderBy(operation => operation.Name, StringComparer.Ordinal).ThenBy(operation => operation.Kind)];
    }

    private static TimeRange Range(QueryRunFactory runs) => new(runs.NowUnixNano() - LookbackNano, runs.NowUnixNano() + AheadNano);
}
