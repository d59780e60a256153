namespace Apm.Web.Api;

/// <summary>GET services.</summary>
internal sealed record ServiceList(ServiceSummary[] Services, PeerSummary[] Peers, ScanInfo? Scan)
{
    /// <summary>Requests to services beyond those that are told apart.</summary>
    public OtherSpans? Others { get; init; }

    /// <summary>There are more versions, instances or environments than are told apart.</summary>
    public bool IdentitiesTruncated { get; init; }

    /// <summary>Peers, or calls to them, are missing, as there are more than are told apart.</summary>
    public bool PeersTruncated { get; init; }
}

/// <summary>RED of everything beyond the groups that are told apart, together.</summary>
internal sealed record OtherSpans(long Count, long Errors, double Rate, double ErrorRate, double? P50Nano, double? P95Nano, double? P99Nano, double TotalNano)
{
    public static OtherSpans Of(RedGroup group) =>
        new(group.Count, group.Errors, group.Rate, group.ErrorRate, group.P50Nano, group.P95Nano, group.P99Nano, group.TotalNano);
}

/// <summary>RED of the server and consumer spans (and roots) of a service. Rates are per second, shares 0–1.</summary>
internal sealed record ServiceSummary(
    string Name, string? Language, string? Version, string? PreviousVersion, long? VersionChangedUnixNano, int Instances,
    double Rate, double ErrorRate, double? P50Nano, double? P95Nano, double? P99Nano, double? Apdex, long Count, long Errors, ServiceSeries? Series)
{
    /// <summary>Its deployment.environment.name, each once; none where its resources name none.</summary>
    public string[]? Environments { get; init; }

    public string[] EnvironmentNames => Environments ?? [];
}

internal sealed record ServiceSeries(long StartUnixNano, long StepNano, long[] Count, long[] Errors, double?[] P95Nano);

/// <summary>What services call that sends no telemetry itself.</summary>
/// <param name="Type">"database", "queue" or "external".</param>
internal sealed record PeerSummary(
    string Name, string Type, string? System, string[] Callers, double Rate, double ErrorRate, long Count, long Errors,
    double? P50Nano, double? P95Nano, double? P99Nano, string? Operation);

/// <summary>GET operations.</summary>
/// <param name="Others">Spans of operations beyond those that are told apart.</param>
internal sealed record OperationList(OperationSummary[] Operations, OtherSpans? Others, ScanInfo? Scan);

internal sealed record OperationSummary(
    string Service, string Name, string Kind, long Count, double Rate, long Errors, double ErrorRate,
    double? P50Nano, double? P95Nano, double? P99Nano, double TotalNano);

/// <summary>GET dependencies.</summary>
/// <param name="Truncated">There are more calls than are told apart: those beyond are missing.</param>
internal sealed record DependencyList(DependencyEdge[] Edges, bool Truncated, ScanInfo? Scan);

/// <param name="Type">"service", "database", "queue" or "external".</param>
internal sealed record DependencyEdge(
    string Client, string Server, string Type, string? System, string? Operation, long Calls, long Errors, double? P50Nano, double? P95Nano, double? P99Nano);

internal sealed partial class QueryClient
{
    public Task<ServiceList> ServicesAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<ServiceList>("services", parameters, cancellationToken);

    public Task<OperationList> OperationsAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<OperationList>("operations", parameters, cancellationToken);

    public Task<DependencyList> DependenciesAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<DependencyList>("dependencies", parameters, cancellationToken);
}
