using System.Text;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Search;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Where every column of a part lies: read when a part is first searched, kept in the chunk cache. Immutable.</summary>
internal sealed class PartDirectory
{
    private readonly Dictionary<PlainColumn, (ChunkRef Chunk, ulong Mask)[]> _plain = [];
    private readonly ValueColumn[] _columns;
    private readonly Dictionary<(ValueScope, string), ValueColumn> _byKey = [];
    private readonly ChunkRef[] _blooms;

    private PartDirectory(ValueColumn[] columns, int blocks)
    {
        _columns = columns;
        _blooms = new ChunkRef[blocks];
        foreach (var column in columns)
        {
            _byKey.TryAdd((column.Scope, column.Name), column);
        }
    }

    public IReadOnlyList<ValueColumn> Columns => _columns;

    /// <summary>The plain columns that the part stores.</summary>
    public IEnumerable<PlainColumn> PlainColumns => _plain.Keys;

    public AttributeShapes Records { get; private init; } = AttributeShapes.None;

    public AttributeShapes Events { get; private init; } = AttributeShapes.None;

    public AttributeShapes Links { get; private init; } = AttributeShapes.None;

    /// <summary>Memory held, for the cache's bound.</summary>
    public long SizeBytes { get; private init; }

    public static bool HasMask(PlainColumn column) => column is PlainColumn.Resource or PlainColumn.Kind or PlainColumn.Status or PlainColumn.Severity;

    public ChunkRef Plain(PlainColumn column, int block) => _plain.TryGetValue(column, out var chunks) ? chunks[block].Chunk : default;

    /// <summary>Bit (value mod 64) is set for each value in the block; 0 when the part lacks the column.</summary>
    public ulong Mask(PlainColumn column, int block) => _plain.TryGetValue(column, out var chunks) ? chunks[block].Mask : 0;

    public ChunkRef BloomOf(int block) => _blooms[block];

    /// <summary>Null when no row of the part has it.</summary>
    public ValueColumn? Find(ValueScope scope, string key) => _byKey.GetValueOrDefault((scope, key));

    public static PartDirectory Decode(ref ChunkReader reader, int blocks)
    {
        var size = reader.Remaining * 3L;
        long expected = 0;
        var plain = new Dictionary<PlainColumn, (ChunkRef, ulong)[]>();
        for (var left = reader.Count(byte.MaxValue); left > 0; left--)
        {
            var column = (PlainColumn)reader.Byte();
            var chunks = new (ChunkRef, ulong)[blocks];
            for (var block = 0; block < blocks; block++)
            {
                var chunk = ChunkRefCodec.Read(ref reader, ref expected);
                chunks[block] = (chunk, HasMask(column) ? reader.UInt64() : 0);
            }
            plain[column] = chunks;
        }
        var columns = new ValueColumn[reader.Count(reader.Remaining)];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = ValueColumn.Decode(ref reader, blocks, ref expected);
        }
        var directory = new PartDirectory(columns, blocks)
        {
            SizeBytes = size + (200L * columns.Length),
            Records = AttributeShapes.Decode(ref reader, [.. columns.Where(column => column.Scope == ValueScope.Record)]),
            Events = AttributeShapes.Decode(ref reader, [.. columns.Where(column => column.Scope == ValueScope.Event)]),
            Links = AttributeShapes.Decode(ref reader, [.. columns.Where(column => column.Scope == ValueScope.Link)]),
        };
        foreach (var (column, chunks) in plain)
        {
            directory._plain.Add(column, chunks);
        }
        for (var block = 0; block < blocks; block++)
        {
            directory._blooms[block] = ChunkRefCodec.Read(ref reader, ref expected);
        }
        reader.ExpectEnd();
        return directory;
    }
}

/// <summary>Values of one attribute key, or of one intrinsic.</summary>
internal sealed class ValueColumn(ValueScope scope, string name, byte[] key, long entries, bool isDictionary, int distinct, ChunkRef dictionary, ValueColumnBlock[] blocks)
{
    public ValueScope Scope { get; } = scope;

    /// <summary>The key as text.</summary>
    public string Name { get; } = name;

    /// <summary>The key's bytes.</summary>
    public byte[] Key { get; } = key;

    /// <summary>In all blocks.</summary>
    public long Entries { get; } = entries;

    public bool IsDictionary { get; } = isDictionary;

    /// <summary>Values in the dictionary; 0 for a raw column.</summary>
    public int Distinct { get; } = distinct;

    public ChunkRef Dictionary { get; } = dictionary;

    /// <summary>Those that have entries, ascending.</summary>
    public ValueColumnBlock[] Blocks { get; } = blocks;

