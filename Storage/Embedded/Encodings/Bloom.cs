namespace Apm.Storage.Embedded.Encodings;

/// <summary>A Bloom filter over 64-bit hashes: 10 bits and 6 probes for each, so about 0.8 % of absent values seem present.</summary>
internal static class Bloom
{
    public const int BitsPerValue = 10;
    public const int Probes = 6;

    /// <returns>Bytes of a filter, a multiple of 8 and at least 8.</returns>
    public static int SizeBytes(int values) => Math.Max(8, (int)(((long)values * BitsPerValue + 63) / 64 * 8));

    /// <param name="filter">Zeroed, of <see cref="SizeBytes"/> for as many values as are added.</param>
    public static void AddAll(Span<byte> filter, ReadOnlySpan<ulong> hashes)
    {
        // Probe i is bit (hash + i * step) mod bits, where the sum wraps around at 2^64: stepped through without dividing each time.
        var bits = (ulong)filter.Length * 8;
        var wrap = (ulong.MaxValue % bits + 1) % bits;
        foreach (var value in hashes)
        {
            var hash = value;
            var step = (hash >> 32) | 1;
            var bit = hash % bits;
            var stepBits = step % bits;
            for (var probe = 0; probe < Probes; probe++)
            {
                filter[(int)(bit >> 3)] |= (byte)(1 << (int)(bit & 7));
                bit += stepBits;
                bit = bit >= bits ? bit - bits : bit;
                hash += step;
                if (hash < step)
                {
                    bit = bit >= wrap ? bit - wrap : bit + bits - wrap;
                }
            }
        }
    }

    public static bool MayContain(ReadOnlySpan<byte> filter, ulong hash)
    {
        var bits = (ulong)filter.Length * 8;
        var step = (hash >> 32) | 1;
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
}
