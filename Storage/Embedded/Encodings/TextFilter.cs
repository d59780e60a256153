using System.Numerics;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// Which sequences of 4 bytes occur in the texts of a block, ASCII letters in lower case (FORMAT.md "Text filter"): a text whose sequences are not all there
/// is in none of them. So any part of a text is found, not only whole words; ids of random digits are told apart too, which 3 bytes would not do. On disk: the
/// hash must never change within a format version.
/// </summary>
internal static class TextFilter
{
    public const int GramBytes = 4;

    /// <summary>Bits of the hash, and of the largest filter: 16 KiB for 8,192 texts, 2 bytes each.</summary>
    public const int HashBits = 17;

    /// <summary>Sequences of a text that are looked for at most, where each costs a read.</summary>
    public const int MaxProbes = 12;

    /// <summary>Smallest filter: 64 bytes.</summary>
    private const int MinBits = 512;

    /// <summary>A filter is halved while at most one bit in so many is set then.</summary>
    private const int MinBitsPerSetBit = 3;

    private const uint Multiplier = 0x9E3779B1;

    /// <summary>Collects the sequences of many texts. One thread; reused.</summary>
    public sealed class Builder
    {
        private readonly ulong[] _bits = new ulong[(1 << HashBits) / 64];

        public void Clear() => Array.Clear(_bits);

        public void Add(ReadOnlySpan<byte> text)
        {
            if (text.Length < GramBytes)
            {
                return;
            }
            uint gram = 0;
            for (var i = 0; i < text.Length; i++)
            {
                gram = (gram >> 8) | ((uint)Lower(text[i]) << 24);
                if (i >= GramBytes - 1)
                {
                    var hash = Hash(gram);
                    _bits[hash >> 6] |= 1UL << hash;
                }
            }
        }

        /// <summary>Writes the filter, as small as it can be; destroys what was collected.</summary>
        public void WriteTo(ByteWriter writer)
        {
            var bits = _bits.AsSpan();
            var count = Count(bits);
            while (bits.Length * 64 > MinBits && count * MinBitsPerSetBit <= bits.Length * 32)
            {
                var half = bits[..(bits.Length / 2)];
                for (var i = 0; i < half.Length; i++)
                {
                    half[i] |= bits[half.Length + i];
                }
                bits = half;
                count = Count(bits);
            }
            foreach (var word in bits)
            {
                writer.UInt64(word);
            }
        }

        private static long Count(ReadOnlySpan<ulong> bits)
        {
            long count = 0;
            foreach (var word in bits)
            {
                count += BitOperations.PopCount(word);
            }
            return count;
        }
    }

    /// <summary>Adds the hashes of the text's sequences of ASCII, as other letters change their bytes with their case.</summary>
    public static void AddHashes(ReadOnlySpan<byte> text, List<int> hashes)
    {
        for (var i = 0; i + GramBytes <= text.Length; i++)
        {
            var bytes = text.Slice(i, GramBytes);
            if (System.Text.Ascii.IsValid(bytes))
            {
                hashes.Add(Hash((uint)(Lower(bytes[0]) | (Lower(bytes[1]) << 8) | (Lower(bytes[2]) << 16) | (Lower(bytes[3]) << 24))));
            }
        }
    }

    /// <summary>False only when a text with all these sequences is in none of those that the filter is made of.</summary>
    public static bool MayContain(ReadOnlySpan<byte> filter, ReadOnlySpan<int> hashes)
    {
        // A power of two, by its checksum; a filter of another length would only let too much through.
        var mask = (1 << BitOperations.Log2((uint)Math.Max(filter.Length * 8, 1))) - 1;
        foreach (var hash in hashes)
        {
            var bit = hash & mask;
            if ((filter[bit >> 3] & (1 << (bit & 7))) == 0)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>
    /// The bits to look for in filters that are read bit by bit: of a long text some, spread over it. Each lets about half of the filters through, so that
    /// <see cref="MaxProbes"/> leave one in thousands.
    /// </summary>
    public static ReadOnlySpan<ulong> Spread(ReadOnlySpan<int> hashes)
    {
        var positions = new ulong[Math.Min(hashes.Length, MaxProbes)];
        for (var i = 0; i < positions.Length; i++)
        {
            positions[i] = (ulong)hashes[hashes.Length <= MaxProbes ? i : i * (hashes.Length - 1) / (MaxProbes - 1)];
        }
        return positions;
    }

    private static int Hash(uint gram) => (int)((gram * Multiplier) >> (32 - HashBits));

    private static byte Lower(byte value) => (uint)(value - 'A') <= 'Z' - 'A' ? (byte)(value | 0x20) : value;
}
