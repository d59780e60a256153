using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Several parts as the content of one: the plan says which rows come from where, and each column is read from the inputs block by block as it is asked for.
/// It holds the plan, the shape of each row (1 or 2 bytes), the dictionaries, and of each column in use a few blocks an input.
/// </summary>
internal sealed class MergeContent : PartContent
{
    private readonly MergeInput[] _inputs;
    private readonly MergePlan _plan;
    private readonly MergeOwners _owners;
    private readonly CancellationToken _cancellation;
    private readonly MergeWholeBlocks _wholeBlocks;
    private readonly MergeRecordScope _records;
    private readonly MergeChildScope? _events;
    private readonly MergeChildScope? _links;
    private readonly List<ContentColumn> _columns = [];
    private readonly Dictionary<PlainColumn, MergeWindow<long>> _plain = [];
    private readonly MergeWindow<TraceId> _traces;
    private readonly MergeWindow<SpanId> _spans;
    private readonly MergeWindow<SpanId> _parents;
    private readonly MergeWindow<TraceId> _linkTraces;
    private readonly MergeWindow<SpanId> _linkSpans;
    private readonly UnpackedStripes _blooms = new();
    private readonly UnpackedStripes _texts = new();
    private TraceId[] _ids = [];

    public MergeContent(MergeInput[] inputs, MergePlan plan, MergeOwners owners, CancellationToken cancellation)
    {
        _inputs = inputs;
        _plan = plan;
        _owners = owners;
        _cancellation = cancellation;
        _traces = new MergeWindow<TraceId>(inputs.Length, (int input, int block, ref TraceId[] values) => inputs[input].ReadRowTraceIds(block, ref values, ref _ids));
        _spans = new MergeWindow<SpanId>(inputs.Length, LoadSpans);
        _parents = new MergeWindow<SpanId>(inputs.Length, LoadParents);
        _linkTraces = new MergeWindow<TraceId>(inputs.Length, LoadLinkTraces);
        _linkSpans = new MergeWindow<SpanId>(inputs.Length, LoadLinkSpans);
        _records = new MergeRecordScope(inputs, plan, cancellation);
        AddIntrinsic(IntrinsicKey.Name, null);
        if (Signal == Signal.Traces)
        {
            _events = MergeChildScope.Events(inputs, plan, cancellation);
            _links = MergeChildScope.Links(inputs, plan, cancellation);
            AddIntrinsic(IntrinsicKey.StatusMessage, null);
            AddIntrinsic(IntrinsicKey.TraceState, null);
            AddIntrinsic(IntrinsicKey.EventName, _events);
            AddIntrinsic(IntrinsicKey.LinkTraceState, _links);
        }
        else
        {
            AddIntrinsic(IntrinsicKey.SeverityText, null);
            AddIntrinsic(IntrinsicKey.Body, null);
        }
        _columns.AddRange(_records.Columns);
        _columns.AddRange(_events?.Columns ?? []);
        _columns.AddRange(_links?.Columns ?? []);
        _wholeBlocks = new MergeWholeBlocks(inputs, plan, _columns);
    }

    public override Signal Signal => _inputs[0].Signal;

    public override BlockPlan Plan => _plan.Blocks;

    public override IReadOnlyList<ContentColumn> Columns => _columns;

    public override ColumnBatch Owners => _owners.Joined;

    public override IReadOnlyList<int[]> Shapes(ValueScope scope) => scope switch
    {
        ValueScope.Record => _records.WrittenShapes,
        ValueScope.Event => _events?.WrittenShapes ?? [],
        _ => _links?.WrittenShapes ?? [],
    };

    public override void ReadPlain(PlainColumn column, int block, Span<long> values)
    {
        _cancellation.ThrowIfCancellationRequested();
        var segments = _plan.SegmentsOf(block);
        switch (column)
        {
            case PlainColumn.RecordShape:
                _records.ReadShapes(segments, values);
                return;
            case PlainColumn.EventCount:
                _events!.ReadCounts(segments, values);
                return;
            case PlainColumn.EventShape:
                _events!.ReadShapes(segments, values);
                return;
            case PlainColumn.LinkCount:
                _links!.ReadCounts(segments, values);
                return;
            case PlainColumn.LinkShape:
                _links!.ReadShapes(segments, values);
                return;
        }
        if (!_plain.TryGetValue(column, out var window))
        {
            window = new MergeWindow<long>(_inputs.Length, (int input, int from, ref long[] target) => LoadPlain(column, input, from, ref target));
            _plain.Add(column, window);
        }
        var children = ChildrenOf(column);
        var at = 0;
        foreach (var segment in segments)
        {
            var (first, count) = children is null ? (segment.Row, segment.Rows) : children.OwnersOf(segment);
            if (count > 0)
            {
                window.Get(segment.Input, segment.Block).Slice(first, count).CopyTo(values[at..]);
                at += count;
            }
        }
        if (block == Plan.Blocks - 1)
        {
            _plain.Remove(column);
        }
    }

    public override BlockBounds? StoredBounds(int block) =>
        _wholeBlocks.TryGet(block, out var whole) ? _wholeBlocks.InputOf(whole).Source.GetBounds(whole.Block) : null;

    public override bool TryGetStored(PlainColumn column, int block, out StoredChunk chunk)
    {
        _cancellation.ThrowIfCancellationRequested();
        chunk = default;
        // Owners and shapes have other numbers in the output; counts of events and links are asked for.
        if (column is PlainColumn.Resource or PlainColumn.Scope or PlainColumn.RecordShape or PlainColumn.EventShape or PlainColumn.LinkShape
            || !_wholeBlocks.TryGet(block, out var whole))
        {
            return false;
        }
        var input = _wholeBlocks.InputOf(whole);
        chunk = new StoredChunk(input.Source.File, input.Directory.Plain(column, whole.Block), input.Directory.Mask(column, whole.Block));
        return true;
    }

