using System.Collections.Immutable;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage;

/// <param name="StepNano">Width of a time bucket, aligned to multiples of itself since the epoch; 0 = one bucket for the whole range.</param>
/// <param name="GroupBy">Up to 4 fields; empty = one group.</param>
/// <param name="MaxGroups">Groups beyond it are added up in one group with <see cref="AggregateGroup.IsOverflow"/>.</param>
/// <param name="WithDurations">Fill <see cref="AggregateBucket.Durations"/>.</param>
public sealed record AggregateQuery(Filter Filter, TimeRange Range, long StepNano, ImmutableArray<Field> GroupBy, int MaxGroups = 1000, bool WithDurations = true)
{
    /// <summary>Buckets a query may ask for in one group.</summary>
    public const int MaxSteps = 11_000;
}

/// <param name="Groups">Largest count first.</param>
/// <param name="FirstStepUnixNano">Start of bucket 0.</param>
public sealed record AggregateResult(IReadOnlyList<AggregateGroup> Groups, long FirstStepUnixNano, long StepNano, int Steps, ScanReport Scan);

/// <param name="Key">One value for each field of <see cref="AggregateQuery.GroupBy"/>; null where the records lack it.</param>
/// <param name="Buckets">One for each step; null where no record matched.</param>
public sealed record AggregateGroup(IReadOnlyList<AttributeValue?> Key, AggregateBucket?[] Buckets, AggregateBucket Total, bool IsOverflow);

public sealed class AggregateBucket
{
    public long Count { get; set; }

    public long Errors { get; set; }

    /// <summary>Null when durations were not asked for, or the signal has none.</summary>
    public DurationHistogram? Durations { get; set; }

    /// <param name="other">Has durations when this has.</param>
    internal void Add(AggregateBucket other)
    {
        Count += other.Count;
        Errors += other.Errors;
        if (other.Durations is { } durations)
        {
            Durations?.Add(durations);
        }
    }
}
