using System.Numerics;
using System.Runtime.Intrinsics;

namespace Apm.Storage.Embedded.Search;

/// <summary>A set of a block's rows as bits: row r is bit r % 64 of word r / 64.</summary>
internal static class RowMask
{
    public static int WordCount(int rows) => (rows + 63) >> 6;

    public static void Fill(Span<ulong> mask, int rows)
    {
        mask.Fill(ulong.MaxValue);
        if ((rows & 63) != 0)
        {
            mask[^1] = (1UL << (rows & 63)) - 1;
        }
    }

    public static bool IsEmpty(ReadOnlySpan<ulong> mask) => !mask.ContainsAnyExcept(0UL);

    public static int Count(ReadOnlySpan<ulong> mask)
    {
        var count = 0;
        foreach (var word in mask)
        {
            count += BitOperations.PopCount(word);
        }
        return count;
    }

    public static bool Contains(ReadOnlySpan<ulong> mask, int row) => (mask[row >> 6] >> row & 1) != 0;

    public static void Add(Span<ulong> mask, int row) => mask[row >> 6] |= 1UL << row;

    public static void Remove(Span<ulong> mask, int row) => mask[row >> 6] &= ~(1UL << row);

    public static void And(Span<ulong> target, ReadOnlySpan<ulong> other)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] &= other[i];
        }
    }

    public static void AndNot(Span<ulong> target, ReadOnlySpan<ulong> other)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] &= ~other[i];
        }
    }

    public static void Or(Span<ulong> target, ReadOnlySpan<ulong> other)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] |= other[i];
        }
    }

    /// <summary>Sets the rows whose value is in [<paramref name="low"/>, <paramref name="high"/>]; overwrites the mask.</summary>
    public static void Between(ReadOnlySpan<long> values, long low, long high, Span<ulong> mask)
    {
        var lows = Vector256.Create(low);
        var highs = Vector256.Create(high);
        for (var word = 0; word < mask.Length; word++)
        {
            var chunk = values[(word << 6)..Math.Min(values.Length, (word + 1) << 6)];
            ulong bits = 0;
            var i = 0;
            for (; i + 4 <= chunk.Length; i += 4)
            {
                var four = Vector256.Create(chunk[i..]);
                bits |= (ulong)(Vector256.GreaterThanOrEqual(four, lows) & Vector256.LessThanOrEqual(four, highs)).ExtractMostSignificantBits() << i;
            }
            for (; i < chunk.Length; i++)
            {
                bits |= chunk[i] >= low && chunk[i] <= high ? 1UL << i : 0;
            }
            mask[word] = bits;
        }
    }
}

/// <summary>Walks the rows of a mask in order: <c>foreach (var row in new RowEnumerator(mask))</c>.</summary>
internal ref struct RowEnumerator(ReadOnlySpan<ulong> mask)
{
    private readonly ReadOnlySpan<ulong> _mask = mask;
    private int _word = -1;
    private ulong _bits;

    public int Current { get; private set; }

    public readonly RowEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_bits == 0)
        {
            if (++_word >= _mask.Length)
            {
                return false;
            }
            _bits = _mask[_word];
        }
        Current = (_word << 6) + BitOperations.TrailingZeroCount(_bits);
        _bits &= _bits - 1;
        return true;
    }
}
