using System.Collections.Immutable;
using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Query.Services;

/// <summary><c>GET services</c>: the RED of every service and of the peers they call.</summary>
internal static class ServiceEndpoints
{
    /// <summary>A request is satisfying up to this, tolerable up to four times this.</summary>
    private const long ApdexThresholdNano = 500_000_000;

    /// <summary>Services told apart.</summary>
    private const int MaxServices = 1_000;

    /// <summary>Steps times services of one answer, beyond which fewer services are told apart: a few MB of JSON.</summary>
    private const int MaxPoints = 300_000;

    /// <summary>Combinations of service, version, language and instance that are told apart.</summary>
    private const int MaxIdentities = 5_000;

    /// <summary>Steps in which a version's first appearance is looked for.</summary>
    private const int VersionSteps = 60;

    private static readonly ImmutableArray<Field> s_environmentFields = [Field.ServiceName, Field.Attribute(FieldScope.Resource, "deployment.environment.name")];

    /// <summary>What counts as a request to a service: its server and consumer spans, and roots, which nobody called.</summary>
    internal static readonly Filter Requests = Filter.Or(
        Filter.Equal(Field.Of(Intrinsic.Kind), AttributeValue.FromInt64((long)SpanKind.Server)),
        Filter.Equal(Field.Of(Intrinsic.Kind), AttributeValue.FromInt64((long)SpanKind.Consumer)),
        Filter.Equal(Field.Of(Intrinsic.ParentSpanId), AttributeValue.FromString("")));

    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("services", ListAsync).WithName("ListServices").WithTags("Services").WithSummary("Rate, errors and durations of every service, and of the databases, queues and hosts they call")
            .Produces<ServicesAnswer>();

    private static async Task<IResult> ListAsync(
        ISpanStore spans, QueryRunFactory runs, string? from, string? to, string? step, CancellationToken cancellationToken)
    {
        var range = TimeParameter.ReadWideRange(from, to, runs.NowUnixNano());
        var stepNano = Parameter.StepOrNice(step, range);
        var maxServices = (int)Math.Clamp(MaxPoints / (long)((((Int128)range.EndUnixNano - range.StartUnixNano) / stepNano) + 2), 1, MaxServices);
        var run = runs.Begin();
        // Who calls whom takes about as long as all the rest.
        var edgesTask = spans.GetEdgesAsync(range, run.Budget(), cancellationToken);
        var redTask = RedAsync();
        await Task.WhenAll(edgesTask, redTask);
        var edges = await edgesTask;
        var (requests, identities, environments) = await redTask;
        run.Add(requests.Scan);
        run.Add(identities.Scan);
        run.Add(environments.Scan);
        run.Add(edges.Scan);

        var seconds = RedMeasure.Seconds(range, runs.NowUnixNano());
        var answer = new ServicesAnswer(
            Services(requests, identities, EnvironmentsByService(environments), seconds), RedMeasure.OfOthers(requests, seconds),
            identities.Groups.Concat(environments.Groups).Any(static group => group.IsOverflow), Peers(edges.Edges, seconds), edges.IsTruncated, ScanAnswer.From(run.Report));
        return TypedResults.Json(answer, AnswerJson.Default.ServicesAnswer);

        async Task<(AggregateResult Requests, AggregateResult Identities, AggregateResult Environments)> RedAsync() => (
            await spans.AggregateAsync(new AggregateQuery(Requests, range, stepNano, [Field.ServiceName], maxServices), run.Budget(), cancellationToken),
            await spans.AggregateAsync(
                new AggregateQuery(Filter.All, range, Parameter.NiceStep(range, VersionSteps), ServiceIdentity.Fields, MaxIdentities, WithDurations: false), run.Budget(), cancellationToken),
            await spans.AggregateAsync(
                new AggregateQuery(Filter.All, range, 0, s_environmentFields, MaxIdentities, WithDurations: false), run.Budget(), cancellationToken));
    }

