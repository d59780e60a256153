using System.Numerics;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// A Bloom filter over 64-bit hashes: a power of two bits, 8 to 16 for each, and 6 probes: 2.2 % down to 0.1 % of absent values seem present, 0.7 % over all sizes.
/// A larger filter of the same hashes is this one repeated, as a probe's bit is a sum modulo the size.
/// </summary>
internal static class Bloom
{
    public const int MinBitsPerValue = 8;
    public const int Probes = 6;

    /// <returns>Bytes of a filter, a power of two from 8 to 2^19; beyond it lets more and more through.</returns>
    public static int SizeBytes(int values)
    {
        var bits = BitOperations.RoundUpToPowerOf2((ulong)values * MinBitsPerValue);
        return (int)Math.Clamp(bits / 8, 8, 1UL << (Parts.FilterStripe.MaxBitsLog2 - 3));
    }

    /// <param name="filter">Zeroed, of <see cref="SizeBytes"/> for as many values as are added.</param>
    public static void AddAll(Span<byte> filter, ReadOnlySpan<ulong> hashes)
    {
        if (!BitOperations.IsPow2(filter.Length))
        {
            throw new ArgumentException($"a filter of {filter.Length} bytes is no power of two", nameof(filter));
        }
        var mask = ((ulong)filter.Length * 8) - 1;
        foreach (var value in hashes)
        {
            var hash = value;
            var step = StepOf(hash);
            for (var probe = 0; probe < Probes; probe++)
            {
                var bit = hash & mask;
                filter[(int)(bit >> 3)] |= (byte)(1 << (int)(bit & 7));
                hash += step;
            }
        }
    }

    /// <summary>Fills in the bits of a hash, each modulo the filter's.</summary>
    /// <param name="positions"><see cref="Probes"/> long.</param>
    public static void Locate(ulong hash, Span<ulong> positions)
    {
        var step = StepOf(hash);
        foreach (ref var position in positions)
        {
            position = hash;
            hash += step;
        }
    }

    /// <param name="filter">Of any number of bytes: before part version 3 they are no power of two.</param>
    public static bool MayContain(ReadOnlySpan<byte> filter, ulong hash)
    {
        var bits = (ulong)filter.Length * 8;
        var step = StepOf(hash);
        for (var probe = 0; probe < Probes; probe++)
        {
            var bit = hash % bits;
            if ((filter[(int)(bit >> 3)] & (1 << (int)(bit & 7))) == 0)
            {
                return false;
            }
            hash += step;
        }
        return true;
    }

    private static ulong StepOf(ulong hash) => (hash >> 32) | 1;
}
