using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Writes one part (FORMAT.md): the scan section column by column, the payload block by block, then dictionaries, owners, trace index, directory and footer.
/// It holds the values of one column in one block at a time, and of each run its trace id. One use, one thread. The caller syncs the file.
/// </summary>
internal sealed class PartWriter
{
    private static readonly byte[] s_bodyKey = System.Text.Encoding.UTF8.GetBytes(IntrinsicKey.Body);

    /// <summary>A text filter that every text passes.</summary>
    private static readonly byte[] s_anyText = [.. Enumerable.Repeat((byte)0xFF, sizeof(ulong))];

    private readonly PartContent _content;
    private readonly BlockPlan _plan;
    private readonly IReadOnlyList<ContentColumn> _columns;
    private readonly ChunkWriter _chunks;
    private readonly PartDirectoryBuilder _directory;
    private readonly ByteWriter _chunk = new();
    private readonly ValueListWriter _values = new();
    private readonly ParentEncoder _parents = new();
    private readonly HashCollection _hashes = new();
    private readonly TextFilter.Builder _texts = new();
    private readonly FilterStripeWriter _bloomStripes;
    private readonly FilterStripeWriter _textStripes;
    private readonly BlockBounds[] _bounds;
    private readonly List<(ulong Id, int Block)> _traces = [];
    private long[] _longs = new long[PartFormat.BlockRows];
    private int[] _codes = new int[PartFormat.BlockRows];
    private TraceId[] _traceIds = [];
    private SpanId[] _spanIds = [];
    private SpanId[] _parentIds = [];

    private PartWriter(IFile file, PartContent content, int? textQuality)
    {
        _content = content;
        _plan = content.Plan;
        _columns = content.Columns;
        _chunks = new ChunkWriter(file, textQuality);
        _bloomStripes = new FilterStripeWriter(_chunks);
        _textStripes = new FilterStripeWriter(_chunks);
        _directory = new PartDirectoryBuilder(_plan.Blocks);
        _bounds = new BlockBounds[_plan.Blocks];
    }

    /// <param name="textQuality">Brotli quality for the values of raw columns; null: LZ4 blocks, which cost little.</param>
    /// <returns>Bytes written.</returns>
    public static long Write(IFile file, PartContent content, int? textQuality = null)
    {
        var writer = new PartWriter(file, content, textQuality);
        writer.WriteHeader();
        writer.WriteScanSection();
        writer.WritePayloadSection();
        writer.WriteDictionaries();
        writer.WriteFooter();
        writer._chunks.Flush();
        return writer._chunks.Offset;
    }

    private static Span<T> Scratch<T>(ref T[] array, int count)
    {
        if (array.Length < count)
        {
            array = new T[Math.Max(count, array.Length * 2)];
        }
        return array.AsSpan(0, count);
    }

    private void WriteHeader()
    {
        _chunk.Clear();
        _chunk.Bytes(PartFormat.HeaderMagic);
        _chunk.Bytes([(byte)PartFormat.Version, PartFormat.Version >> 8, (byte)_content.Signal, 0]);
        _chunk.UInt32(Crc32C.Compute(_chunk.Written));
        _chunks.Write(_chunk.Written);
    }

    private void WriteScanSection()
    {
        WriteInEachBlock(PlainColumn.Resource);
        WriteInEachBlock(PlainColumn.Scope);
        for (var block = 0; block < _plan.Blocks; block++)
        {
            WriteTraceRuns(block);
        }
        for (var block = 0; block < _plan.Blocks; block++)
        {
            WriteTimes(block);
        }
        if (_content.Signal == Signal.Traces)
        {
            WriteInEachBlock(PlainColumn.Duration);
            WriteInEachBlock(PlainColumn.Kind);
            WriteInEachBlock(PlainColumn.Status);
        }
        else
        {
            WriteInEachBlock(PlainColumn.Severity);
        }
        WriteInEachBlock(PlainColumn.RecordShape);
        foreach (var column in _columns)
        {
            if (column.IsScanned)
            {
                for (var index = 0; index < column.BlockCount; index++)
                {
                    WriteCodes(column, index);
                }
            }
        }
    }

