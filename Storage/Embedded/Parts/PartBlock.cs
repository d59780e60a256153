using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Parts;

/// <summary>One block of a part; columns are read and decoded into rented arrays when they are first asked for.</summary>
internal sealed class PartBlock : RowBlock
{
    private readonly PartSource _source;
    private readonly PartDirectory _directory;
    private readonly int _block;
    private readonly List<Action> _returns = [];
    private readonly Dictionary<ValueColumn, CodedColumn?> _coded = [];
    private readonly Dictionary<ValueColumn, (int[] Codes, ValueList Values)> _dense = [];
    private readonly Dictionary<PlainColumn, int[]> _ints = [];
    private int[]? _runs;
    private long[]? _times;
    private long[]? _durations;
    private TraceId[]? _traceIds;
    private SpanId[]? _spanIds;
    private SpanId[]? _parentSpanIds;
    private byte[]? _kinds;
    private byte[]? _statuses;
    private byte[]? _severities;
    private (bool Read, ChildRows? Rows) _events;
    private (bool Read, ChildRows? Rows) _links;
    private long _bytesRead;

    public PartBlock(PartSource source, int block)
    {
        _source = source;
        _directory = source.Directory;
        _block = block;
        Rows = source.GetBounds(block).Rows;
    }

    public override int Rows { get; }

    public override long BytesRead => _bytesRead;

    internal PartSource Source => _source;

    internal PartDirectory Directory => _directory;

    public override ReadOnlySpan<long> TimeUnixNano => (_times ??= _source.Signal == Signal.Traces ? ReadSpanTimes() : ReadLogTimes()).AsSpan(0, Rows);

    public override ReadOnlySpan<TraceId> TraceIds => (_traceIds ??= ReadTraceIds()).AsSpan(0, Rows);

    public override ReadOnlySpan<SpanId> SpanIds => (_spanIds ??= ReadSpanIds(PlainColumn.SpanId, Rows)).AsSpan(0, Rows);

    public override ReadOnlySpan<SpanId> ParentSpanIds => (_parentSpanIds ??= ReadParents()).AsSpan(0, Rows);

    public override ReadOnlySpan<int> Resources => Ints(PlainColumn.Resource, Rows);

    public override ReadOnlySpan<int> Scopes => Ints(PlainColumn.Scope, Rows);

    public override ReadOnlySpan<long> DurationNano => (_durations ??= ReadPlain<long>(OfSpans(PlainColumn.Duration), Rows)).AsSpan(0, Rows);

    public override ReadOnlySpan<byte> Kinds => (_kinds ??= ReadPlain<byte>(OfSpans(PlainColumn.Kind), Rows)).AsSpan(0, Rows);

    public override ReadOnlySpan<byte> Statuses => (_statuses ??= ReadPlain<byte>(OfSpans(PlainColumn.Status), Rows)).AsSpan(0, Rows);

    public override ReadOnlySpan<byte> SeverityNumbers => (_severities ??= ReadPlain<byte>(OfLogs(PlainColumn.Severity), Rows)).AsSpan(0, Rows);

    public override CodedColumn? GetColumn(Field field)
    {
        var column = field.Scope == FieldScope.Record
            ? _directory.Find(ValueScope.Record, field.Key)
            : _directory.Find(ValueScope.Intrinsic, KeyOf(field));
        if (column is null)
        {
            return null;
        }
        if (!_coded.TryGetValue(column, out var coded))
        {
            coded = ReadColumn(column);
            _coded.Add(column, coded);
        }
        return coded;
    }

    public override ChildRows? Events
    {
        get
        {
            if (!_events.Read)
            {
                _events = (true, PartChildren.Read(this, OfSpans(PlainColumn.EventCount), PlainColumn.EventShape, ValueScope.Event));
            }
            return _events.Rows;
        }
    }

    public override ChildRows? Links
    {
        get
        {
            if (!_links.Read)
            {
                _links = (true, PartChildren.Read(this, OfSpans(PlainColumn.LinkCount), PlainColumn.LinkShape, ValueScope.Link));
            }
            return _links.Rows;
        }
    }

    public override void CopyRows(ReadOnlySpan<int> rows, ColumnBatch target) => new PartRowCopier(this, target, rows.Length).Copy(rows);

    public override void Dispose()
    {
        foreach (var giveBack in _returns)
        {
            giveBack();
        }
        _returns.Clear();
    }

    /// <summary>A plain column of small integers; all zero when the part does not store it.</summary>
    internal ReadOnlySpan<int> Ints(PlainColumn column, int count)
    {
        if (!_ints.TryGetValue(column, out var values))
        {
            values = ReadPlain<int>(column, count);
            _ints.Add(column, values);
        }
        return values.AsSpan(0, count);
    }

    internal T[] ReadPlain<T>(PlainColumn column, int count)
        where T : unmanaged, IBinaryInteger<T>
    {
        var values = Rent<T>(count);
        var reference = _directory.Plain(column, _block);
        if (reference.IsAbsent)
        {
            values.AsSpan(0, count).Clear();
            return values;
        }
        using var chunk = Read(reference);
        var reader = chunk.Reader();
        IntColumn.Decode(ref reader, values.AsSpan(0, count));
        reader.ExpectEnd();
        return values;
    }

