using System.Buffers.Binary;
using System.Numerics;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Parts;

/// <summary>One block of a part; columns are read and decoded into rented arrays when they are first asked for.</summary>
internal sealed class PartBlock : RowBlock
{
    private readonly PartSource _source;
    private readonly PartDirectory _directory;
    private readonly int _block;
    private readonly RentedArrays _rented = new();
    private readonly List<(ValueColumn Column, CodedColumn? Coded)> _coded = [];
    private readonly List<(ValueColumn Column, DenseColumn? Dense)> _columns = [];
    private readonly List<(ValueColumn Column, int[] Codes, ValueList Values)> _dense = [];
    private readonly List<(PlainColumn Column, int[] Values)> _ints = [];
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
        Bounds = source.GetBounds(block);
    }

    public override int Rows => Bounds.Rows;

    public override int Index => _block;

    public override BlockBounds Bounds { get; }

    public override long BytesRead => _bytesRead;

    internal PartSource Source => _source;

    internal PartDirectory Directory => _directory;

    public override ReadOnlySpan<long> TimeUnixNano => (_times ??= _source.Signal == Signal.Traces ? ReadSpanTimes() : ReadLogTimes()).AsSpan(0, Rows);

    public override ReadOnlySpan<TraceId> TraceIds => (_traceIds ??= ReadTraceIds()).AsSpan(0, Rows);

    public override ReadOnlySpan<SpanId> SpanIds => (_spanIds ??= ReadSpanIds(PlainColumn.SpanId, Rows)).AsSpan(0, Rows);

    public override ReadOnlySpan<SpanId> ParentSpanIds => (_parentSpanIds ??= ReadParents()).AsSpan(0, Rows);

    public override ReadOnlySpan<int> Resources => Ints(PlainColumn.Resource, Rows);

    public override ReadOnlySpan<int> Scopes => Ints(PlainColumn.Scope, Rows);

    public override ReadOnlySpan<long> DurationNano => (_durations ??= ReadLongs(OfSpans(PlainColumn.Duration), Rows)).AsSpan(0, Rows);

    public override ReadOnlySpan<byte> Kinds => (_kinds ??= ReadBytes(OfSpans(PlainColumn.Kind))).AsSpan(0, Rows);

    public override ReadOnlySpan<byte> Statuses => (_statuses ??= ReadBytes(OfSpans(PlainColumn.Status))).AsSpan(0, Rows);

    public override ReadOnlySpan<byte> SeverityNumbers => (_severities ??= ReadBytes(OfLogs(PlainColumn.Severity))).AsSpan(0, Rows);

    public override CodedColumn? GetColumn(Field field)
    {
        if (Find(field) is not { } column)
        {
            return null;
        }
        foreach (var known in _coded)
        {
            if (known.Column == column)
            {
                return known.Coded;
            }
        }
        var coded = ReadColumn(column, field);
        _coded.Add((column, coded));
        return coded;
    }

    public override DenseColumn? GetDense(Field field)
    {
        if (Find(field) is not { } column)
        {
            return null;
        }
        foreach (var known in _columns)
        {
            if (known.Column == column)
            {
                return known.Dense;
            }
        }
        var dense = ReadDense(column);
        _columns.Add((column, dense));
        return dense;
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

    public override LinkTargets? LinkTargets
    {
        get
        {
            var ends = PartChildren.Ends(this, OfSpans(PlainColumn.LinkCount));
            var count = ends.Length == 0 ? 0 : ends[^1];
            return count == 0 ? null : new LinkTargets(ends, ReadLinkTraceIds(count).AsMemory(0, count), ReadSpanIds(PlainColumn.LinkSpanId, count).AsMemory(0, count));
        }
    }

    public override void CopyRows(ReadOnlySpan<int> rows, ColumnBatch target) => new PartRowCopier(this, target, rows.Length).Copy(rows);

    public override void Dispose() => _rented.Dispose();

    /// <summary>A plain column of small integers; all zero when the part does not store it.</summary>
    internal ReadOnlySpan<int> Ints(PlainColumn column, int count)
    {
        foreach (var known in _ints)
        {
            if (known.Column == column)
            {
                return known.Values.AsSpan(0, count);
            }
        }
        var values = _rented.Ints(count);
        ReadPlain<int>(column, values.AsSpan(0, count));
        _ints.Add((column, values));
        return values.AsSpan(0, count);
    }

    internal long[] ReadLongs(PlainColumn column, int count)
    {
        var values = _rented.Longs(count);
        ReadPlain<long>(column, values.AsSpan(0, count));
        return values;
    }

    internal SpanId[] ReadSpanIds(PlainColumn column, int count)
    {
        var ids = _rented.SpanIds(count);
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
        var ids = _rented.TraceIds(count);
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
        foreach (var known in _dense)
        {
            if (known.Column == column)
            {
                return (known.Codes, known.Values);
            }
        }
        var codes = _rented.Ints(inBlock.Entries);
        ValueList values;
        if (column.IsDictionary)
        {
            values = _source.DictionaryOf(column);
            ReadCodes(codes.AsSpan(0, inBlock.Entries), inBlock.Chunk, values.Count);
        }
        else
        {
            values = ReadValues(inBlock);
            for (var i = 0; i < inBlock.Entries; i++)
            {
                codes[i] = i;
            }
        }
        _dense.Add((column, codes, values));
        return (codes, values);
    }

    private ValueList ReadValues(ValueColumnBlock inBlock)
    {
        var chunk = Read(inBlock.Chunk);
        _rented.Keep(chunk);
        var reader = chunk.Reader();
        var arrays = new ValueList.Arrays(_rented.Bytes(inBlock.Entries), _rented.Longs(inBlock.Entries), _rented.Ints(inBlock.Entries));
        var values = ValueList.DecodeInPlace(ref reader, inBlock.Entries, arrays, chunk.Memory);
        reader.ExpectEnd();
        return values;
    }

    internal CorruptPartException Corrupt(PlainColumn column, string message) => new(_source.File.Path, _directory.Plain(column, _block).Offset, message);

    internal ValueColumnBlock? InBlock(ValueColumn column) => column.InBlock(_block);

    /// <summary>Shape of each owner, checked to be one that the part has.</summary>
    internal ReadOnlySpan<int> Shapes(PlainColumn column, int count, AttributeShapes shapes)
    {
        var values = Ints(column, count);
        var wrong = values.IndexOfAnyExceptInRange(0, shapes.Count - 1);
        return wrong < 0 ? values : throw Corrupt(column, $"shape {values[wrong]} of {shapes.Count} is unknown");
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
        var wrong = codes.IndexOfAnyExceptInRange(0, dictionaryCount - 1);
        if (wrong >= 0)
        {
            throw new CorruptPartException(_source.File.Path, reference.Offset, $"code {codes[wrong]} is beyond a dictionary of {dictionaryCount}");
        }
    }

    private void ReadPlain<T>(PlainColumn column, Span<T> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        var reference = _directory.Plain(column, _block);
        if (reference.IsAbsent)
        {
            values.Clear();
            return;
        }
        using var chunk = Read(reference);
        var reader = chunk.Reader();
        IntColumn.Decode(ref reader, values);
        reader.ExpectEnd();
    }

    private byte[] ReadBytes(PlainColumn column)
    {
        var values = _rented.Bytes(Rows);
        ReadPlain<byte>(column, values.AsSpan(0, Rows));
        return values;
    }

    private ValueColumn? Find(Field field) => field.Scope == FieldScope.Record
        ? _directory.Find(ValueScope.Record, field.Key)
        : _directory.Find(ValueScope.Intrinsic, KeyOf(field));

    /// <summary>Null when the block does not have each row's value once.</summary>
    private PartColumn? ReadDense(ValueColumn column)
    {
        if (column.InBlock(_block) is not { } inBlock)
        {
            return null;
        }
        var presence = _rented.Words(RowMask.WordCount(Rows)).AsMemory(0, RowMask.WordCount(Rows));
        if (column.Scope == ValueScope.Intrinsic)
        {
            if (inBlock.Entries != Rows)
            {
                throw Corrupt(PlainColumn.RecordShape, $"'{column.Name}' has {inBlock.Entries} values for {Rows} rows");
            }
            if (column.Name == IntrinsicKey.Body && !Dense(column, inBlock).Values.IsNowhereEmpty)
            {
                return null;
            }
            RowMask.Fill(presence.Span, Rows);
            return new PartColumn(this, column, inBlock, presence);
        }
        if (_directory.Records.With(column) is not { } shapes)
        {
            return null;
        }
        shapes.Find(Shapes(PlainColumn.RecordShape, Rows, _directory.Records), presence.Span);
        return RowMask.Count(presence.Span) == inBlock.Entries
            ? new PartColumn(this, column, inBlock, presence)
            : throw Corrupt(PlainColumn.RecordShape, $"'{column.Name}' has {inBlock.Entries} values and the shapes say {RowMask.Count(presence.Span)}");
    }

    private CodedColumn? ReadColumn(ValueColumn column, Field field)
    {
        if (column.InBlock(_block) is not { } inBlock)
        {
            return null;
        }
        if (GetDense(field) is PartColumn dense)
        {
            if (inBlock.Entries == Rows)
            {
                return new CodedColumn(Dense(column, inBlock).Codes.AsMemory(0, Rows), dense.Values);
            }
            var rows = _rented.Ints(Rows);
            dense.CopyTo(rows.AsSpan(0, Rows));
            return new CodedColumn(rows.AsMemory(0, Rows), dense.Values);
        }
        var (codes, values) = Dense(column, inBlock);
        if (column.Scope == ValueScope.Intrinsic)
        {
            return new CodedColumn(WithoutEmpty(codes, values), values);
        }
        var shapes = Shapes(PlainColumn.RecordShape, Rows, _directory.Records);
        var occurrences = _rented.Ints(_directory.Records.Count);
        _directory.Records.CountOccurrences(column, occurrences);
        var expanded = _rented.Ints(Rows);
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
                    present = _rented.Ints(Rows);
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
        var ids = _rented.TraceIds(Rows);
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
        var times = _rented.Longs(Rows);
        var starts = _rented.Longs(_runs.Length);
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
        var times = ReadLongs(PlainColumn.Time, Rows);
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
        var parents = _rented.SpanIds(Rows);
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