    private void WritePayloadSection()
    {
        var next = new int[_columns.Count];
        for (var block = 0; block < _plan.Blocks; block++)
        {
            WriteTraceIds(block);
            var spans = TryCopyPlain(PlainColumn.SpanId, block) ? default : WriteSpanIds(block);
            CopyOrWritePlain(PlainColumn.Flags, block, _plan.RowsOf(block));
            CopyOrWritePlain(PlainColumn.DroppedAttributes, block, _plan.RowsOf(block));
            if (_content.Signal == Signal.Traces)
            {
                if (!TryCopyPlain(PlainColumn.ParentSpanId, block))
                {
                    WriteParents(block, spans);
                }
                CopyOrWritePlain(PlainColumn.DroppedEvents, block, _plan.RowsOf(block));
                CopyOrWritePlain(PlainColumn.DroppedLinks, block, _plan.RowsOf(block));
                WriteEvents(block);
                WriteLinks(block);
            }
            else
            {
                CopyOrWritePlain(PlainColumn.ObservedTime, block, _plan.RowsOf(block));
            }
            for (var i = 0; i < _columns.Count; i++)
            {
                var column = _columns[i];
                if (!column.IsScanned && next[i] < column.BlockCount && column.BlockNumber(next[i]) == block)
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
            AddBloom(block);
        }
        _bloomStripes.Flush();
        _textStripes.Flush();
    }

    private void WriteInEachBlock(PlainColumn column)
    {
        for (var block = 0; block < _plan.Blocks; block++)
        {
            if (TryCopyPlain(column, block))
            {
                continue;
            }
            var values = WritePlain(column, block, _plan.RowsOf(block));
            if (column == PlainColumn.Duration)
            {
                var (shortest, longest) = IntColumn.Range(values);
                _bounds[block] = _bounds[block] with { MinDurationNano = shortest, MaxDurationNano = longest };
            }
        }
    }

    /// <summary>False when the values are to be asked for.</summary>
    private bool TryCopyPlain(PlainColumn column, int block)
    {
        if (!_content.TryGetStored(column, block, out var stored))
        {
            return false;
        }
        _directory.AddPlain(column, block, _chunks.Copy(stored), stored.Mask);
        return true;
    }

    private void CopyOrWritePlain(PlainColumn column, int block, int count)
    {
        if (!TryCopyPlain(column, block))
        {
            WritePlain(column, block, count);
        }
    }

    /// <returns>The values, valid until the next column.</returns>
    private ReadOnlySpan<long> WritePlain(PlainColumn column, int block, int count)
    {
        var values = Scratch(ref _longs, count);
        _content.ReadPlain(column, block, values);
        WritePlain(column, block, values);
        return values;
    }

    private void WritePlain(PlainColumn column, int block, ReadOnlySpan<long> values)
    {
        ulong mask = 0;
        if (PartDirectory.HasMask(column))
        {
            foreach (var value in values)
            {
                mask |= 1UL << (int)(value & 63);
            }
        }
        if (!values.ContainsAnyExcept(0))
        {
            _directory.AddPlain(column, block, default, mask);
            return;
        }
        _chunk.Clear();
        IntColumn.Encode(values, _chunk);
        _directory.AddPlain(column, block, _chunks.Append(_chunk), mask);
    }

    private void WriteTraceRuns(int block)
    {
        var runs = _plan.RunsOf(block);
        var lengths = Scratch(ref _longs, runs.Length - 1);
        for (var run = 0; run < lengths.Length; run++)
        {
            lengths[run] = runs[run + 1] - runs[run];
        }
        _chunk.Clear();
        _chunk.VarUInt((ulong)lengths.Length);
        IntColumn.Encode(lengths, _chunk);
        _directory.AddPlain(PlainColumn.TraceRuns, block, _chunks.Append(_chunk), 0);
    }

    private void WriteTimes(int block)
    {
        if (_content.StoredBounds(block) is { } bounds && TryCopyPlain(PlainColumn.Time, block))
        {
            _bounds[block] = bounds;
            return;
        }
        var rows = _plan.RowsOf(block);
        var runs = _plan.RunsOf(block);
        var isSpans = _content.Signal == Signal.Traces;
        var scratch = Scratch(ref _longs, isSpans ? rows + runs.Length - 1 : rows);
        var times = scratch[..rows];
        _content.ReadPlain(PlainColumn.Time, block, times);
        var (first, last) = IntColumn.Range(times);
        _bounds[block] = new BlockBounds(rows, first, last, 0, 0);
        if (!isSpans)
        {
            var previous = first;
            foreach (ref var time in times)
            {
                (time, previous) = (time - previous, time);
            }
            WritePlain(PlainColumn.Time, block, times);
            return;
        }
        var starts = scratch[rows..];
        var before = first;
        for (var run = 0; run < starts.Length; run++)
        {
            var spans = times[(runs[run] - runs[0])..(runs[run + 1] - runs[0])];
            var start = spans[0];
            starts[run] = start - before;
            before = start;
            foreach (ref var time in spans)
            {
                time -= start;
            }
        }
        _chunk.Clear();
        IntColumn.Encode(starts, _chunk);
        IntColumn.Encode(times, _chunk);
        _directory.AddPlain(PlainColumn.Time, block, _chunks.Append(_chunk), 0);
    }

    private void WriteTraceIds(int block)
    {
        var ids = Scratch(ref _traceIds, _plan.RunsOf(block).Length - 1);
        _content.ReadTraceIds(block, ids);
        foreach (var id in ids)
        {
            if (!id.IsZero)
            {
                _traces.Add((id.Low, block));
            }
        }
        WriteTraceIds(PlainColumn.TraceId, block, ids, mayBeAbsent: true);
    }

    private void WriteTraceIds(PlainColumn column, int block, ReadOnlySpan<TraceId> ids, bool mayBeAbsent)
    {
        _chunk.Clear();
        foreach (var id in ids)
        {
            id.Write(_chunk.Take(TraceId.SizeBytes));
        }
        AddIds(column, block, mayBeAbsent);
    }

    private Span<SpanId> WriteSpanIds(int block)
    {
        var ids = Scratch(ref _spanIds, _plan.RowsOf(block));
        _content.ReadSpanIds(block, ids);
        WriteSpanIds(PlainColumn.SpanId, block, ids, mayBeAbsent: true);
        return ids;
    }

    private void WriteSpanIds(PlainColumn column, int block, ReadOnlySpan<SpanId> ids, bool mayBeAbsent)
    {
        _chunk.Clear();
        foreach (var id in ids)
        {
            id.Write(_chunk.Take(SpanId.SizeBytes));
        }
        AddIds(column, block, mayBeAbsent);
    }

    private void AddIds(PlainColumn column, int block, bool mayBeAbsent) =>
        _directory.AddPlain(column, block, mayBeAbsent && !_chunk.Written.ContainsAnyExcept((byte)0) ? default : _chunks.Append(_chunk), 0);

    private void WriteParents(int block, ReadOnlySpan<SpanId> spans)
    {
        var parents = Scratch(ref _parentIds, spans.Length);
        _content.ReadParentSpanIds(block, parents);
        _chunk.Clear();
        var any = _parents.Encode(spans, parents, _plan.RunsOf(block), _plan.Starts[block], Scratch(ref _longs, spans.Length), _chunk);
        _directory.AddPlain(PlainColumn.ParentSpanId, block, any ? _chunks.Append(_chunk) : default, 0);
    }

    private void WriteEvents(int block)
    {
        var count = WriteCounts(PlainColumn.EventCount, block);
        if (count > 0)
        {
            CopyOrWritePlain(PlainColumn.EventTime, block, count);
            CopyOrWritePlain(PlainColumn.EventDroppedAttributes, block, count);
            WritePlain(PlainColumn.EventShape, block, count);
        }
    }

    private void WriteLinks(int block)
    {
        var count = WriteCounts(PlainColumn.LinkCount, block);
        if (count == 0)
        {
            return;
        }
        var traces = Scratch(ref _traceIds, count);
        _content.ReadLinkTraceIds(block, traces);
        WriteTraceIds(PlainColumn.LinkTraceId, block, traces, mayBeAbsent: false);
        var spans = Scratch(ref _spanIds, count);
        _content.ReadLinkSpanIds(block, spans);
        WriteSpanIds(PlainColumn.LinkSpanId, block, spans, mayBeAbsent: false);
        CopyOrWritePlain(PlainColumn.LinkFlags, block, count);
        CopyOrWritePlain(PlainColumn.LinkDroppedAttributes, block, count);
        WritePlain(PlainColumn.LinkShape, block, count);
    }

    /// <summary>Writes how many children each row has; returns how many the block has.</summary>
    private int WriteCounts(PlainColumn column, int block)
    {
        long sum = 0;
        foreach (var count in WritePlain(column, block, _plan.RowsOf(block)))
        {
            sum += count;
        }
        return checked((int)sum);
    }

    private void WriteCodes(ContentColumn column, int index)
    {
        var codes = Scratch(ref _codes, column.BlockEntries(index));
        column.ReadCodes(index, codes);
        if (!codes.ContainsAnyExcept(0))
        {
            _directory.AddValues(column, index, default, mask: 1);
            return;
        }
        var values = Scratch(ref _longs, codes.Length);
        ulong mask = 0;
        for (var i = 0; i < codes.Length; i++)
        {
            values[i] = codes[i];
            mask |= 1UL << (codes[i] & 63);
        }
        _chunk.Clear();
        IntColumn.Encode(values, _chunk);
        _directory.AddValues(column, index, _chunks.Append(_chunk), mask);
    }

    private void WriteRawValues(ContentColumn column, int index)
    {
        if (column.TryGetStored(index, out var stored, out var rawIndex))
        {
            var copied = _chunks.CopyText(stored);
            _directory.AddRawValues(column, index, copied, rawIndex);
            if (rawIndex.HasTextFilter)
            {
                _textStripes.Add(_content.StoredTextFilter(column.BlockNumber(index)));
            }
            return;
        }
        _values.Clear();
        column.ReadValues(index, _values);
        var isBody = column.Scope == ValueScope.Intrinsic && column.Key.AsSpan().SequenceEqual(s_bodyKey);
        if (!isBody)
        {
            _values.AddHashesTo(_hashes, ValueHash.OfBytes(column.Key, (ulong)column.Scope));
        }
        _chunk.Clear();
        _values.WriteTo(_chunk);
        var values = _chunks.AppendText(_chunk);
        if (isBody)
        {
            AddTextFilter();
            _directory.AddRawValues(column, index, values, RawIndex.OfText());
            return;
        }
        _directory.AddRawValues(column, index, values, _values.TryGetRange(out var lowest, out var highest) ? RawIndex.OfRange(lowest, highest) : default);
    }

    /// <summary>Every body is in a block with a filter: raw columns of intrinsics have values in all blocks.</summary>
    private void AddTextFilter()
    {
        _texts.Clear();
        if (!_values.TryAddTexts(_texts))
        {
            // A value that is no string has a text that is not stored: any may be here.
            _textStripes.Add(s_anyText);
            return;
        }
        _chunk.Clear();
        _texts.WriteTo(_chunk);
        _textStripes.Add(_chunk.Written);
    }

    /// <summary>Of the raw values written since the last one.</summary>
    private void AddBloom(int block)
    {
        if (_content.TryGetStoredBloom(block, out var stored))
        {
            _bloomStripes.Add(stored);
            return;
        }
        if (_hashes.Count == 0)
        {
            _bloomStripes.Add([]);
            return;
        }
        _chunk.Clear();
        var filter = _chunk.Take(Bloom.SizeBytes(_hashes.Count));
        filter.Clear();
        Bloom.AddAll(filter, _hashes.Values);
        _hashes.Clear();
        _bloomStripes.Add(filter);
    }

    private void WriteDictionaries()
    {
        foreach (var column in _columns)
        {
            var reference = default(ChunkRef);
            if (column.IsDictionary && column.Distinct > 0)
            {
                _values.Clear();
                column.ReadDictionary(_values);
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
        OwnersCodec.Encode(_content.Owners, _chunk);
        var owners = _chunks.Append(_chunk);
        var pages = TraceIndexWriter.Write(_traces, _chunks, _chunk);
        _chunk.Clear();
        _directory.WriteTo(_chunk, _bloomStripes.Stripes, _textStripes.Stripes, _content.Shapes(ValueScope.Record), _content.Shapes(ValueScope.Event), _content.Shapes(ValueScope.Link));
        var directory = _chunks.Append(_chunk);
        _chunk.Clear();
        new PartFooter(_content.Signal, _bounds, owners, directory, pages).Encode(_chunk);
        var length = _chunk.Length;
        _chunk.UInt32((uint)length);
        _chunk.UInt32(Crc32C.Compute(_chunk.Written));
        _chunk.Bytes(PartFormat.TrailerMagic);
        _chunks.Write(_chunk.Written);
    }
}
