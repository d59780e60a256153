using System.Buffers.Binary;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Rollups;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Parts;

/// <summary>A part on disk as a search sees it. Only the footer is held; the rest comes through the chunk cache.</summary>
internal sealed class PartSource : RowSource, IDisposable
{
    private readonly PartFile _file;
    private readonly ChunkCache _cache;
    private readonly int _number;
    private readonly System.Collections.Concurrent.ConcurrentBag<RollupFile> _rollups = [];
    private RollupSource? _rollup;

    public PartSource(PartFile file, ChunkCache cache)
    {
        _file = file;
        _cache = cache;
        _number = cache.NextPartNumber();
        (FirstTimeUnixNano, LastTimeUnixNano) = (long.MaxValue, long.MinValue);
        foreach (var block in file.Footer.Blocks)
        {
            FirstTimeUnixNano = Math.Min(FirstTimeUnixNano, block.FirstTimeUnixNano);
            LastTimeUnixNano = Math.Max(LastTimeUnixNano, block.LastTimeUnixNano);
            RowCount += block.Rows;
        }
    }

    public PartFile File => _file;

    public override RollupSource? Rollup => _rollup;

    /// <summary>Gives the part its rollup, which is closed with it. A rollup that a query rejected stays open as others may read it.</summary>
    public void SetRollup(RollupFile rollup)
    {
        _rollup = rollup;
        _rollups.Add(rollup);
    }

    public override void RejectRollup(RollupSource rollup) => Interlocked.CompareExchange(ref _rollup, null, rollup);

    /// <summary>As the manifest lists it; null when none does. Set before any other thread has the part.</summary>
    public ManifestPart? Entry { get; set; }

    public override Signal Signal => _file.Footer.Signal;

    public override int BlockCount => _file.Footer.Blocks.Length;

    public override long RowCount { get; }

    public override long FirstTimeUnixNano { get; }

    public override long LastTimeUnixNano { get; }

    public override ColumnBatch Owners => Cached(
        _file.Footer.Owners, (ref ChunkReader reader) => OwnersCodec.Decode(ref reader, Signal), static owners => owners.SizeBytes);

    public override IReadOnlyList<AttributeName> AttributeNames
    {
        get
        {
            var names = new List<AttributeName>();
            foreach (var column in Directory.Columns)
            {
                if (column.Scope != ValueScope.Intrinsic)
                {
                    var scope = column.Scope switch { ValueScope.Record => FieldScope.Record, ValueScope.Event => FieldScope.Event, _ => FieldScope.Link };
                    names.Add(new AttributeName(scope, column.Name, column.Entries));
                }
            }
            return names;
        }
    }

    internal PartDirectory Directory => Cached(
        _file.Footer.Directory, (ref ChunkReader reader) => PartDirectory.Decode(ref reader, BlockCount, _file.Version), static directory => directory.SizeBytes);

    public override BlockBounds GetBounds(int block) => _file.Footer.Blocks[block];

    public override bool AnswersAtOnce => _file.Version >= PartFormat.StripesVersion;

    public override bool MayEqual(int block, Field field, in AttributeValue value) => BloomKey(field) is not { } key || ColumnMayEqual(block, key.Scope, key.Key, value);

    public override ulong[]? BlocksMayEqual(Field field, IReadOnlyList<AttributeValue> values)
    {
        if (!AnswersAtOnce || BloomKey(field) is not { } key || Directory.Find(key.Scope, key.Key) is not { IsDictionary: false } column)
        {
            return null;
        }
        var blocks = new ulong[(BlockCount + 63) / 64];
        var columnHash = ValueHash.OfBytes(column.Key, (ulong)key.Scope);
        Span<ulong> positions = stackalloc ulong[Bloom.Probes];
        foreach (var value in values)
        {
            Bloom.Locate(ValueHash.InColumn(columnHash, ValueHash.Of(value.Type, value.Bits, value.Content)), positions);
            Directory.Blooms.Find(_file, positions, blocks);
        }
        return blocks;
    }

    public override ColumnIndex? IndexOf(Field field) => field.Scope switch
    {
        FieldScope.Record => new PartColumnIndex(this, Directory.Find(ValueScope.Record, field.Key)),
        FieldScope.Event => new PartColumnIndex(this, Directory.Find(ValueScope.Event, field.Key)),
        FieldScope.Link => new PartColumnIndex(this, Directory.Find(ValueScope.Link, field.Key)),
        FieldScope.Intrinsic when IntrinsicKey.Of(field.Intrinsic) is { } key => new PartColumnIndex(this, Directory.Find(ValueScope.Intrinsic, key)),
        _ => null,
    };

    public override ulong ResourceMask(int block) => Directory.Mask(PlainColumn.Resource, block);

    public override ulong ByteMask(Intrinsic intrinsic, int block) => Directory.Mask(
        intrinsic switch { Intrinsic.Kind => PlainColumn.Kind, Intrinsic.Status => PlainColumn.Status, _ => PlainColumn.Severity }, block);

