using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    /// <summary>
    /// Gives each set row of <paramref name="presence"/> the next bit of <paramref name="dense"/>, which has one for each of them; overwrites the mask.
    /// </summary>
    public static void Spread(ReadOnlySpan<ulong> dense, ReadOnlySpan<ulong> presence, Span<ulong> mask)
    {
        var next = 0;
        for (var word = 0; word < mask.Length; word++)
        {
            var present = presence[word];
            if (present == 0)
            {
                mask[word] = 0;
                continue;
            }
            var bits = dense[next >> 6] >> (next & 63);
            var count = BitOperations.PopCount(present);
            if ((next & 63) + count > 64)
            {
                bits |= dense[(next >> 6) + 1] << (64 - (next & 63));
            }
            next += count;
            mask[word] = present == ulong.MaxValue ? bits : Bmi2.X64.IsSupported ? Bmi2.X64.ParallelBitDeposit(bits, present) : SpreadWord(bits, present);
        }
    }

    /// <summary>Sets the rows whose value is one of a few, or (inverted) none of them; overwrites the mask.</summary>
    public static void EqualToAny(ReadOnlySpan<int> values, ReadOnlySpan<int> wanted, bool inverted, Span<ulong> mask)
    {
        var flip = inverted ? ulong.MaxValue : 0;
        for (var word = 0; word < mask.Length; word++)
        {
            var chunk = values[(word << 6)..Math.Min(values.Length, (word + 1) << 6)];
            ulong bits = 0;
            var i = 0;
            for (; i + 8 <= chunk.Length; i += 8)
            {
                var eight = Vector256.Create(chunk[i..]);
                var found = Vector256<int>.Zero;
                foreach (var value in wanted)
                {
                    found |= Vector256.Equals(eight, Vector256.Create(value));
                }
                bits |= (ulong)found.ExtractMostSignificantBits() << i;
            }
            for (; i < chunk.Length; i++)
            {
                bits |= wanted.Contains(chunk[i]) ? 1UL << i : 0;
            }
            mask[word] = (bits ^ flip) & (chunk.Length == 64 ? ulong.MaxValue : (1UL << chunk.Length) - 1);
        }
    }

    /// <summary>Sets the rows whose value <paramref name="members"/> holds; overwrites the mask.</summary>
    public static void Members(ReadOnlySpan<int> values, ReadOnlySpan<bool> members, Span<ulong> mask)
    {
        for (var word = 0; word < mask.Length; word++)
        {
            var chunk = values[(word << 6)..Math.Min(values.Length, (word + 1) << 6)];
            ulong bits = 0;
            for (var i = 0; i < chunk.Length; i++)
            {
                bits |= members[chunk[i]] ? 1UL << i : 0;
            }
            mask[word] = bits;
        }
    }

    /// <summary>Sets the rows whose value is at least <paramref name="low"/>; overwrites the mask.</summary>
    public static void AtLeast(ReadOnlySpan<byte> values, byte low, Span<ulong> mask)
    {
        var lows = Vector256.Create(low);
        for (var word = 0; word < mask.Length; word++)
        {
            var chunk = values[(word << 6)..Math.Min(values.Length, (word + 1) << 6)];
            ulong bits = 0;
            var i = 0;
            for (; i + 32 <= chunk.Length; i += 32)
            {
                bits |= (ulong)Vector256.GreaterThanOrEqual(Vector256.Create(chunk[i..]), lows).ExtractMostSignificantBits() << i;
            }
            for (; i < chunk.Length; i++)
            {
                bits |= chunk[i] >= low ? 1UL << i : 0;
            }
            mask[word] = bits;
        }
    }

    private static ulong SpreadWord(ulong bits, ulong present)
    {
        ulong spread = 0;
        for (; present != 0; present &= present - 1, bits >>= 1)
        {
            spread |= (bits & 1) << BitOperations.TrailingZeroCount(present);
        }
        return spread;
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