    internal SpanId[] ReadSpanIds(PlainColumn column, int count)
    {
        var ids = Rent<SpanId>(count);
        var reference = _directory.Plain(column, _block);
        if (reference.IsAbsent)
        {
            ids.AsSpan(0, count).Clear();
            return ids;
        }
        using var chunk = Read(reference);
        var reader = chunk.Reader();
        var bytes = reader.Bytes(checked(count * SpanId.SizeBytes));
        for (var i = 0; i < count; i++)
        {
            ids[i] = new SpanId(BinaryPrimitives.ReadUInt64BigEndian(bytes[(i * SpanId.SizeBytes)..]));
        }
        reader.ExpectEnd();
        return ids;
    }

    internal TraceId[] ReadLinkTraceIds(int count)
    {
        var ids = Rent<TraceId>(count);
        using var chunk = Read(_directory.Plain(PlainColumn.LinkTraceId, _block));
        var reader = chunk.Reader();
        for (var i = 0; i < count; i++)
        {
            TraceId.TryRead(reader.Bytes(TraceId.SizeBytes), out ids[i]);
        }
        reader.ExpectEnd();
        return ids;
    }

    /// <summary>The column's entries in this block, one after another, as codes into its values.</summary>
    internal (int[] Codes, ValueList Values) Dense(ValueColumn column, ValueColumnBlock inBlock)
    {
        if (_dense.TryGetValue(column, out var dense))
        {
            return dense;
        }
        var codes = Rent<int>(inBlock.Entries);
        ValueList values;
        if (column.IsDictionary)
        {
            values = _source.DictionaryOf(column);
            ReadCodes(codes.AsSpan(0, inBlock.Entries), inBlock.Chunk, values.Count);
        }
        else
        {
            using var chunk = Read(inBlock.Chunk);
            var reader = chunk.Reader();
            values = ValueList.Decode(ref reader, inBlock.Entries);
            reader.ExpectEnd();
            for (var i = 0; i < inBlock.Entries; i++)
            {
                codes[i] = i;
            }
        }
        dense = (codes, values);
        _dense.Add(column, dense);
        return dense;
    }

    internal CorruptPartException Corrupt(PlainColumn column, string message) => new(_source.File.Path, _directory.Plain(column, _block).Offset, message);

    internal ValueColumnBlock? InBlock(ValueColumn column) => column.InBlock(_block);

    internal T[] Rent<T>(int count)
    {
        var array = ArrayPool<T>.Shared.Rent(count);
        _returns.Add(() => ArrayPool<T>.Shared.Return(array));
        return array;
    }

    /// <summary>Shape of each owner, checked to be one that the part has.</summary>
    internal ReadOnlySpan<int> Shapes(PlainColumn column, int count, AttributeShapes shapes)
    {
        var values = Ints(column, count);
        foreach (var shape in values)
        {
            if ((uint)shape >= (uint)shapes.Count)
            {
                throw Corrupt(column, $"shape {shape} of {shapes.Count} is unknown");
            }
        }
        return values;
    }

    private RentedChunk Read(ChunkRef reference)
    {
        if (reference.IsAbsent)
        {
            throw new CorruptPartException(_source.File.Path, 0, $"a chunk of block {_block} is absent");
        }
        _bytesRead += reference.StoredBytes + reference.Bytes;
        return _source.File.Read(reference);
    }

    private void ReadCodes(Span<int> codes, ChunkRef reference, int dictionaryCount)
    {
        codes.Clear();
        if (!reference.IsAbsent)
        {
            using var chunk = Read(reference);
            var reader = chunk.Reader();
            IntColumn.Decode(ref reader, codes);
            reader.ExpectEnd();
        }
        foreach (var code in codes)
        {
            if ((uint)code >= (uint)dictionaryCount)
            {
                throw new CorruptPartException(_source.File.Path, reference.Offset, $"code {code} is beyond a dictionary of {dictionaryCount}");
            }
        }
    }

    private CodedColumn? ReadColumn(ValueColumn column)
    {
        if (column.InBlock(_block) is not { } inBlock)
        {
            return null;
        }
        var (codes, values) = Dense(column, inBlock);
        if (column.Scope == ValueScope.Intrinsic)
        {
            return inBlock.Entries != Rows ? throw Corrupt(PlainColumn.RecordShape, $"'{column.Name}' has {inBlock.Entries} values for {Rows} rows")
                : new CodedColumn(column.Name == IntrinsicKey.Body ? WithoutEmpty(codes, values) : codes.AsMemory(0, Rows), values);
        }
        var shapes = Shapes(PlainColumn.RecordShape, Rows, _directory.Records);
        var occurrences = Rent<int>(_directory.Records.Count);
        _directory.Records.CountOccurrences(column, occurrences);
        var expanded = Rent<int>(Rows);
        var next = 0;
        for (var row = 0; row < shapes.Length; row++)
        {
            var count = occurrences[shapes[row]];
            next += count;
            if (next > inBlock.Entries)
            {
                throw Corrupt(PlainColumn.RecordShape, $"'{column.Name}' has fewer values than the shapes say");
            }
            expanded[row] = count == 0 ? -1 : codes[next - 1];
        }
        return new CodedColumn(expanded.AsMemory(0, Rows), values);
    }