    public override void FindTrace(TraceId traceId, List<int> blocks)
    {
        var pages = _file.Footer.TracePages;
        var page = 0;
        for (var high = pages.Length; page < high;)
        {
            // The first page that begins at the id or beyond; the one before may still end with it.
            var middle = (page + high) >> 1;
            if (pages[middle].FirstId < traceId.Low)
            {
                page = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        for (page = Math.Max(page - 1, 0); page < pages.Length && pages[page].FirstId <= traceId.Low; page++)
        {
            ReadTracePage(pages[page]).Find(traceId.Low, blocks);
        }
    }

    public override RowBlock OpenBlock(int block) => new PartBlock(this, block);

    public void Dispose()
    {
        foreach (var rollup in _rollups)
        {
            rollup.Dispose();
        }
        _cache.RemovePart(_number);
        _file.Dispose();
    }

    /// <summary>The values of a dictionary column; the same object as long as it stays in the cache.</summary>
    internal ValueList DictionaryOf(ValueColumn column) => Cached(
        column.Dictionary, (ref ChunkReader reader) =>
        {
            var values = ValueList.Decode(ref reader, column.Distinct);
            reader.ExpectEnd();
            return values;
        }, static values => values.SizeBytes);

    private delegate T DecodeChunk<T>(ref ChunkReader reader);

    private T Cached<T>(ChunkRef reference, DecodeChunk<T> decode, Func<T, long> size)
        where T : class
    {
        if (_cache.TryGet<T>(_number, reference.Offset, out var cached))
        {
            return cached;
        }
        if (reference.IsAbsent)
        {
            throw new CorruptPartException(_file.Path, 0, "a chunk that must be there is absent");
        }
        using var chunk = _file.Read(reference);
        var reader = chunk.Reader();
        var value = decode(ref reader);
        return _cache.Add(_number, reference.Offset, value, size(value));
    }

    internal TracePage ReadTracePage(TracePageRef page) => Cached(
        page.Chunk, (ref ChunkReader reader) => TracePage.Decode(ref reader, page.Entries, BlockCount), static value => value.SizeBytes);

    /// <summary>The column whose values the blooms know by what they compare as; null when they do not.</summary>
    private static (ValueScope Scope, string Key)? BloomKey(Field field) => field.Scope switch
    {
        FieldScope.Record => (ValueScope.Record, field.Key),
        FieldScope.Event => (ValueScope.Event, field.Key),
        FieldScope.Link => (ValueScope.Link, field.Key),
        // A body that is no string compares as its text, which the bloom does not know.
        FieldScope.Intrinsic when field.Intrinsic != Intrinsic.Body && IntrinsicKey.Of(field.Intrinsic) is { } key => (ValueScope.Intrinsic, key),
        _ => null,
    };

    /// <summary>Dictionaries are for <see cref="IndexOf"/>: here they only say whether the block has the attribute.</summary>
    private bool ColumnMayEqual(int block, ValueScope scope, string key, in AttributeValue value)
    {
        var directory = Directory;
        if (directory.Find(scope, key) is not { } column || column.InBlock(block) is null)
        {
            return false;
        }
        if (column.IsDictionary)
        {
            return true;
        }
        var hash = ValueHash.InColumn(ValueHash.OfBytes(column.Key, (ulong)scope), ValueHash.Of(value.Type, value.Bits, value.Content));
        if (AnswersAtOnce)
        {
            Span<ulong> positions = stackalloc ulong[Bloom.Probes];
            Bloom.Locate(hash, positions);
            return directory.Blooms.MayContain(_file, positions, block);
        }
        var bloom = Cached(directory.BloomChunks[block], static (ref ChunkReader reader) => reader.Bytes(reader.Remaining).ToArray(), static bytes => bytes.Length);
        return Bloom.MayContain(bloom, hash);
    }
}

/// <summary>A decoded page of the trace index.</summary>
internal sealed class TracePage(ulong[] ids, int[] blocks)
{
    public long SizeBytes => 12L * ids.Length;

    public int Count => ids.Length;

    /// <summary>The low half of a trace id; they ascend.</summary>
    public ulong Id(int entry) => ids[entry];

    public int Block(int entry) => blocks[entry];

    public static TracePage Decode(ref ChunkReader reader, int entries, int blockCount)
    {
        var ids = new ulong[entries];
        foreach (ref var id in ids.AsSpan())
        {
            id = reader.UInt64();
        }
        var blocks = new int[entries];
        IntColumn.Decode<int>(ref reader, blocks);
        reader.ExpectEnd();
        foreach (var block in blocks)
        {
            if ((uint)block >= (uint)blockCount)
            {
                throw reader.Corrupt($"a trace is in block {block} of {blockCount}");
            }
        }
        return new TracePage(ids, blocks);
    }

    public void Find(ulong id, List<int> found)
    {
        var index = Array.BinarySearch(ids, id);
        if (index < 0)
        {
            return;
        }
        while (index > 0 && ids[index - 1] == id)
        {
            index--;
        }
        for (; index < ids.Length && ids[index] == id; index++)
        {
            found.Add(blocks[index]);
        }
    }
}
