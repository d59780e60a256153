using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>How a value column keeps its values, and what its directory entry says of each block.</summary>
internal enum ValueColumnKind : byte
{
    Raw = 0,
    Dictionary = 1,

    /// <summary>Raw, with a text filter for each block that can have one. Since version 2.</summary>
    RawTexts = 2,

    /// <summary>Raw, all of them integers, with the lowest and the highest of each block. Since version 2.</summary>
    RawIntegers = 3,
}

/// <summary>What is known of a raw column's values in one block, beside the block's bloom.</summary>
/// <param name="HasTextFilter">The block has a text filter: in a stripe, or before version 3 as a chunk.</param>
/// <param name="TextFilter">Before version 3; absent when there is none: any text may be in the block.</param>
/// <param name="HasRange">All values are integers from <paramref name="Lowest"/> to <paramref name="Highest"/>.</param>
internal readonly record struct RawIndex(bool HasTextFilter, ChunkRef TextFilter, bool HasRange, long Lowest, long Highest)
{
    public static RawIndex OfText(ChunkRef filter = default) => new(true, filter, false, 0, 0);

    public static RawIndex OfRange(long lowest, long highest) => new(false, default, true, lowest, highest);

    /// <summary>What all blocks of a column have.</summary>
    public static ValueColumnKind KindOf(ReadOnlySpan<RawIndex> blocks)
    {
        var (texts, ranges) = (!blocks.IsEmpty, !blocks.IsEmpty);
        foreach (ref readonly var block in blocks)
        {
            texts &= block.HasTextFilter;
            ranges &= block.HasRange;
        }
        return texts ? ValueColumnKind.RawTexts : ranges ? ValueColumnKind.RawIntegers : ValueColumnKind.Raw;
    }

    public void Write(ByteWriter writer, ValueColumnKind kind)
    {
        if (kind == ValueColumnKind.RawIntegers)
        {
            writer.VarInt(Lowest);
            writer.VarUInt((ulong)(Highest - Lowest));
        }
    }

    public static RawIndex Read(ref ChunkReader reader, ValueColumnKind kind, int version, ref long expected)
    {
        switch (kind)
        {
            case ValueColumnKind.RawTexts:
                return OfText(version < PartFormat.StripesVersion ? ChunkRefCodec.Read(ref reader, ref expected) : default);
            case ValueColumnKind.RawIntegers:
                var lowest = reader.VarInt();
                return OfRange(lowest, lowest + (long)reader.VarUInt());
            default:
                return default;
        }
    }
}
