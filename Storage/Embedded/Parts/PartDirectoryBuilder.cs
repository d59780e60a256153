using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Collects where the columns of a part being written lie, and writes the directory (FORMAT.md "Directory").</summary>
internal sealed class PartDirectoryBuilder(int blocks)
{
    private readonly SortedDictionary<PlainColumn, (ChunkRef Chunk, ulong Mask)[]> _plain = [];
    private readonly Dictionary<ContentColumn, (ChunkRef Chunk, ulong Mask)[]> _values = [];
    private readonly Dictionary<ContentColumn, RawIndex[]> _rawIndexes = [];
    private readonly List<(ContentColumn Column, ChunkRef Dictionary)> _columns = [];

    public void AddPlain(PlainColumn column, int block, ChunkRef chunk, ulong mask)
    {
        if (chunk.IsAbsent && mask == 0)
        {
            return;
        }
        if (!_plain.TryGetValue(column, out var chunks))
        {
            chunks = new (ChunkRef, ulong)[blocks];
            _plain.Add(column, chunks);
        }
        chunks[block] = (chunk, mask);
    }

    public void AddValues(ContentColumn column, int index, ChunkRef chunk, ulong mask)
    {
        if (!_values.TryGetValue(column, out var chunks))
        {
            chunks = new (ChunkRef, ulong)[column.BlockCount];
            _values.Add(column, chunks);
        }
        chunks[index] = (chunk, mask);
    }

    public void AddRawValues(ContentColumn column, int index, ChunkRef chunk, in RawIndex rawIndex)
    {
        AddValues(column, index, chunk, 0);
        if (!_rawIndexes.TryGetValue(column, out var indexes))
        {
            indexes = new RawIndex[column.BlockCount];
            _rawIndexes.Add(column, indexes);
        }
        indexes[index] = rawIndex;
    }

    public void AddColumn(ContentColumn column, ChunkRef dictionary) => _columns.Add((column, dictionary));

    /// <param name="shapes">Of records, events, links; a shape names columns by their number among those of its scope.</param>
    public void WriteTo(ByteWriter writer, IReadOnlyList<FilterStripe> blooms, IReadOnlyList<FilterStripe> texts, params ReadOnlySpan<IReadOnlyList<int[]>> shapes)
    {
        long expected = 0;
        writer.VarUInt((ulong)_plain.Count);
        foreach (var (column, chunks) in _plain)
        {
            writer.Byte((byte)column);
            foreach (var (chunk, mask) in chunks)
            {
                ChunkRefCodec.Write(writer, chunk, ref expected);
                if (PartDirectory.HasMask(column))
                {
                    writer.UInt64(mask);
                }
            }
        }
        writer.VarUInt((ulong)_columns.Count);
        foreach (var (column, dictionary) in _columns)
        {
            WriteColumn(writer, column, dictionary, ref expected);
        }
        foreach (var scope in shapes)
        {
            writer.VarUInt((ulong)scope.Count);
            foreach (var columns in scope)
            {
                writer.VarUInt((ulong)columns.Length);
                foreach (var column in columns)
                {
                    writer.VarUInt((ulong)column);
                }
            }
        }
        foreach (var stripes in new[] { blooms, texts })
        {
            writer.VarUInt((ulong)stripes.Count);
            foreach (var stripe in stripes)
            {
                stripe.Encode(writer, ref expected);
            }
        }
    }

    private void WriteColumn(ByteWriter writer, ContentColumn column, ChunkRef dictionary, ref long expected)
    {
        writer.Byte((byte)column.Scope);
        writer.LengthPrefixed(column.Key);
        writer.VarUInt((ulong)column.Entries);
        var rawIndexes = column.IsDictionary ? [] : _rawIndexes[column];
        var kind = column.IsDictionary ? ValueColumnKind.Dictionary : RawIndex.KindOf(rawIndexes);
        writer.Byte((byte)kind);
        if (column.IsDictionary)
        {
            writer.VarUInt((ulong)column.Distinct);
            ChunkRefCodec.Write(writer, dictionary, ref expected);
        }
        writer.VarUInt((ulong)column.BlockCount);
        var previous = -1;
        for (var index = 0; index < column.BlockCount; index++)
        {
            var (chunk, mask) = _values[column][index];
            writer.VarUInt((ulong)(column.BlockNumber(index) - previous - 1));
            writer.VarUInt((ulong)column.BlockEntries(index));
            ChunkRefCodec.Write(writer, chunk, ref expected);
            if (column.IsDictionary)
            {
                writer.UInt64(mask);
            }
            else
            {
                rawIndexes[index].Write(writer, kind);
            }
            previous = column.BlockNumber(index);
        }
    }
}
