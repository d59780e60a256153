using System.Numerics;

namespace Apm.Storage;

/// <summary>
/// Durations in logarithmic buckets: 8 to each doubling, so a bucket is 9 to 12.5 % wide and a quantile, interpolated inside its bucket, is within about 6 %.
/// Durations below 8 ns have a bucket each. Grows to the highest bucket used: at most 496 counts.
/// </summary>
public sealed class DurationHistogram
{
    private const int SubBucketBits = 3;
    private const int SubBuckets = 1 << SubBucketBits;

    /// <summary>Buckets are added so many at a time, two doublings: durations of one thing come in any order.</summary>
    private const int Growth = 2 * SubBuckets;

    private long[] _counts = [];

    public long Count { get; private set; }

    public long SumNano { get; private set; }

    public long MaxNano { get; private set; }

    /// <summary>Count of each bucket up to the highest used, and possibly of some above it.</summary>
    public ReadOnlySpan<long> Counts => _counts;

    /// <summary>The bucket of a duration; negative ones count as 0.</summary>
    public static int BucketOf(long durationNano)
    {
        if (durationNano < SubBuckets)
        {
            return (int)Math.Max(durationNano, 0);
        }
        var exponent = BitOperations.Log2((ulong)durationNano);
        var sub = (int)(durationNano >> (exponent - SubBucketBits)) & (SubBuckets - 1);
        return ((exponent - SubBucketBits + 1) << SubBucketBits) | sub;
    }

    /// <summary>Lowest duration in a bucket, in nanoseconds.</summary>
    public static long LowerBoundNano(int bucket)
    {
        if (bucket < SubBuckets)
        {
            return bucket;
        }
        var exponent = (bucket >> SubBucketBits) + SubBucketBits - 1;
        var sub = bucket & (SubBuckets - 1);
        return exponent >= 63 ? long.MaxValue : (long)(SubBuckets + sub) << (exponent - SubBucketBits);
    }

    public void Record(long durationNano)
    {
        var bucket = BucketOf(durationNano);
        EnsureBuckets(bucket + 1);
        _counts[bucket]++;
        Count++;
        SumNano += Math.Max(durationNano, 0);
        MaxNano = Math.Max(MaxNano, durationNano);
    }

    public void Add(DurationHistogram other)
    {
        EnsureBuckets(other._counts.Length);
        for (var i = 0; i < other._counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }
        Count += other.Count;
        SumNano += other.SumNano;
        MaxNano = Math.Max(MaxNano, other.MaxNano);
    }

    /// <summary>Adds durations of which only the bucket is known; <see cref="AddTotals"/> adds the rest.</summary>
    internal void AddBucket(int bucket, long count)
    {
        if (count > 0)
        {
            EnsureBuckets(bucket + 1);
            _counts[bucket] += count;
            Count += count;
        }
    }

    /// <param name="maxNano">At least every duration added.</param>
    internal void AddTotals(long sumNano, long maxNano)
    {
        SumNano += sumNano;
        MaxNano = Math.Max(MaxNano, maxNano);
    }

    /// <summary>The duration below which the share <paramref name="quantile"/> (0 to 1) lies, interpolated in its bucket; 0 when empty.</summary>
    public long QuantileNano(double quantile)
    {
        if (Count == 0)
        {
            return 0;
        }
        var rank = Math.Clamp(quantile, 0, 1) * Count;
        double below = 0;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            var count = _counts[bucket];
            if (count > 0 && below + count >= rank)
            {
                var low = LowerBoundNano(bucket);
                var high = Math.Min(LowerBoundNano(bucket + 1), MaxNano);
                var share = (rank - below) / count;
                return Math.Max(low, (long)(low + ((high - low) * share)));
            }
            below += count;
        }
        return MaxNano;
    }

    /// <summary>Makes room for so many buckets: who adds many in ascending order asks for the last before.</summary>
    internal void EnsureBuckets(int count)
    {
        if (_counts.Length < count)
        {
            Array.Resize(ref _counts, (count + Growth - 1) / Growth * Growth);
        }
    }
}