    public override bool TryGetStoredBloom(int block, out ReadOnlySpan<byte> filter)
    {
        filter = default;
        if (!_wholeBlocks.TryGetWithText(block, out var whole))
        {
            return false;
        }
        var input = _wholeBlocks.InputOf(whole);
        filter = input.Directory.Blooms.IsEmpty ? default : _blooms.Get(input.Source.File, input.Directory.Blooms, whole.Block);
        return true;
    }

    public override ReadOnlySpan<byte> StoredTextFilter(int block) =>
        _wholeBlocks.TryGetWithText(block, out var whole) && _wholeBlocks.InputOf(whole) is { Directory.Texts.IsEmpty: false } input
            ? _texts.Get(input.Source.File, input.Directory.Texts, whole.Block)
            : base.StoredTextFilter(block);

    public override void ReadTraceIds(int block, Span<TraceId> runs)
    {
        _cancellation.ThrowIfCancellationRequested();
        var starts = Plan.RunsOf(block);
        var (run, row) = (0, Plan.Starts[block]);
        foreach (var segment in _plan.SegmentsOf(block))
        {
            var ids = _traces.Get(segment.Input, segment.Block);
            for (; run < runs.Length && starts[run] < row + segment.Rows; run++)
            {
                runs[run] = ids[segment.Row + starts[run] - row];
            }
            row += segment.Rows;
        }
    }

    public override void ReadSpanIds(int block, Span<SpanId> spans) => CopyRows(_spans, block, spans);

    public override void ReadParentSpanIds(int block, Span<SpanId> parents) => CopyRows(_parents, block, parents);

    public override void ReadLinkTraceIds(int block, Span<TraceId> traces) => CopyLinks(_linkTraces, block, traces);

    public override void ReadLinkSpanIds(int block, Span<SpanId> spans) => CopyLinks(_linkSpans, block, spans);

    private void AddIntrinsic(string key, MergeChildScope? children)
    {
        var blocks = new List<(int Block, int Entries)>();
        for (var block = 0; block < Plan.Blocks; block++)
        {
            var entries = children is null ? Plan.RowsOf(block) : children.BlockCounts[block];
            if (entries > 0)
            {
                blocks.Add((block, entries));
            }
        }
        _columns.Add(new MergeValueColumn(
            ValueScope.Intrinsic, Encoding.UTF8.GetBytes(key), _inputs, _plan, children is null ? new RowEntries() : new ChildEntries(children), blocks));
    }

    private MergeChildScope? ChildrenOf(PlainColumn column) => column switch
    {
        PlainColumn.EventTime or PlainColumn.EventDroppedAttributes => _events,
        PlainColumn.LinkFlags or PlainColumn.LinkDroppedAttributes => _links,
        _ => null,
    };

    private void CopyRows<T>(MergeWindow<T> window, int block, Span<T> values)
    {
        _cancellation.ThrowIfCancellationRequested();
        var at = 0;
        foreach (var segment in _plan.SegmentsOf(block))
        {
            window.Get(segment.Input, segment.Block)[segment.Row..segment.End].CopyTo(values[at..]);
            at += segment.Rows;
        }
    }

    private void CopyLinks<T>(MergeWindow<T> window, int block, Span<T> values)
    {
        var at = 0;
        foreach (var segment in _plan.SegmentsOf(block))
        {
            var (first, count) = _links!.OwnersOf(segment);
            if (count > 0)
            {
                window.Get(segment.Input, segment.Block).Slice(first, count).CopyTo(values[at..]);
                at += count;
            }
        }
    }

    private int LoadPlain(PlainColumn column, int input, int block, ref long[] values)
    {
        var part = _inputs[input];
        var target = MergeInput.Room(ref values, ChildrenOf(column) is { } children ? children.CountOf(input, block) : part.RowsOf(block));
        if (column == PlainColumn.Time)
        {
            part.ReadTimes(block, target);
            return target.Length;
        }
        var chunk = part.Directory.Plain(column, block);
        part.ReadInts(chunk, target);
        if (column is PlainColumn.Resource or PlainColumn.Scope)
        {
            var map = column == PlainColumn.Resource ? _owners.Resources[input] : _owners.Scopes[input];
            foreach (ref var value in target)
            {
                value = (ulong)value < (ulong)map.Length ? map[value] : throw part.Corrupt(chunk, $"{column} {value} of {map.Length} is unknown");
            }
        }
        return target.Length;
    }

    private int LoadSpans(int input, int block, ref SpanId[] values)
    {
        var part = _inputs[input];
        part.ReadSpanIds(part.Directory.Plain(PlainColumn.SpanId, block), MergeInput.Room(ref values, part.RowsOf(block)));
        return part.RowsOf(block);
    }

    private int LoadParents(int input, int block, ref SpanId[] values)
    {
        var part = _inputs[input];
        part.ReadParents(block, _spans.Get(input, block), MergeInput.Room(ref values, part.RowsOf(block)));
        return part.RowsOf(block);
    }

    private int LoadLinkTraces(int input, int block, ref TraceId[] values)
    {
        var part = _inputs[input];
        var ids = MergeInput.Room(ref values, _links!.CountOf(input, block));
        part.ReadTraceIds(part.Directory.Plain(PlainColumn.LinkTraceId, block), block, ids);
        return ids.Length;
    }

    private int LoadLinkSpans(int input, int block, ref SpanId[] values)
    {
        var part = _inputs[input];
        var ids = MergeInput.Room(ref values, _links!.CountOf(input, block));
        part.ReadSpanIds(part.Directory.Plain(PlainColumn.LinkSpanId, block), ids);
        return ids.Length;
    }
}
