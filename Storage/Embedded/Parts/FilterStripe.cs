using System.Buffers.Binary;
using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// The filters of neighbouring blocks, turned: row i has bit i of each block's filter, so that a probe reads one row for all the blocks (FORMAT.md "Stripe").
/// Rows lie one after another in pages, each with its checksum: a probe reads one page. Immutable; any number of threads.
/// </summary>
/// <param name="BitsLog2">Each filter has 2^this bits; 0: no bit of any is set, and nothing is stored.</param>
/// <param name="Offset">Of the first page.</param>
internal readonly record struct FilterStripe(int FirstBlock, int Blocks, int BitsLog2, long Offset)
{
    /// <summary>Blocks of a stripe: a row of two words, and about 250 rows a page.</summary>
    public const int MaxBlocks = 128;

    /// <summary>Bytes of a page: what a disk and the system's cache read at least.</summary>
    public const int MaxPageBytes = 4_096;

    public const int ChecksumBytes = 4;

    /// <summary>Smallest filter: a word.</summary>
    public const int MinBitsLog2 = 6;

    /// <summary>Largest filter, 512 KiB: for half a million different values in a block.</summary>
    public const int MaxBitsLog2 = 22;

    /// <summary>Filters of a stripe together, which its writer and a merge hold: 128 blocks of half a megabit, 64 KiB, each.</summary>
    public const int MaxFilterBytes = 8 << 20;

    public int EndBlock => FirstBlock + Blocks;

    public int WidthBits => Blocks switch { 1 => 1, 2 => 2, <= 4 => 4, _ => (Blocks + 7) & ~7 };

    public int FilterBytes => BitsLog2 == 0 ? 0 : 1 << (BitsLog2 - 3);

    /// <summary>Of all rows.</summary>
    public long RowBytes => BitsLog2 == 0 ? 0 : (long)WidthBits << (BitsLog2 - 3);

    /// <summary>Whole rows only, so that none lies in two pages.</summary>
    public int PageRowBytes => WidthBits < 8 ? MaxPageBytes - ChecksumBytes : (MaxPageBytes - ChecksumBytes) / (WidthBits / 8) * (WidthBits / 8);

    public int Pages => (int)((RowBytes + PageRowBytes - 1) / PageRowBytes);

    public long StoredBytes => RowBytes + ((long)Pages * ChecksumBytes);

    public static FilterStripe Decode(ref ChunkReader reader, int firstBlock, int blocksLeft, ref long expected)
    {
        var blocks = reader.Count(Math.Min(blocksLeft, MaxBlocks));
        int bitsLog2 = reader.Byte();
        if (blocks == 0 || (bitsLog2 != 0 && bitsLog2 is < MinBitsLog2 or > MaxBitsLog2) || ((long)blocks << bitsLog2) / 8 > MaxFilterBytes)
        {
            throw reader.Corrupt($"filters of 2^{bitsLog2} bits for {blocks} blocks are no stripe");
        }
        var offset = bitsLog2 == 0 ? expected : expected + reader.VarInt();
        if (offset < 0)
        {
            throw reader.Corrupt($"a stripe at {offset} is outside the file");
        }
        var stripe = new FilterStripe(firstBlock, blocks, bitsLog2, offset);
        expected = offset + stripe.StoredBytes;
        return stripe;
    }

    public void Encode(ByteWriter writer, ref long expected)
    {
        writer.VarUInt((ulong)Blocks);
        writer.Byte((byte)BitsLog2);
        if (BitsLog2 != 0)
        {
            writer.VarInt(Offset - expected);
            expected = Offset + StoredBytes;
        }
    }

    /// <summary>Which blocks have every one of the bits; bit i of the pair is block i of the stripe.</summary>
    /// <param name="positions">Bits, each modulo the filters'.</param>
    /// <exception cref="CorruptPartException">A page is damaged.</exception>
    public (ulong Low, ulong High) Find(PartFile file, ReadOnlySpan<ulong> positions)
    {
        if (BitsLog2 == 0)
        {
            return default;
        }
        var (low, high) = (Blocks >= 64 ? ulong.MaxValue : (1UL << Blocks) - 1, Blocks <= 64 ? 0 : ulong.MaxValue >> (MaxBlocks - Blocks));
        Span<byte> page = stackalloc byte[MaxPageBytes];
        Span<byte> row = stackalloc byte[MaxBlocks / 8];
        row.Clear();
        foreach (var position in positions)
        {
            var bit = (long)(position & ((1UL << BitsLog2) - 1)) * WidthBits;
            var number = (int)((bit >> 3) / PageRowBytes);
            var at = (int)((bit >> 3) % PageRowBytes);
            var rows = ReadPage(file, number, page);
            if (WidthBits < 8)
            {
                low &= (uint)rows[at] >> (int)(bit & 7);
            }
            else
            {
                rows.Slice(at, WidthBits / 8).CopyTo(row);
                low &= BinaryPrimitives.ReadUInt64LittleEndian(row);
                high &= BinaryPrimitives.ReadUInt64LittleEndian(row[8..]);
            }
            if ((low | high) == 0)
            {
                break;
            }
        }
        return (low, high);
    }

    /// <summary>Reads a page and checks it.</summary>
    /// <param name="page"><see cref="MaxPageBytes"/> of room.</param>
    /// <returns>Its rows.</returns>
    public ReadOnlySpan<byte> ReadPage(PartFile file, int number, Span<byte> page)
    {
        var before = (long)number * PageRowBytes;
        var length = (int)Math.Min(PageRowBytes, RowBytes - before);
        file.ReadChecked(page[..(length + ChecksumBytes)], Offset + before + ((long)number * ChecksumBytes), number);
        return page[..length];
    }

    /// <summary>The filters as their blocks have them, one after another.</summary>
    /// <param name="filters"><see cref="FilterBytes"/> for each block.</param>
    public void Unpack(PartFile file, Span<byte> filters)
    {
        Span<byte> page = stackalloc byte[MaxPageBytes];
        Span<byte> group = stackalloc byte[MaxBlocks / 8 * BitMatrix.Rows];
        group = group[..(WidthBits * BitMatrix.Rows / 8)];
        Span<ulong> words = stackalloc ulong[MaxBlocks];
        ReadOnlySpan<byte> left = page[..0];
        var number = 0;
        for (var at = 0; at < FilterBytes; at += sizeof(ulong))
        {
            for (var filled = 0; filled < group.Length;)
            {
                if (left.IsEmpty)
                {
                    left = ReadPage(file, number++, page);
                }
                var some = Math.Min(left.Length, group.Length - filled);
                left[..some].CopyTo(group[filled..]);
                left = left[some..];
                filled += some;
            }
            BitMatrix.FromRows(group, WidthBits, words);
            for (var block = 0; block < Blocks; block++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(filters[((block * FilterBytes) + at)..], words[block]);
            }
        }
    }
}

