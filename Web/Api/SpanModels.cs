using System.Text.Json;

namespace Apm.Web.Api;

/// <summary>GET spans/red. Arrays of a series have <paramref name="Steps"/> entries.</summary>
internal sealed record RedResult(long? StartUnixNano, long? StepNano, int? Steps, RedGroup[] Groups, ScanInfo? Scan);

/// <param name="Key">The value of each "by" field; null where a span lacks it.</param>
/// <param name="Overflow">The group of all groups beyond the API's bound.</param>
internal sealed record RedGroup(
    JsonElement[] Key, bool Overflow, long Count, long Errors, double Rate, double ErrorRate,
    double? P50Nano, double? P95Nano, double? P99Nano, double TotalNano, RedSeries? Series)
{
    /// <summary>The text of a key; null where a span lacks the field.</summary>
    public string? KeyText(int index) => index < Key.Length ? JsonText.Of(Key[index]) : null;
}

internal sealed record RedSeries(long[] Count, long[] Errors, double?[] P50Nano, double?[] P95Nano, double?[] P99Nano);

/// <summary>GET spans/facets and logs/facets.</summary>
internal sealed record FacetList(long Matched, Facet[] Facets, ScanInfo? Scan);

internal sealed record Facet(string Field, long Present, long Distinct, bool Truncated, FacetValue[] Values);

internal sealed record FacetValue(JsonElement Value, long Count, long Errors);

/// <summary>GET spans/compare: how the spans of a box differ from the rest. Shares 0–1.</summary>
internal sealed record Comparison(long Inside, long Outside, ComparedAttribute[] Attributes, ScanInfo? Scan);

internal sealed record ComparedAttribute(string Field, double Difference, ComparedValue[] Values);

internal sealed record ComparedValue(JsonElement Value, double Inside, double Outside);

/// <summary>JSON values of attributes as text.</summary>
internal static class JsonText
{
    public static string? Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Object when value.TryGetProperty("int", out var number) || value.TryGetProperty("double", out number) => number.ToString(),
        _ => value.GetRawText(),
    };

    /// <summary><c>field = value</c> in the filter language.</summary>
    public static string Term(string field, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => $"{field} = nil",
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => $"{field} = {value.GetRawText()}",
        _ => FilterText.Equal(field, Of(value) ?? ""),
    };
}

internal sealed partial class QueryClient
{
    public Task<RedResult> RedAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<RedResult>("spans/red", parameters, cancellationToken);

    public Task<FacetList> SpanFacetsAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<FacetList>("spans/facets", parameters, cancellationToken);

    public Task<Comparison> CompareAsync(ApiParameters parameters, CancellationToken cancellationToken) =>
        GetAsync<Comparison>("spans/compare", parameters, cancellationToken);
}
