using System.Collections.Immutable;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage;

/// <param name="Fields">Fields to count; empty = every record and resource attribute seen among the matches, and for spans name, kind and status.</param>
/// <param name="MaxValues">Values returned for each field, most frequent first.</param>
public sealed record FacetQuery(Filter Filter, TimeRange Range, ImmutableArray<Field> Fields, int MaxValues = 10)
{
    /// <summary>Distinct values counted for one field before further ones are only counted together: bounds memory on ids.</summary>
    public const int MaxDistinctValues = 10_000;
}

/// <param name="Matched">Records that match the filter.</param>
public sealed record FacetResult(long Matched, IReadOnlyList<Facet> Facets, ScanReport Scan);

/// <param name="Present">Matching records that have the field.</param>
/// <param name="Distinct">Distinct values seen, up to <see cref="FacetQuery.MaxDistinctValues"/>.</param>
/// <param name="Truncated">There were more.</param>
public sealed record Facet(Field Field, long Present, int Distinct, bool Truncated, IReadOnlyList<FacetValue> Values);

public sealed record FacetValue(AttributeValue Value, long Count, long Errors);