/// <summary>The stripes of one kind of filter in a part, of all its blocks together; none: the part has no such filters. Immutable.</summary>
internal sealed class FilterStripes(FilterStripe[] stripes)
{
    public static readonly FilterStripes None = new([]);

    public bool IsEmpty => stripes.Length == 0;

    public ReadOnlySpan<FilterStripe> All => stripes;

    public static FilterStripes Decode(ref ChunkReader reader, int blocks, ref long expected)
    {
        var decoded = new FilterStripe[reader.Count(blocks)];
        var block = 0;
        for (var i = 0; i < decoded.Length; i++)
        {
            decoded[i] = FilterStripe.Decode(ref reader, block, blocks - block, ref expected);
            block = decoded[i].EndBlock;
        }
        return decoded.Length == 0 || block == blocks ? new FilterStripes(decoded) : throw reader.Corrupt($"stripes have the filters of {block} blocks of {blocks}");
    }

    /// <summary>The stripe with the block's filter.</summary>
    public FilterStripe Of(int block)
    {
        var (low, high) = (0, stripes.Length - 1);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            if (stripes[middle].EndBlock <= block)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return stripes[low];
    }

    /// <summary>Sets the blocks whose filters have every one of the bits.</summary>
    /// <param name="positions">Bits, each modulo the filters'.</param>
    public void Find(PartFile file, ReadOnlySpan<ulong> positions, Span<ulong> blocks)
    {
        foreach (ref readonly var stripe in stripes.AsSpan())
        {
            var (low, high) = stripe.Find(file, positions);
            Add(blocks, stripe.FirstBlock, low);
            Add(blocks, stripe.FirstBlock + 64, high);
        }
    }

    public bool MayContain(PartFile file, ReadOnlySpan<ulong> positions, int block)
    {
        var stripe = Of(block);
        var (low, high) = stripe.Find(file, positions);
        var bit = block - stripe.FirstBlock;
        return (((bit < 64 ? low : high) >> (bit & 63)) & 1) != 0;
    }

    private static void Add(Span<ulong> blocks, int first, ulong found)
    {
        if (found == 0)
        {
            return;
        }
        var (word, shift) = (first >> 6, first & 63);
        blocks[word] |= found << shift;
        if (shift != 0 && found >> (64 - shift) is var rest and not 0)
        {
            blocks[word + 1] |= rest;
        }
    }
}
