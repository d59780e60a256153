using System.Numerics;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Rows of a head as the content of a part.</summary>
internal sealed class BatchContent : PartContent
{
    private readonly ColumnBatch _rows;
    private readonly AttributeColumns _records;
    private readonly AttributeColumns? _events;
    private readonly AttributeColumns? _links;
    private readonly int[] _eventStarts = [];
    private readonly int[] _linkStarts = [];
    private readonly List<ValueColumnBuilder> _columns = [];

    /// <param name="rows">At least one, in the order of <see cref="RowOrder"/>.</param>
    /// <param name="blockRows">At most <see cref="PartFormat.BlockRows"/>.</param>
    public BatchContent(ColumnBatch rows, int blockRows = PartFormat.BlockRows)
    {
        _rows = rows;
        Plan = BlockPlan.Of(rows, blockRows);
        _records = AttributeColumns.Build(ValueScope.Record, rows.Attributes, rows.Strings, Plan.Starts);
        if (rows.Signal == Signal.Traces)
        {
            _eventStarts = ChildStarts(rows.EventEnd.Values);
            _linkStarts = ChildStarts(rows.LinkEnd.Values);
            _events = AttributeColumns.Build(ValueScope.Event, rows.EventAttributes, rows.Strings, _eventStarts);
            _links = AttributeColumns.Build(ValueScope.Link, rows.LinkAttributes, rows.Strings, _linkStarts);
            AddIntrinsic(IntrinsicKey.Name, rows.Name.Values, Plan.Starts);
            AddIntrinsic(IntrinsicKey.StatusMessage, rows.StatusMessage.Values, Plan.Starts);
            AddIntrinsic(IntrinsicKey.TraceState, rows.TraceState.Values, Plan.Starts);
            AddIntrinsic(IntrinsicKey.EventName, rows.EventName.Values, _eventStarts);
            AddIntrinsic(IntrinsicKey.LinkTraceState, rows.LinkTraceState.Values, _linkStarts);
        }
        else
        {
            AddIntrinsic(IntrinsicKey.Name, rows.Name.Values, Plan.Starts);
            AddIntrinsic(IntrinsicKey.SeverityText, rows.SeverityText.Values, Plan.Starts);
            AddBody(rows);
        }
        _columns.AddRange(_records.Columns);
        _columns.AddRange(_events?.Columns ?? []);
        _columns.AddRange(_links?.Columns ?? []);
    }

    public override Signal Signal => _rows.Signal;

    public override BlockPlan Plan { get; }

    public override IReadOnlyList<ContentColumn> Columns => _columns;

    public override ColumnBatch Owners => _rows;

    public override IReadOnlyList<int[]> Shapes(ValueScope scope) => ColumnsOf(scope)?.Shapes() ?? [];

