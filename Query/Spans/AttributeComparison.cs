using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Spans;

/// <summary>
/// How differently the values of each attribute are spread inside a box and outside: the total variation distance of the two distributions, with "absent" as
/// one more value. Attributes that give nearly every span a value of its own (ids) tell nothing and are left out.
/// </summary>
internal static class AttributeComparison
{
    /// <summary>Values counted for each attribute; rarer ones hardly move the distance.</summary>
    public const int CountedValues = 200;

    /// <summary>Attributes returned.</summary>
    private const int MaxAttributes = 50;

    /// <summary>Values shown for each attribute: those that differ most.</summary>
    private const int MaxValues = 10;

    /// <summary>A smaller difference is noise.</summary>
    private const double LeastDifference = 0.005;

    /// <summary>From this share of distinct values on an attribute is an id.</summary>
    private const double IdShare = 0.7;

    /// <summary>Below so many values an attribute is not yet called an id.</summary>
    private const int LeastIds = 10;

    /// <param name="all">Facets of the box and the rest together.</param>
    public static AttributeDifference[] Rank(FacetResult all, FacetResult inside)
    {
        var outsideCount = all.Matched - inside.Matched;
        if (inside.Matched <= 0 || outsideCount <= 0)
        {
            return [];
        }
        var boxes = inside.Facets.ToDictionary(facet => facet.Field);
        var differences = new List<AttributeDifference>();
        foreach (var facet in all.Facets)
        {
            if (IsId(facet))
            {
                continue;
            }
            var difference = Compare(facet, boxes.GetValueOrDefault(facet.Field), inside.Matched, outsideCount);
            if (difference.Difference >= LeastDifference)
            {
                differences.Add(difference);
            }
        }
        return [.. differences.OrderByDescending(difference => difference.Difference).ThenBy(difference => difference.Field, StringComparer.Ordinal).Take(MaxAttributes)];
    }

    private static bool IsId(Facet facet) => facet.Truncated || (facet.Distinct >= LeastIds && facet.Distinct >= IdShare * facet.Present);

    private static AttributeDifference Compare(Facet all, Facet? inside, long insideCount, long outsideCount)
    {
        var counts = new Dictionary<AttributeValue, (long Inside, long All)>();
        foreach (var value in all.Values)
        {
            counts[value.Value] = (0, value.Count);
        }
        foreach (var value in inside?.Values ?? [])
        {
            var seen = counts.GetValueOrDefault(value.Value);
            counts[value.Value] = (value.Count, Math.Max(seen.All, value.Count));
        }
        var insidePresent = inside?.Present ?? 0;
        var absent = Math.Abs(Share(insideCount - insidePresent, insideCount) - Share(outsideCount - (all.Present - insidePresent), outsideCount));
        var sum = absent;
        var shares = new List<ValueShare>(counts.Count);
        foreach (var (value, count) in counts)
        {
            var share = new ValueShare(FieldValue.Shown(all.Field, value), Share(count.Inside, insideCount), Share(count.All - count.Inside, outsideCount));
            sum += Math.Abs(share.Inside - share.Outside);
            shares.Add(share);
        }
        return new AttributeDifference(
            FieldFormatter.Format(all.Field, Signal.Traces), Math.Round(Math.Min(1, sum / 2), 4),
            [.. shares.OrderByDescending(share => Math.Abs(share.Inside - share.Outside)).ThenByDescending(share => share.Inside).Take(MaxValues)]);
    }

    private static double Share(long part, long whole) => Math.Round(Math.Clamp((double)part / whole, 0, 1), 4);
}
