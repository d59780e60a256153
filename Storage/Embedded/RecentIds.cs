using System.Runtime.Intrinsics;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>
/// The ids seen last, each as 32 bits in one of as many buckets as fit, of 16 each; a full bucket forgets its oldest. Says of about one strange id in 10^8 that it
/// was seen, so a hit is checked against what is stored. Written by one thread; others may ask meanwhile, and may miss what is just being added.
/// </summary>
internal sealed class RecentIds
{
    private const int BucketIds = 16;

    /// <summary>Odd, so that nothing of the high half is lost, and ids of which the halves are swapped or alike differ.</summary>
    private const ulong HighHalf = 0xD6E8FEB86659FD93UL;

    private readonly uint[] _marks;
    private readonly byte[] _next;
    private readonly int _mask;

    /// <param name="bytes">Memory for ids, a power of two: 4 bytes for each id remembered. It is taken as ids come.</param>
    public RecentIds(int bytes)
    {
        if (!int.IsPow2(bytes) || bytes < BucketIds * sizeof(uint))
        {
            throw new ArgumentOutOfRangeException(nameof(bytes), bytes, $"must be a power of two of at least {BucketIds * sizeof(uint)}");
        }
        _marks = new uint[bytes / sizeof(uint)];
        _next = new byte[_marks.Length / BucketIds];
        _mask = _next.Length - 1;
    }

    /// <summary>Ids remembered at most.</summary>
    public int Capacity => _marks.Length;

    public static ulong HashOf(TraceId traceId) => FingerprintSet.Mix(traceId.High, traceId.Low);

    public static ulong HashOf(TraceId traceId, SpanId spanId) => FingerprintSet.Mix((traceId.High * HighHalf) ^ traceId.Low, spanId.Value);

    public bool Contains(ulong hash) => Contains(_marks.AsSpan((int)(hash >> 32 & (uint)_mask) * BucketIds, BucketIds), Mark(hash));

    /// <summary>True when the id is new, which it then is no longer.</summary>
    public bool Add(ulong hash)
    {
        var bucket = (int)(hash >> 32 & (uint)_mask);
        var marks = _marks.AsSpan(bucket * BucketIds, BucketIds);
        var mark = Mark(hash);
        if (Contains(marks, mark))
        {
            return false;
        }
        marks[_next[bucket]++ & (BucketIds - 1)] = mark;
        return true;
    }

    private static uint Mark(ulong hash) => Math.Max((uint)hash, 1);

    private static bool Contains(ReadOnlySpan<uint> marks, uint mark)
    {
        var wanted = Vector256.Create(mark);
        return (Vector256.Equals(Vector256.Create(marks), wanted) | Vector256.Equals(Vector256.Create(marks[8..]), wanted)) != Vector256<uint>.Zero;
    }
}