    /// <summary>Null when no row of the block has the key.</summary>
    public ValueColumnBlock? InBlock(int block)
    {
        var (low, high) = (0, Blocks.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            if (Blocks[middle].Block == block)
            {
                return Blocks[middle];
            }
            if (Blocks[middle].Block < block)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return null;
    }

    public static ValueColumn Decode(ref ChunkReader reader, int blocks, ref long expected)
    {
        var scope = (ValueScope)reader.Byte();
        if (scope > ValueScope.Link)
        {
            throw reader.Corrupt($"value scope {(byte)scope} is unknown");
        }
        var key = reader.LengthPrefixed().ToArray();
        var entries = reader.Count(int.MaxValue);
        var kind = (ValueColumnKind)reader.Byte();
        if (kind > ValueColumnKind.RawIntegers)
        {
            throw reader.Corrupt($"value column kind {(byte)kind} is unknown");
        }
        var isDictionary = kind == ValueColumnKind.Dictionary;
        var distinct = isDictionary ? reader.Count(PartFormat.MaxChunkBytes) : 0;
        var dictionary = isDictionary ? ChunkRefCodec.Read(ref reader, ref expected) : default;
        var present = new ValueColumnBlock[reader.Count(blocks)];
        var block = -1;
        for (var i = 0; i < present.Length; i++)
        {
            block += 1 + reader.Count(blocks);
            if (block >= blocks)
            {
                throw reader.Corrupt($"a column is in block {block} of {blocks}");
            }
            var count = reader.Count(int.MaxValue);
            var chunk = ChunkRefCodec.Read(ref reader, ref expected);
            present[i] = isDictionary
                ? new ValueColumnBlock(block, count, chunk, reader.UInt64(), default)
                : new ValueColumnBlock(block, count, chunk, 0, RawIndex.Read(ref reader, kind, ref expected));
        }
        return new ValueColumn(scope, Encoding.UTF8.GetString(key), key, entries, isDictionary, distinct, dictionary, present);
    }
}

/// <param name="Entries">Values of the column in the block.</param>
/// <param name="Chunk">Dictionary codes, absent when all are 0; or the raw values.</param>
/// <param name="Mask">Bit (code mod 64) is set for each code in the block.</param>
/// <param name="Raw">What is known of the block's raw values.</param>
internal sealed record ValueColumnBlock(int Block, int Entries, ChunkRef Chunk, ulong Mask, RawIndex Raw);

/// <summary>The distinct lists of keys that records (or events, or links) of a part have, in order; a key that one has twice is there twice.</summary>
internal sealed class AttributeShapes
{
    public static readonly AttributeShapes None = new([], []);

    private readonly int[][] _shapes;
    private readonly Dictionary<ValueColumn, int> _numberOf = [];

    /// <summary>By column, made when first asked for; an empty one stands for "one shape has it twice". A race makes the same set twice.</summary>
    private readonly CodeSet?[] _sets;

    private AttributeShapes(ValueColumn[] columns, int[][] shapes)
    {
        Columns = columns;
        _shapes = shapes;
        _sets = new CodeSet?[columns.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            _numberOf.Add(columns[i], i);
        }
    }

    public ValueColumn[] Columns { get; }

    public int Count => _shapes.Length;

    /// <summary>Numbers of the shape's columns in <see cref="Columns"/>.</summary>
    public ReadOnlySpan<int> this[int shape] => _shapes[shape];

    /// <summary>The shapes that have the column's key; null when one has it twice.</summary>
    public CodeSet? With(ValueColumn column)
    {
        var number = _numberOf[column];
        if (_sets[number] is { } known)
        {
            return known == CodeSet.Empty ? null : known;
        }
        var has = new bool[_shapes.Length];
        var repeats = false;
        for (var shape = 0; shape < has.Length; shape++)
        {
            var count = _shapes[shape].AsSpan().Count(number);
            has[shape] = count > 0;
            repeats |= count > 1;
        }
        _sets[number] = repeats ? CodeSet.Empty : CodeSet.Of(has);
        return With(column);
    }

    /// <summary>How often each shape has the column's key.</summary>
    public void CountOccurrences(ValueColumn column, Span<int> counts)
    {
        var number = _numberOf[column];
        for (var shape = 0; shape < _shapes.Length; shape++)
        {
            counts[shape] = _shapes[shape].AsSpan().Count(number);
        }
    }

    public static AttributeShapes Decode(ref ChunkReader reader, ValueColumn[] columns)
    {
        var shapes = new int[reader.Count(reader.Remaining)][];
        for (var shape = 0; shape < shapes.Length; shape++)
        {
            var keys = new int[reader.Count(reader.Remaining)];
            for (var i = 0; i < keys.Length; i++)
            {
                keys[i] = columns.Length == 0 ? throw reader.Corrupt("a shape has keys and the part has none") : reader.Count(columns.Length - 1);
            }
            shapes[shape] = keys;
        }
        return new AttributeShapes(columns, shapes);
    }
}
