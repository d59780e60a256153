using System.Buffers.Binary;
using System.Text;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Writes one part (FORMAT.md): the scan section column by column, the payload block by block, then dictionaries, owners, trace index, directory and footer.
/// One use, one thread. The caller syncs the file.
/// </summary>
internal sealed class PartWriter
{
    private readonly ColumnBatch _rows;
    private readonly ChunkWriter _chunks;
    private readonly ByteWriter _chunk = new();
    private readonly ValueListWriter _values = new();
    private readonly long[] _scratch;
    private readonly BlockPlan _plan;
    private readonly PartDirectoryBuilder _directory;
    private readonly ParentEncoder _parents = new();
    private readonly AttributeColumns _records;
    private readonly AttributeColumns? _events;
    private readonly AttributeColumns? _links;
    private readonly List<ValueColumnBuilder> _columns = [];

    private PartWriter(IFile file, ColumnBatch rows)
    {
        _rows = rows;
        _chunks = new ChunkWriter(file);
        _plan = BlockPlan.Of(rows);
        _directory = new PartDirectoryBuilder(_plan.Blocks);
        _records = AttributeColumns.Build(ValueScope.Record, rows.Attributes, rows.Strings, _plan.Starts);
        var most = PartFormat.BlockRows;
        if (rows.Signal == Signal.Traces)
        {
            var eventStarts = ChildStarts(rows.EventEnd.Values);
            var linkStarts = ChildStarts(rows.LinkEnd.Values);
            _events = AttributeColumns.Build(ValueScope.Event, rows.EventAttributes, rows.Strings, eventStarts);
            _links = AttributeColumns.Build(ValueScope.Link, rows.LinkAttributes, rows.Strings, linkStarts);
            for (var block = 0; block < _plan.Blocks; block++)
            {
                most = Math.Max(most, Math.Max(eventStarts[block + 1] - eventStarts[block], linkStarts[block + 1] - linkStarts[block]));
            }
            AddIntrinsic(IntrinsicKey.Name, rows.Name.Values, _plan.Starts);
            AddIntrinsic(IntrinsicKey.StatusMessage, rows.StatusMessage.Values, _plan.Starts);
            AddIntrinsic(IntrinsicKey.TraceState, rows.TraceState.Values, _plan.Starts);
            AddIntrinsic(IntrinsicKey.EventName, rows.EventName.Values, eventStarts);
            AddIntrinsic(IntrinsicKey.LinkTraceState, rows.LinkTraceState.Values, linkStarts);
        }
        else
        {
            AddIntrinsic(IntrinsicKey.Name, rows.Name.Values, _plan.Starts);
            AddIntrinsic(IntrinsicKey.SeverityText, rows.SeverityText.Values, _plan.Starts);
            AddBody(rows);
        }
        _columns.AddRange(_records.Columns);
        _columns.AddRange(_events?.Columns ?? []);
        _columns.AddRange(_links?.Columns ?? []);
        _scratch = new long[most];
    }

    /// <param name="rows">At least one, in the order of <see cref="RowOrder"/>.</param>
    /// <returns>Bytes written.</returns>
    public static long Write(IFile file, ColumnBatch rows)
    {
        var writer = new PartWriter(file, rows);
        writer.WriteHeader();
        writer.WriteScanSection();
        writer.WritePayloadSection();
        writer.WriteDictionaries();
        writer.WriteFooter();
        writer._chunks.Flush();
        return writer._chunks.Offset;
    }

    private int[] ChildStarts(ReadOnlySpan<int> ends)
    {
        var starts = new int[_plan.Starts.Length];
        for (var block = 1; block < starts.Length; block++)
        {
            starts[block] = ends[_plan.Starts[block] - 1];
        }
        return starts;
    }

    private void AddIntrinsic(string key, ReadOnlySpan<int> codes, int[] starts)
    {
        var column = new ValueColumnBuilder(ValueScope.Intrinsic, Encoding.UTF8.GetBytes(key), _rows.Strings);
        for (var block = 0; block + 1 < starts.Length; block++)
        {
            for (var i = starts[block]; i < starts[block + 1]; i++)
            {
                column.Add(block, AttributeType.String, codes[i]);
            }
        }
        _columns.Add(column);
    }

