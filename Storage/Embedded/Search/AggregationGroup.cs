using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Search;

/// <summary>The values of up to <see cref="Aggregation.MaxGroupFields"/> group fields, by the numbers that their readers give them; -1 where the field is absent, 0 beyond the fields.</summary>
internal readonly record struct GroupKey(int First, int Second, int Third, int Fourth)
{
    /// <summary>By the values, field by field; an absent one comes first.</summary>
    public int Compare(in GroupKey other, FieldReader[] readers)
    {
        ReadOnlySpan<int> numbers = [First, Second, Third, Fourth];
        ReadOnlySpan<int> others = [other.First, other.Second, other.Third, other.Fourth];
        for (var i = 0; i < readers.Length; i++)
        {
            var order = numbers[i] < 0 || others[i] < 0 ? numbers[i].CompareTo(others[i]) : readers[i].Values.Compare(numbers[i], others[i]);
            if (order != 0)
            {
                return order;
            }
        }
        return 0;
    }

    public AttributeValue?[] ValuesOf(FieldReader[] readers)
    {
        int[] numbers = [First, Second, Third, Fourth];
        return [.. readers.Select((reader, i) => numbers[i] < 0 ? (AttributeValue?)null : reader.Values[numbers[i]])];
    }
}

/// <summary>One group of an aggregation while it is added up.</summary>
internal sealed class AggregationGroup(GroupKey key, int steps)
{
    public GroupKey Key { get; } = key;

    public AggregateBucket?[] Buckets { get; } = new AggregateBucket?[steps];

    public long Count { get; set; }

    /// <param name="total">An empty bucket.</param>
    public AggregateGroup Finish(FieldReader[] readers, bool isOverflow, AggregateBucket total)
    {
        foreach (var bucket in Buckets)
        {
            if (bucket is not null)
            {
                total.Add(bucket);
            }
        }
        return new AggregateGroup(isOverflow ? new AttributeValue?[readers.Length] : Key.ValuesOf(readers), Buckets, total, isOverflow);
    }
}
