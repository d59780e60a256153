namespace Apm.Web.Api;

/// <summary>GET services.</summary>
internal sealed record ServiceList(ServiceSummary[] Services, PeerSummary[] Peers, ScanInfo? Scan);

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
internal sealed record OperationList(OperationSummary[] Operations, ScanInfo? Scan);

internal sealed record OperationSummary(
    string Service, string Name, string Kind, long Count, double Rate, long Errors, double ErrorRate,
    double? P50Nano, double? P95Nano, double? P99Nano, double TotalNano);

/// <summary>GET dependencies.</summary>
internal sealed record DependencyList(DependencyEdge[] Edges, ScanInfo? Scan);

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