    private void AddBody(ColumnBatch rows)
    {
        var column = new ValueColumnBuilder(ValueScope.Intrinsic, Encoding.UTF8.GetBytes(IntrinsicKey.Body), rows.Strings);
        for (var block = 0; block < _plan.Blocks; block++)
        {
            for (var row = _plan.Starts[block]; row < _plan.Starts[block + 1]; row++)
            {
                column.Add(block, rows.BodyType[row], rows.BodyBits[row]);
            }
        }
        _columns.Add(column);
    }

    private void WriteHeader()
    {
        _chunk.Clear();
        _chunk.Bytes(PartFormat.HeaderMagic);
        _chunk.Bytes([(byte)PartFormat.Version, PartFormat.Version >> 8, (byte)_rows.Signal, 0]);
        _chunk.UInt32(Crc32C.Compute(_chunk.Written));
        _chunks.Write(_chunk.Written);
    }

    private void WriteScanSection()
    {
        EachBlock(block => Ints(PlainColumn.Resource, block, _rows.Resource.Values, masked: true));
        EachBlock(block => Ints(PlainColumn.Scope, block, _rows.Scope.Values, masked: false));
        EachBlock(WriteTraceRuns);
        EachBlock(_rows.Signal == Signal.Traces ? WriteSpanTimes : WriteLogTimes);
        if (_rows.Signal == Signal.Traces)
        {
            EachBlock(block => Longs(PlainColumn.Duration, block, _rows.DurationNano.Values));
            EachBlock(block => Ints(PlainColumn.Kind, block, _rows.Kind.Values, masked: true));
            EachBlock(block => Ints(PlainColumn.Status, block, _rows.Status.Values, masked: true));
        }
        else
        {
            EachBlock(block => Ints(PlainColumn.Severity, block, _rows.SeverityNumber.Values, masked: true));
        }
        EachBlock(block => Ints(PlainColumn.RecordShape, block, _records.ShapeOf, masked: false));
        foreach (var column in _columns)
        {
            if (IsScanned(column))
            {
                for (var index = 0; index < column.BlockCount; index++)
                {
                    WriteCodes(column, index);
                }
            }
        }
    }

    /// <summary>A search reads the column often: its values are few, and it is not a detail of events, links or trace state.</summary>
    private static bool IsScanned(ValueColumnBuilder column) =>
        column.IsDictionary && (column.Scope == ValueScope.Record || (column.Scope == ValueScope.Intrinsic && !IsChildKey(column)));

    private static bool IsChildKey(ValueColumnBuilder column) => Encoding.UTF8.GetString(column.Key) is
        IntrinsicKey.TraceState or IntrinsicKey.EventName or IntrinsicKey.LinkTraceState;

    private void WritePayloadSection()
    {
        var next = new int[_columns.Count];
        for (var block = 0; block < _plan.Blocks; block++)
        {
            WriteTraceIds(block);
            WriteSpanIds(block);
            Ints(PlainColumn.Flags, block, _rows.Flags.Values, masked: false);
            Ints(PlainColumn.DroppedAttributes, block, _rows.DroppedAttributesCount.Values, masked: false);
            if (_rows.Signal == Signal.Traces)
            {
                WriteParents(block);
                Ints(PlainColumn.DroppedEvents, block, _rows.DroppedEventsCount.Values, masked: false);
                Ints(PlainColumn.DroppedLinks, block, _rows.DroppedLinksCount.Values, masked: false);
                WriteEvents(block);
                WriteLinks(block);
            }
            else
            {
                WriteObservedTimes(block);
            }
            for (var i = 0; i < _columns.Count; i++)
            {
                var column = _columns[i];
                if (!IsScanned(column) && next[i] < column.BlockCount && column.BlockNumber(next[i]) == block)
                {
                    if (column.IsDictionary)
                    {
                        WriteCodes(column, next[i]++);
                    }
                    else
                    {
                        WriteRawValues(column, next[i]++);
                    }
                }
            }
            WriteBloom(block);
        }
    }

    private void EachBlock(Action<int> write)
    {
        for (var block = 0; block < _plan.Blocks; block++)
        {
            write(block);
        }
    }

    private Span<long> Scratch(int count) => _scratch.AsSpan(0, count);

    private int RowsOf(int block) => _plan.Starts[block + 1] - _plan.Starts[block];