    private static List<ServiceAnswer> Services(AggregateResult requests, AggregateResult identities, ILookup<string, string> environments, double seconds)
    {
        var known = ServiceIdentity.ByService(identities);
        var services = new List<ServiceAnswer>(requests.Groups.Count);
        foreach (var group in requests.Groups)
        {
            if (group.IsOverflow || group.Key[0] is not { } key)
            {
                continue;
            }
            known.Remove(key.ToString(), out var identity);
            services.Add(Service(key.ToString(), identity, [.. environments[key.ToString()]], group.Total, group.Buckets, requests, seconds));
        }
        // Services that only send spans of other kinds, such as the calls of a job whose root was sampled away.
        foreach (var (name, identity) in known)
        {
            services.Add(Service(name, identity, [.. environments[name]], new AggregateBucket(), new AggregateBucket?[requests.Steps], requests, seconds));
        }
        return services;
    }

    /// <summary>The environments of each service, in order. Services whose resources name none are absent.</summary>
    private static ILookup<string, string> EnvironmentsByService(AggregateResult result) => result.Groups
        .Where(group => !group.IsOverflow && group.Key[0] is not null && group.Key[1] is not null)
        .Select(group => (Service: group.Key[0]!.Value.ToString(), Environment: group.Key[1]!.Value.ToString()))
        .Distinct().OrderBy(pair => pair.Environment, StringComparer.Ordinal)
        .ToLookup(pair => pair.Service, pair => pair.Environment, StringComparer.Ordinal);

    private static ServiceAnswer Service(
        string name, ServiceIdentity? identity, string[] environments, AggregateBucket total, AggregateBucket?[] buckets, AggregateResult result, double seconds)
    {
        var measure = RedMeasure.Of(total, seconds);
        var series = new ServiceSeriesAnswer(
            new UnixNano(result.FirstStepUnixNano), result.StepNano,
            [.. buckets.Select(bucket => bucket?.Count ?? 0)], [.. buckets.Select(bucket => bucket?.Errors ?? 0)],
            [.. buckets.Select(bucket => bucket is { Count: > 0 } ? bucket.Durations?.QuantileNano(0.95) : null)]);
        return new ServiceAnswer(
            name, identity?.Language, identity?.Version, identity?.PreviousVersion,
            identity?.VersionChangedUnixNano is { } changed ? new UnixNano(changed) : null, identity?.Instances ?? 0, environments,
            measure.Rate, measure.ErrorRate, measure.P50Nano, measure.P95Nano, measure.P99Nano, Apdex(total.Durations), measure.Count, measure.Errors, series);
    }

    /// <summary>Satisfied and half of the tolerable requests as a share of all; buckets that hold a threshold are shared out evenly.</summary>
    internal static double? Apdex(DurationHistogram? durations)
    {
        if (durations is null || durations.Count == 0)
        {
            return null;
        }
        var satisfied = CountBelow(durations, ApdexThresholdNano);
        var tolerated = CountBelow(durations, 4 * ApdexThresholdNano) - satisfied;
        return Math.Round((satisfied + (tolerated / 2)) / durations.Count, 4);
    }

    internal static double CountBelow(DurationHistogram durations, long nano)
    {
        double below = 0;
        var counts = durations.Counts;
        var last = DurationHistogram.BucketOf(nano);
        for (var bucket = 0; bucket < Math.Min(last, counts.Length); bucket++)
        {
            below += counts[bucket];
        }
        if (last < counts.Length)
        {
            var low = DurationHistogram.LowerBoundNano(last);
            var high = DurationHistogram.LowerBoundNano(last + 1);
            below += counts[last] * ((double)(nano - low) / (high - low));
        }
        return below;
    }

    private static List<PeerAnswer> Peers(IReadOnlyList<Edge> edges, double seconds)
    {
        var peers = new List<PeerAnswer>();
        foreach (var group in edges.Where(edge => edge.Type != PeerType.Service).GroupBy(edge => (edge.Server, edge.Type, edge.System)))
        {
            var durations = new DurationHistogram();
            long calls = 0;
            long errors = 0;
            foreach (var edge in group)
            {
                durations.Add(edge.Durations);
                calls += edge.Calls;
                errors += edge.Errors;
            }
            var measure = RedMeasure.Of(calls, errors, durations, seconds);
            peers.Add(new PeerAnswer(
                group.Key.Server, DependencyEndpoints.TypeName(group.Key.Type), group.Key.System,
                [.. group.Select(edge => edge.Client).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)],
                measure.Rate, measure.ErrorRate, calls, errors, measure.P50Nano, measure.P95Nano, measure.P99Nano,
                group.MaxBy(edge => edge.Calls)!.Operation));
        }
        peers.Sort((left, right) => right.Count.CompareTo(left.Count));
        return peers;
    }
}
