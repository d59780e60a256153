using Apm.Storage.Embedded.Search;

namespace Apm.Storage.Embedded.Parts;

/// <summary>A value column in one block of a part, each row's value once.</summary>
/// <param name="presence">Rows that have a value; the bits behind the last row are 0.</param>
internal sealed class PartColumn(PartBlock block, ValueColumn column, ValueColumnBlock inBlock, ReadOnlyMemory<ulong> presence) : DenseColumn
{
    public override ReadOnlySpan<ulong> Presence => presence.Span;

    public override ReadOnlySpan<int> Codes => block.Dense(column, inBlock).Codes.AsSpan(0, inBlock.Entries);

    public override ValueDictionary Values => column.IsDictionary ? block.Source.DictionaryOf(column) : block.Dense(column, inBlock).Values;

    /// <summary>A code for each row, -1 where it has no value.</summary>
    public void CopyTo(Span<int> rows)
    {
        var codes = Codes;
        var next = 0;
        for (var word = 0; word < presence.Length; word++)
        {
            var present = presence.Span[word];
            var some = rows.Slice(word << 6, Math.Min(64, rows.Length - (word << 6)));
            if (present == ulong.MaxValue)
            {
                codes.Slice(next, some.Length).CopyTo(some);
                next += some.Length;
                continue;
            }
            some.Fill(-1);
            for (; present != 0; present &= present - 1)
            {
                some[System.Numerics.BitOperations.TrailingZeroCount(present)] = codes[next++];
            }
        }
    }
}

/// <summary>What a part's directory says of a value column.</summary>
/// <param name="column">Null: no row of the part has it.</param>
internal sealed class PartColumnIndex(PartSource source, ValueColumn? column) : ColumnIndex
{
    public override ValueDictionary? Values => column is { IsDictionary: true, Distinct: > 0 } ? source.DictionaryOf(column) : null;

    public override ulong CodeMask(int block) => column?.InBlock(block) is not { } inBlock ? 0 : column.IsDictionary ? inBlock.Mask : ulong.MaxValue;

    public override (long Lowest, long Highest)? Range(int block) =>
        column?.InBlock(block) is { Raw.HasRange: true } inBlock ? (inBlock.Raw.Lowest, inBlock.Raw.Highest) : null;

    public override bool MayContain(int block, ReadOnlySpan<int> grams)
    {
        if (HasTextStripes)
        {
            return source.Directory.Texts.MayContain(source.File, Encodings.TextFilter.Spread(grams), block);
        }
        if (column?.InBlock(block) is not { Raw.TextFilter.IsAbsent: false } inBlock)
        {
            return true;
        }
        // Not kept in the cache, where those of a scan would drive out everything else: reading one takes microseconds.
        using var filter = source.File.Read(inBlock.Raw.TextFilter);
        return Encodings.TextFilter.MayContain(filter.Content, grams);
    }

    public override ulong[]? BlocksMayContain(ReadOnlySpan<int> grams)
    {
        if (!HasTextStripes)
        {
            return null;
        }
        var blocks = new ulong[RowMask.WordCount(source.BlockCount)];
        source.Directory.Texts.Find(source.File, Encodings.TextFilter.Spread(grams), blocks);
        return blocks;
    }

    /// <summary>Only bodies have text filters.</summary>
    private bool HasTextStripes => column is { HasTextFilters: true } && !source.Directory.Texts.IsEmpty;
}
