using System.Text.Json;

namespace Apm.Web.Api;

/// <summary>GET logs.</summary>
internal sealed record LogList(JsonElement[] Records, long? Matched, string? NextCursor, ScanInfo? Scan);

/// <summary>GET logs/histogram: for each severity one count a step.</summary>
internal sealed record LogHistogram(long StartUnixNano, long StepNano, int Steps, Dictionary<string, long[]> Series, Dictionary<string, long> Totals, ScanInfo? Scan);

internal sealed partial class QueryClient
{
    public Task<LogList> LogsAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<LogList>("logs", parameters, cancellationToken);

    public Task<LogHistogram> LogHistogramAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<LogHistogram>("logs/histogram", parameters, cancellationToken);

    public Task<FacetList> LogFacetsAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<FacetList>("logs/facets", parameters, cancellationToken);
}

/// <summary>GET attributes.</summary>
internal sealed record AttributeNames(AttributeName[] Names);

/// <param name="Field">As a filter writes it.</param>
internal sealed record AttributeName(string Scope, string Key, string Field, long Records);
