using System.Runtime.CompilerServices;
using System.Text;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Search;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Where every column of a part lies: read when a part is first searched, kept in the chunk cache. Immutable.</summary>
internal sealed class PartDirectory
{
    private readonly Dictionary<PlainColumn, (ChunkRef[] Chunks, ulong[] Masks)> _plain = [];
    private readonly ValueColumn[] _columns;
    private readonly Dictionary<(ValueScope, string), ValueColumn> _byKey = [];

    private PartDirectory(ValueColumn[] columns)
    {
        _columns = columns;
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

    public ChunkRef Plain(PlainColumn column, int block) => _plain.TryGetValue(column, out var stored) ? stored.Chunks[block] : default;

    /// <summary>Bit (value mod 64) is set for each value in the block; 0 when the part lacks the column.</summary>
    public ulong Mask(PlainColumn column, int block) => _plain.TryGetValue(column, out var stored) && stored.Masks.Length > 0 ? stored.Masks[block] : 0;

    /// <summary>The blooms of the blocks; none before version 3, or without raw columns.</summary>
    public FilterStripes Blooms { get; private init; } = FilterStripes.None;

    /// <summary>The text filters of the blocks' bodies; none before version 3, or when the part has none.</summary>
    public FilterStripes Texts { get; private init; } = FilterStripes.None;

    /// <summary>The bloom of each block before version 3; empty since.</summary>
    public ChunkRef[] BloomChunks { get; private init; } = [];

    /// <summary>Null when no row of the part has it.</summary>
    public ValueColumn? Find(ValueScope scope, string key) => _byKey.GetValueOrDefault((scope, key));

    /// <param name="version">Of the part's format.</param>
    public static PartDirectory Decode(ref ChunkReader reader, int blocks, int version)
    {
        long size = 1_000 + (version < PartFormat.StripesVersion ? (long)Unsafe.SizeOf<ChunkRef>() * blocks : 0);
        long expected = 0;
        var plain = new Dictionary<PlainColumn, (ChunkRef[], ulong[])>();
        for (var left = reader.Count(byte.MaxValue); left > 0; left--)
        {
            var column = (PlainColumn)reader.Byte();
            var chunks = new ChunkRef[blocks];
            var masks = HasMask(column) ? new ulong[blocks] : [];
            for (var block = 0; block < blocks; block++)
            {
                chunks[block] = ChunkRefCodec.Read(ref reader, ref expected);
                if (masks.Length > 0)
                {
                    masks[block] = reader.UInt64();
                }
            }
            plain[column] = (chunks, masks);
            size += ((long)Unsafe.SizeOf<ChunkRef>() * blocks) + (8L * masks.Length);
        }
        var columns = new ValueColumn[reader.Count(reader.Remaining)];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = ValueColumn.Decode(ref reader, blocks, version, ref expected);
            size += columns[i].SizeBytes;
        }
        // Shapes are lists of column numbers of a byte each, mostly; behind them are the filters.
        size += 8L * Math.Max(0, reader.Remaining - (version < PartFormat.StripesVersion ? 8L * blocks : 0));
        var records = AttributeShapes.Decode(ref reader, [.. columns.Where(column => column.Scope == ValueScope.Record)]);
        var events = AttributeShapes.Decode(ref reader, [.. columns.Where(column => column.Scope == ValueScope.Event)]);
        var links = AttributeShapes.Decode(ref reader, [.. columns.Where(column => column.Scope == ValueScope.Link)]);
        var inStripes = version >= PartFormat.StripesVersion;
        var chunksOfBlooms = new ChunkRef[inStripes ? 0 : blocks];
        foreach (ref var bloom in chunksOfBlooms.AsSpan())
        {
            bloom = ChunkRefCodec.Read(ref reader, ref expected);
        }
        var directory = new PartDirectory(columns)
        {
            SizeBytes = size,
            Records = records,
            Events = events,
            Links = links,
            BloomChunks = chunksOfBlooms,
            Blooms = inStripes ? FilterStripes.Decode(ref reader, blocks, ref expected) : FilterStripes.None,
            Texts = inStripes ? FilterStripes.Decode(ref reader, blocks, ref expected) : FilterStripes.None,
        };
        foreach (var (column, stored) in plain)
        {
            directory._plain.Add(column, stored);
        }
        reader.ExpectEnd();
        return directory;
    }
}

/// <summary>
/// Values of one attribute key, or of one intrinsic. What is known of each block is held in arrays by field: a part of 13 million spans has 1,600 blocks of
/// 40 such columns, which as objects are slow to make and take three times the memory.
/// </summary>
internal sealed class ValueColumn
{
    private readonly int _count;