    public override void ReadPlain(PlainColumn column, int block, Span<long> values)
    {
        switch (column)
        {
            case PlainColumn.Resource:
                OfRows(_rows.Resource.Values, block, values);
                break;
            case PlainColumn.Scope:
                OfRows(_rows.Scope.Values, block, values);
                break;
            case PlainColumn.Time:
                OfRows(_rows.TimeUnixNano.Values, block, values);
                break;
            case PlainColumn.Duration:
                OfRows(_rows.DurationNano.Values, block, values);
                break;
            case PlainColumn.Kind:
                OfRows(_rows.Kind.Values, block, values);
                break;
            case PlainColumn.Status:
                OfRows(_rows.Status.Values, block, values);
                break;
            case PlainColumn.Severity:
                OfRows(_rows.SeverityNumber.Values, block, values);
                break;
            case PlainColumn.RecordShape:
                OfRows<int>(_records.ShapeOf, block, values);
                break;
            case PlainColumn.Flags:
                OfRows(_rows.Flags.Values, block, values);
                break;
            case PlainColumn.DroppedAttributes:
                OfRows(_rows.DroppedAttributesCount.Values, block, values);
                break;
            case PlainColumn.DroppedEvents:
                OfRows(_rows.DroppedEventsCount.Values, block, values);
                break;
            case PlainColumn.DroppedLinks:
                OfRows(_rows.DroppedLinksCount.Values, block, values);
                break;
            case PlainColumn.EventCount:
                Counts(_rows.EventEnd.Values, _eventStarts[block], Plan.Starts[block], values);
                break;
            case PlainColumn.EventTime:
                EventTimes(block, values);
                break;
            case PlainColumn.EventDroppedAttributes:
                Copy(_rows.EventDroppedAttributesCount.Values, _eventStarts[block], values);
                break;
            case PlainColumn.EventShape:
                Copy<int>(_events!.ShapeOf, _eventStarts[block], values);
                break;
            case PlainColumn.LinkCount:
                Counts(_rows.LinkEnd.Values, _linkStarts[block], Plan.Starts[block], values);
                break;
            case PlainColumn.LinkFlags:
                Copy(_rows.LinkFlags.Values, _linkStarts[block], values);
                break;
            case PlainColumn.LinkDroppedAttributes:
                Copy(_rows.LinkDroppedAttributesCount.Values, _linkStarts[block], values);
                break;
            case PlainColumn.LinkShape:
                Copy<int>(_links!.ShapeOf, _linkStarts[block], values);
                break;
            case PlainColumn.ObservedTime:
                ObservedTimes(block, values);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(column), column, "is not a column of integers");
        }
    }

    public override void ReadTraceIds(int block, Span<TraceId> runs)
    {
        var starts = Plan.RunsOf(block);
        for (var run = 0; run < runs.Length; run++)
        {
            runs[run] = _rows.TraceId[starts[run]];
        }
    }

    public override void ReadSpanIds(int block, Span<SpanId> spans) => _rows.SpanId.Values.Slice(Plan.Starts[block], spans.Length).CopyTo(spans);

    public override void ReadParentSpanIds(int block, Span<SpanId> parents) => _rows.ParentSpanId.Values.Slice(Plan.Starts[block], parents.Length).CopyTo(parents);

    public override void ReadLinkTraceIds(int block, Span<TraceId> traces) => _rows.LinkTraceId.Values.Slice(_linkStarts[block], traces.Length).CopyTo(traces);

    public override void ReadLinkSpanIds(int block, Span<SpanId> spans) => _rows.LinkSpanId.Values.Slice(_linkStarts[block], spans.Length).CopyTo(spans);

    private static void Copy<T>(ReadOnlySpan<T> from, int start, Span<long> values)
        where T : unmanaged, INumberBase<T>
    {
        from = from.Slice(start, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = long.CreateTruncating(from[i]);
        }
    }

    private static void Counts(ReadOnlySpan<int> ends, int first, int start, Span<long> values)
    {
        ends = ends.Slice(start, values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ends[i] - first;
            first = ends[i];
        }
    }

    private int[] ChildStarts(ReadOnlySpan<int> ends)
    {
        var starts = new int[Plan.Starts.Length];
        for (var block = 1; block < starts.Length; block++)
        {
            starts[block] = ends[Plan.Starts[block] - 1];
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
        for (var block = 0; block < Plan.Blocks; block++)
        {
            for (var row = Plan.Starts[block]; row < Plan.Starts[block + 1]; row++)
            {
                column.Add(block, rows.BodyType[row], rows.BodyBits[row]);
            }
        }
        _columns.Add(column);
    }

    private AttributeColumns? ColumnsOf(ValueScope scope) => scope switch
    {
        ValueScope.Record => _records,
        ValueScope.Event => _events,
        _ => _links,
    };

    private void OfRows<T>(ReadOnlySpan<T> from, int block, Span<long> values)
        where T : unmanaged, INumberBase<T> => Copy(from, Plan.Starts[block], values);

    private void EventTimes(int block, Span<long> values)
    {
        var first = _eventStarts[block];
        for (int row = Plan.Starts[block], child = 0; child < values.Length; row++)
        {
            for (; first + child < _rows.EventEnd[row]; child++)
            {
                values[child] = _rows.EventTimeUnixNano[first + child] - _rows.TimeUnixNano[row];
            }
        }
    }

    private void ObservedTimes(int block, Span<long> values)
    {
        var start = Plan.Starts[block];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = _rows.ObservedTimeUnixNano[start + i] - _rows.TimeUnixNano[start + i];
        }
    }
}
