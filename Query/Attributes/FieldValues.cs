using System.Text.RegularExpressions;
using Apm.Query.Api;
using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Attributes;

/// <summary>Values of a field that start with what was typed, most frequent first.</summary>
internal static class FieldValues
{
    /// <summary>Values fetched to be searched for the prefix here, before the store is asked for the rare ones.</summary>
    private const int SearchedValues = 1_000;

    public static async Task<IReadOnlyList<FacetValue>> FindAsync(
        ITelemetryStore store, Field field, Filter filter, TimeRange range, string prefix, int limit, QueryRun run, CancellationToken cancellationToken)
    {
        var result = await store.GetFacetsAsync(new FacetQuery(filter, range, [field], prefix.Length == 0 ? limit : SearchedValues), run.Budget(), cancellationToken);
        run.Add(result.Scan);
        var found = Matching(result, field, prefix, limit);
        if (found.Count >= limit || prefix.Length is 0 or > FilterLimits.MaxRegexChars / 4 || result.Facets.All(facet => facet.Distinct <= SearchedValues && !facet.Truncated))
        {
            return found;
        }
        // Case is ignored by the pattern itself, and (?s) lets it match values of several lines.
        var pattern = FilterRegex.Create("(?is)" + Regex.Escape(prefix) + ".*");
        var rare = await store.GetFacetsAsync(new FacetQuery(Filter.And(filter, new RegexFilter(field, pattern, false)), range, [field], limit), run.Budget(), cancellationToken);
        run.Add(rare.Scan);
        return Matching(rare, field, prefix, limit);
    }

    private static List<FacetValue> Matching(FacetResult result, Field field, string prefix, int limit) =>
        [.. result.Facets.SelectMany(facet => facet.Values)
            .Select(value => value with { Value = FieldValue.Shown(field, value.Value) })
            .Where(value => value.Value.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            .Take(limit)];
}