    /// <summary>The blocks that have entries, ascending; null when all have.</summary>
    private readonly int[]? _numbers;
    private readonly int[] _entries;
    private readonly ChunkRef[] _chunks;

    /// <summary>Of a dictionary column only.</summary>
    private readonly ulong[] _masks;

    /// <summary>Of a raw column with an index only.</summary>
    private readonly RawIndex[] _raw;

    private ValueColumn(ref ChunkReader reader, int blocks, int version, ref long expected)
    {
        Scope = (ValueScope)reader.Byte();
        if (Scope > ValueScope.Link)
        {
            throw reader.Corrupt($"value scope {(byte)Scope} is unknown");
        }
        Key = reader.LengthPrefixed().ToArray();
        Name = Encoding.UTF8.GetString(Key);
        Entries = reader.Count(int.MaxValue);
        var kind = (ValueColumnKind)reader.Byte();
        if (kind > ValueColumnKind.RawIntegers)
        {
            throw reader.Corrupt($"value column kind {(byte)kind} is unknown");
        }
        IsDictionary = kind == ValueColumnKind.Dictionary;
        Distinct = IsDictionary ? reader.Count(PartFormat.MaxChunkBytes) : 0;
        Dictionary = IsDictionary ? ChunkRefCodec.Read(ref reader, ref expected) : default;
        _count = reader.Count(blocks);
        _numbers = _count == blocks ? null : new int[_count];
        _entries = new int[_count];
        _chunks = new ChunkRef[_count];
        _masks = IsDictionary ? new ulong[_count] : [];
        _raw = kind is ValueColumnKind.RawTexts or ValueColumnKind.RawIntegers ? new RawIndex[_count] : [];
        var block = -1;
        for (var i = 0; i < _count; i++)
        {
            block += 1 + reader.Count(blocks);
            if (block >= blocks)
            {
                throw reader.Corrupt($"a column is in block {block} of {blocks}");
            }
            if (_numbers is not null)
            {
                _numbers[i] = block;
            }
            _entries[i] = reader.Count(int.MaxValue);
            _chunks[i] = ChunkRefCodec.Read(ref reader, ref expected);
            if (IsDictionary)
            {
                _masks[i] = reader.UInt64();
            }
            else if (_raw.Length > 0)
            {
                _raw[i] = RawIndex.Read(ref reader, kind, version, ref expected);
            }
        }
    }

    public ValueScope Scope { get; }

    /// <summary>The key as text.</summary>
    public string Name { get; }

    /// <summary>The key's bytes.</summary>
    public byte[] Key { get; }

    /// <summary>In all blocks.</summary>
    public long Entries { get; }

    public bool IsDictionary { get; }

    /// <summary>Values in the dictionary; 0 for a raw column.</summary>
    public int Distinct { get; }

    public ChunkRef Dictionary { get; }

    /// <summary>Each of its blocks has a text filter.</summary>
    public bool HasTextFilters => _raw.Length > 0 && _raw[0].HasTextFilter;

    /// <summary>Blocks that have entries.</summary>
    public int BlockCount => _count;

    /// <summary>Those that have entries, ascending.</summary>
    public IEnumerable<ValueColumnBlock> Blocks => Enumerable.Range(0, _count).Select(At);

    /// <summary>Memory held, for the cache's bound.</summary>
    public long SizeBytes =>
        400 + Key.Length + (2L * Name.Length) + ((_numbers is null ? 4L : 8L) * _count) + ((long)Unsafe.SizeOf<ChunkRef>() * _count)
        + (8L * _masks.Length) + ((long)Unsafe.SizeOf<RawIndex>() * _raw.Length);

    public static ValueColumn Decode(ref ChunkReader reader, int blocks, int version, ref long expected) => new(ref reader, blocks, version, ref expected);

    /// <summary>Null when no row of the block has the key.</summary>
    public ValueColumnBlock? InBlock(int block)
    {
        var index = _numbers is null ? block : Array.BinarySearch(_numbers, block);
        return (uint)index < (uint)_count ? At(index) : null;
    }

    private ValueColumnBlock At(int index) => new(
        _numbers is null ? index : _numbers[index], _entries[index], _chunks[index], IsDictionary ? _masks[index] : 0, _raw.Length == 0 ? default : _raw[index]);
}

/// <param name="Entries">Values of the column in the block.</param>
/// <param name="Chunk">Dictionary codes, absent when all are 0; or the raw values.</param>
/// <param name="Mask">Bit (code mod 64) is set for each code in the block.</param>
/// <param name="Raw">What is known of the block's raw values.</param>
internal readonly record struct ValueColumnBlock(int Block, int Entries, ChunkRef Chunk, ulong Mask, RawIndex Raw);

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