    /// <summary>A record without a body lacks the field.</summary>
    private ReadOnlyMemory<int> WithoutEmpty(int[] codes, ValueList values)
    {
        var present = codes;
        for (var row = 0; row < Rows; row++)
        {
            if (values.GetType(codes[row]) == Telemetry.Attributes.AttributeType.Empty)
            {
                if (present == codes)
                {
                    present = Rent<int>(Rows);
                    codes.AsSpan(0, Rows).CopyTo(present);
                }
                present[row] = -1;
            }
        }
        return present.AsMemory(0, Rows);
    }

    private string KeyOf(Field field) => field.Scope != FieldScope.Intrinsic ? throw NotAColumn(field) : field.Intrinsic switch
    {
        Intrinsic.Name => IntrinsicKey.Name,
        Intrinsic.StatusMessage when _source.Signal == Signal.Traces => IntrinsicKey.StatusMessage,
        Intrinsic.SeverityText when _source.Signal == Signal.Logs => IntrinsicKey.SeverityText,
        Intrinsic.Body when _source.Signal == Signal.Logs => IntrinsicKey.Body,
        _ => throw NotAColumn(field),
    };

    private InvalidOperationException NotAColumn(Field field) => new($"{field.Scope} {field.Intrinsic} {field.Key} is no coded column of {_source.Signal}");

    private PlainColumn OfSpans(PlainColumn column) => _source.Signal == Signal.Traces ? column : throw new InvalidOperationException($"log records have no {column}");

    private PlainColumn OfLogs(PlainColumn column) => _source.Signal == Signal.Logs ? column : throw new InvalidOperationException($"spans have no {column}");

    private int[] ReadRuns()
    {
        using var chunk = Read(_directory.Plain(PlainColumn.TraceRuns, _block));
        var reader = chunk.Reader();
        var runs = new int[reader.Count(Rows)];
        IntColumn.Decode<int>(ref reader, runs);
        reader.ExpectEnd();
        long rows = 0;
        foreach (var length in runs)
        {
            rows += length > 0 ? length : throw Corrupt(PlainColumn.TraceRuns, "a run is empty");
        }
        return rows == Rows ? runs : throw Corrupt(PlainColumn.TraceRuns, $"the runs have {rows} rows, the block {Rows}");
    }

    private TraceId[] ReadTraceIds()
    {
        var ids = Rent<TraceId>(Rows);
        var reference = _directory.Plain(PlainColumn.TraceId, _block);
        if (reference.IsAbsent)
        {
            ids.AsSpan(0, Rows).Clear();
            return ids;
        }
        _runs ??= ReadRuns();
        using var chunk = Read(reference);
        var reader = chunk.Reader();
        var row = 0;
        foreach (var length in _runs)
        {
            TraceId.TryRead(reader.Bytes(TraceId.SizeBytes), out var id);
            ids.AsSpan(row, length).Fill(id);
            row += length;
        }
        reader.ExpectEnd();
        return ids;
    }

    private long[] ReadSpanTimes()
    {
        _runs ??= ReadRuns();
        var times = Rent<long>(Rows);
        var starts = Rent<long>(_runs.Length);
        using var chunk = Read(_directory.Plain(PlainColumn.Time, _block));
        var reader = chunk.Reader();
        IntColumn.Decode(ref reader, starts.AsSpan(0, _runs.Length));
        IntColumn.Decode(ref reader, times.AsSpan(0, Rows));
        reader.ExpectEnd();
        var (row, start) = (0, _source.GetBounds(_block).FirstTimeUnixNano);
        for (var run = 0; run < _runs.Length; run++)
        {
            start += starts[run];
            for (var end = row + _runs[run]; row < end; row++)
            {
                times[row] += start;
            }
        }
        return times;
    }

    private long[] ReadLogTimes()
    {
        var times = ReadPlain<long>(PlainColumn.Time, Rows);
        var previous = _source.GetBounds(_block).FirstTimeUnixNano;
        foreach (ref var time in times.AsSpan(0, Rows))
        {
            previous += time;
            time = previous;
        }
        return times;
    }

    private SpanId[] ReadParents()
    {
        var parents = Rent<SpanId>(Rows);
        var reference = _directory.Plain(OfSpans(PlainColumn.ParentSpanId), _block);
        if (reference.IsAbsent)
        {
            parents.AsSpan(0, Rows).Clear();
            return parents;
        }
        using var chunk = Read(reference);
        var reader = chunk.Reader();
        ParentEncoder.Decode(ref reader, SpanIds, parents.AsSpan(0, Rows));
        return parents;
    }
}
