namespace Apm.Storage.Embedded.Rollups;

/// <summary>Cells added up: what <see cref="DurationHistogram"/> knows, and possibly less than nothing, as edges are corrected by subtracting. One thread.</summary>
internal sealed class CellSum
{
    /// <summary>Buckets of a <see cref="DurationHistogram"/>.</summary>
    public const int MaxBuckets = 496;

    private readonly long[] _buckets = new long[MaxBuckets];

    public long Count { get; set; }

    public long Errors { get; set; }

    public long SumNano { get; set; }

    public long MaxNano { get; set; }

    /// <summary>Counts from <see cref="FirstBucket"/> to <see cref="LastBucket"/>; others are 0.</summary>
    public ReadOnlySpan<long> Buckets => _buckets;

    public int FirstBucket { get; private set; } = MaxBuckets;

    public int LastBucket { get; private set; } = -1;

    public bool IsNothing
    {
        get
        {
            if ((Count | Errors | SumNano) != 0)
            {
                return false;
            }
            return FirstBucket > LastBucket || !_buckets.AsSpan(FirstBucket, LastBucket - FirstBucket + 1).ContainsAnyExcept(0L);
        }
    }

    public void AddBucket(int bucket, long count)
    {
        _buckets[bucket] += count;
        FirstBucket = Math.Min(FirstBucket, bucket);
        LastBucket = Math.Max(LastBucket, bucket);
    }

    /// <param name="sign">1, or -1 to take the record back; the longest duration stays known then.</param>
    public void Record(long durationNano, bool error, int sign = 1)
    {
        Count += sign;
        Errors += error ? sign : 0;
        SumNano += sign * Math.Max(durationNano, 0);
        MaxNano = Math.Max(MaxNano, durationNano);
        AddBucket(DurationHistogram.BucketOf(durationNano), sign);
    }

    public void Add(CellSum other)
    {
        Count += other.Count;
        Errors += other.Errors;
        SumNano += other.SumNano;
        MaxNano = Math.Max(MaxNano, other.MaxNano);
        for (var bucket = other.FirstBucket; bucket <= other.LastBucket; bucket++)
        {
            AddBucket(bucket, other._buckets[bucket]);
        }
    }

    /// <summary>Adds what is above nothing to a histogram.</summary>
    public void AddTo(DurationHistogram durations)
    {
        var longest = 0L;
        durations.EnsureBuckets(LastBucket + 1);
        for (var bucket = FirstBucket; bucket <= LastBucket; bucket++)
        {
            if (_buckets[bucket] > 0)
            {
                durations.AddBucket(bucket, _buckets[bucket]);
                longest = DurationHistogram.LowerBoundNano(bucket + 1);
            }
        }
        // The longest may have been taken back: no more is known then than the bucket of the longest that is left.
        durations.AddTotals(SumNano, Math.Min(MaxNano, longest));
    }

    public void Clear()
    {
        (Count, Errors, SumNano, MaxNano) = (0, 0, 0, 0);
        if (FirstBucket <= LastBucket)
        {
            _buckets.AsSpan(FirstBucket, LastBucket - FirstBucket + 1).Clear();
        }
        (FirstBucket, LastBucket) = (MaxBuckets, -1);
    }
}