    private void Ints<T>(PlainColumn column, int block, ReadOnlySpan<T> values, bool masked)
        where T : unmanaged, System.Numerics.IBinaryInteger<T> =>
        Slice(column, block, values.Slice(_plan.Starts[block], RowsOf(block)), masked);

    private void Longs(PlainColumn column, int block, ReadOnlySpan<long> values) => Ints(column, block, values, masked: false);

    private void Slice<T>(PlainColumn column, int block, ReadOnlySpan<T> values, bool masked)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var scratch = Scratch(values.Length);
        ulong mask = 0;
        for (var i = 0; i < values.Length; i++)
        {
            scratch[i] = long.CreateTruncating(values[i]);
        }
        if (masked)
        {
            foreach (var value in scratch)
            {
                mask |= 1UL << (int)(value & 63);
            }
        }
        Plain(column, block, scratch, mask);
    }

    private void Plain(PlainColumn column, int block, ReadOnlySpan<long> values, ulong mask)
    {
        if (values.IndexOfAnyExcept(0) < 0)
        {
            _directory.AddPlain(column, block, default, mask);
            return;
        }
        _chunk.Clear();
        IntColumn.Encode(values, _chunk);
        _directory.AddPlain(column, block, _chunks.Append(_chunk), mask);
    }

    private ReadOnlySpan<int> RunsOf(int block, out int count)
    {
        var first = Array.BinarySearch(_plan.RunStarts, _plan.Starts[block]);
        var end = Array.BinarySearch(_plan.RunStarts, _plan.Starts[block + 1]);
        count = end - first;
        return _plan.RunStarts.AsSpan(first, count + 1);
    }

    private void WriteTraceRuns(int block)
    {
        var runs = RunsOf(block, out var count);
        var scratch = Scratch(count);
        for (var run = 0; run < count; run++)
        {
            scratch[run] = runs[run + 1] - runs[run];
        }
        _chunk.Clear();
        _chunk.VarUInt((ulong)count);
        IntColumn.Encode(scratch, _chunk);
        _directory.AddPlain(PlainColumn.TraceRuns, block, _chunks.Append(_chunk), 0);
    }

    private void WriteSpanTimes(int block)
    {
        var times = _rows.TimeUnixNano.Values;
        var runs = RunsOf(block, out var count);
        var scratch = Scratch(count);
        var previous = FirstTime(block);
        for (var run = 0; run < count; run++)
        {
            scratch[run] = times[runs[run]] - previous;
            previous = times[runs[run]];
        }
        _chunk.Clear();
        IntColumn.Encode(scratch, _chunk);
        scratch = Scratch(RowsOf(block));
        for (var run = 0; run < count; run++)
        {
            for (var row = runs[run]; row < runs[run + 1]; row++)
            {
                scratch[row - _plan.Starts[block]] = times[row] - times[runs[run]];
            }
        }
        IntColumn.Encode(scratch, _chunk);
        _directory.AddPlain(PlainColumn.Time, block, _chunks.Append(_chunk), 0);
    }

    private void WriteLogTimes(int block)
    {
        var times = _rows.TimeUnixNano.Values.Slice(_plan.Starts[block], RowsOf(block));
        var scratch = Scratch(times.Length);
        var previous = FirstTime(block);
        for (var i = 0; i < times.Length; i++)
        {
            scratch[i] = times[i] - previous;
            previous = times[i];
        }
        Plain(PlainColumn.Time, block, scratch, 0);
    }

    private void WriteObservedTimes(int block)
    {
        var times = _rows.TimeUnixNano.Values.Slice(_plan.Starts[block], RowsOf(block));
        var observed = _rows.ObservedTimeUnixNano.Values.Slice(_plan.Starts[block], RowsOf(block));
        var scratch = Scratch(times.Length);
        for (var i = 0; i < times.Length; i++)
        {
            scratch[i] = observed[i] - times[i];
        }
        Plain(PlainColumn.ObservedTime, block, scratch, 0);
    }

    private long FirstTime(int block)
    {
        var first = long.MaxValue;
        foreach (var time in _rows.TimeUnixNano.Values.Slice(_plan.Starts[block], RowsOf(block)))
        {
            first = Math.Min(first, time);
        }
        return first;
    }

    private void WriteTraceIds(int block)
    {
        var runs = RunsOf(block, out var count);
        _chunk.Clear();
        var any = false;
        for (var run = 0; run < count; run++)
        {
            var id = _rows.TraceId[runs[run]];
            any |= !id.IsZero;
            id.Write(_chunk.Take(TraceId.SizeBytes));
        }
        _directory.AddPlain(PlainColumn.TraceId, block, any ? _chunks.Append(_chunk) : default, 0);
    }

    private void WriteSpanIds(int block)
    {
        _chunk.Clear();
        var any = false;
        foreach (var id in _rows.SpanId.Values.Slice(_plan.Starts[block], RowsOf(block)))
        {
            any |= !id.IsZero;
            id.Write(_chunk.Take(SpanId.SizeBytes));
        }
        _directory.AddPlain(PlainColumn.SpanId, block, any ? _chunks.Append(_chunk) : default, 0);
    }

    private void WriteParents(int block)
    {
        _chunk.Clear();
        var start = _plan.Starts[block];
        var any = _parents.Encode(
            _rows.SpanId.Values.Slice(start, RowsOf(block)), _rows.ParentSpanId.Values.Slice(start, RowsOf(block)), RunsOf(block, out _), start, Scratch(RowsOf(block)), _chunk);
        _directory.AddPlain(PlainColumn.ParentSpanId, block, any ? _chunks.Append(_chunk) : default, 0);
    }

    private void WriteEvents(int block)
    {
        var (first, end) = Children(_rows.EventEnd.Values, PlainColumn.EventCount, block);
        if (first == end)
        {
            return;
        }
        var ends = _rows.EventEnd.Values;
        var scratch = Scratch(end - first);
        for (int row = _plan.Starts[block], child = first; child < end; row++)
        {
            for (; child < ends[row]; child++)
            {
                scratch[child - first] = _rows.EventTimeUnixNano[child] - _rows.TimeUnixNano[row];
            }
        }
        Plain(PlainColumn.EventTime, block, scratch, 0);
        Slice(PlainColumn.EventDroppedAttributes, block, _rows.EventDroppedAttributesCount.Values[first..end], masked: false);
        Slice<int>(PlainColumn.EventShape, block, _events!.ShapeOf.AsSpan(first, end - first), masked: false);
    }

    private void WriteLinks(int block)
    {
        var (first, end) = Children(_rows.LinkEnd.Values, PlainColumn.LinkCount, block);
        if (first == end)
        {
            return;
        }
        _chunk.Clear();
        foreach (var id in _rows.LinkTraceId.Values[first..end])
        {
            id.Write(_chunk.Take(TraceId.SizeBytes));
        }
        _directory.AddPlain(PlainColumn.LinkTraceId, block, _chunks.Append(_chunk), 0);
        _chunk.Clear();
        foreach (var id in _rows.LinkSpanId.Values[first..end])
        {
            id.Write(_chunk.Take(SpanId.SizeBytes));
        }
        _directory.AddPlain(PlainColumn.LinkSpanId, block, _chunks.Append(_chunk), 0);
        Slice(PlainColumn.LinkFlags, block, _rows.LinkFlags.Values[first..end], masked: false);
        Slice(PlainColumn.LinkDroppedAttributes, block, _rows.LinkDroppedAttributesCount.Values[first..end], masked: false);
        Slice<int>(PlainColumn.LinkShape, block, _links!.ShapeOf.AsSpan(first, end - first), masked: false);
    }

    /// <summary>Writes how many children each row has; returns the block's children.</summary>
    private (int First, int End) Children(ReadOnlySpan<int> ends, PlainColumn counts, int block)
    {
        var start = _plan.Starts[block];
        var first = start == 0 ? 0 : ends[start - 1];
        var scratch = Scratch(RowsOf(block));
        var previous = first;
        for (var i = 0; i < scratch.Length; i++)
        {
            scratch[i] = ends[start + i] - previous;
            previous = ends[start + i];
        }
        Plain(counts, block, scratch, 0);
        return (first, previous);
    }

    private void WriteCodes(ValueColumnBuilder column, int index)
    {
        var codes = column.BlockCodes(index);
        var scratch = codes.Length <= _scratch.Length ? Scratch(codes.Length) : new long[codes.Length];
        ulong mask = 0;
        for (var i = 0; i < codes.Length; i++)
        {
            scratch[i] = codes[i];
            mask |= 1UL << (codes[i] & 63);
        }
        var reference = default(ChunkRef);
        if (scratch.IndexOfAnyExcept(0) >= 0)
        {
            _chunk.Clear();
            IntColumn.Encode(scratch, _chunk);
            reference = _chunks.Append(_chunk);
        }
        _directory.AddValues(column, index, reference, mask);
    }

    private void WriteRawValues(ValueColumnBuilder column, int index)
    {
        _values.Clear();
        foreach (var code in column.BlockCodes(index))
        {
            var (type, bits) = column.Value(code);
            _values.Add(type, bits, _rows.Strings);
        }
        _chunk.Clear();
        _values.WriteTo(_chunk);
        _directory.AddValues(column, index, _chunks.Append(_chunk), 0);
    }

    private void WriteBloom(int block)
    {
        var hashes = new HashSet<ulong>();
        foreach (var column in _columns)
        {
            if (column.IsDictionary)
            {
                continue;
            }
            var columnHash = ValueHash.OfBytes(column.Key, (ulong)column.Scope);
            for (var index = 0; index < column.BlockCount; index++)
            {
                if (column.BlockNumber(index) != block)
                {
                    continue;
                }
                foreach (var code in column.BlockCodes(index))
                {
                    var (type, bits) = column.Value(code);
                    var content = type.HasContent() ? _rows.Strings[(int)bits] : default;
                    hashes.Add(ValueHash.InColumn(columnHash, ValueHash.Of(type, bits, content)));
                }
            }
        }
        if (hashes.Count == 0)
        {
            _directory.AddBloom(block, default);
            return;
        }
        _chunk.Clear();
        var filter = _chunk.Take(Bloom.SizeBytes(hashes.Count));
        filter.Clear();
        foreach (var hash in hashes)
        {
            Bloom.Add(filter, hash);
        }
        _directory.AddBloom(block, _chunks.Append(_chunk));
    }

    private void WriteDictionaries()
    {
        foreach (var column in _columns)
        {
            var reference = default(ChunkRef);
            if (column.IsDictionary && column.Distinct > 0)
            {
                _values.Clear();
                for (var code = 0; code < column.Distinct; code++)
                {
                    var (type, bits) = column.Value(code);
                    _values.Add(type, bits, _rows.Strings);
                }
                _chunk.Clear();
                _values.WriteTo(_chunk);
                reference = _chunks.Append(_chunk);
            }
            _directory.AddColumn(column, reference);
        }
    }

    private void WriteFooter()
    {
        _chunk.Clear();
        OwnersCodec.Encode(_rows, _chunk);
        var owners = _chunks.Append(_chunk);
        var pages = TraceIndexWriter.Write(_rows, _plan, _chunks, _chunk);
        _chunk.Clear();
        _directory.WriteTo(_chunk, _records, _events, _links);
        var directory = _chunks.Append(_chunk);
        var blocks = new BlockBounds[_plan.Blocks];
        for (var block = 0; block < blocks.Length; block++)
        {
            blocks[block] = Bounds(block);
        }
        _chunk.Clear();
        new PartFooter(_rows.Signal, blocks, owners, directory, pages).Encode(_chunk);
        var length = _chunk.Length;
        _chunk.UInt32((uint)length);
        _chunk.UInt32(Crc32C.Compute(_chunk.Written));
        _chunk.Bytes(PartFormat.TrailerMagic);
        _chunks.Write(_chunk.Written);
    }

    private BlockBounds Bounds(int block)
    {
        var (first, last) = (long.MaxValue, long.MinValue);
        foreach (var time in _rows.TimeUnixNano.Values.Slice(_plan.Starts[block], RowsOf(block)))
        {
            first = Math.Min(first, time);
            last = Math.Max(last, time);
        }
        var (shortest, longest) = (0L, 0L);
        if (_rows.Signal == Signal.Traces)
        {
            (shortest, longest) = (long.MaxValue, long.MinValue);
            foreach (var duration in _rows.DurationNano.Values.Slice(_plan.Starts[block], RowsOf(block)))
            {
                shortest = Math.Min(shortest, duration);
                longest = Math.Max(longest, duration);
            }
        }
        return new BlockBounds(RowsOf(block), first, last, shortest, longest);
    }
}
