using System.Numerics;
using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// The batches of a head as the content of a part. Rows stay where they are: they are put in order by reference, and each column is gathered when it is
/// written. Strings are told apart by hash and bytes once for each batch and column. Holds pooled memory until it is disposed.
/// </summary>
internal sealed class BatchContent : PartContent, IDisposable
{
    private readonly ColumnBatch[] _batches;
    private readonly BatchMap[] _maps;
    private readonly int[][] _resources;
    private readonly int[][] _scopes;
    private readonly RowOrder _order;
    private readonly ChildOrder? _events;
    private readonly ChildOrder? _links;
    private readonly AttributeColumns _recordAttributes;
    private readonly AttributeColumns? _eventAttributes;
    private readonly AttributeColumns? _linkAttributes;
    private readonly List<ValueColumnBuilder> _intrinsics = [];
    private readonly List<ContentColumn> _columns = [];

    /// <param name="batches">Of one signal, with at least one row together; not changed meanwhile.</param>
    /// <param name="blockRows">At most <see cref="PartFormat.BlockRows"/>.</param>
    public BatchContent(IReadOnlyList<ColumnBatch> batches, int blockRows = PartFormat.BlockRows)
    {
        _batches = [.. batches.Where(batch => batch.Rows > 0)];
        _maps = new BatchMap[_batches.Length];
        for (var i = 0; i < _maps.Length; i++)
        {
            _maps[i] = new BatchMap(i, _batches[i]);
        }
        Owners = new ColumnBatch(_batches[0].Signal);
        (_resources, _scopes) = JoinOwners();
        if (Signal == Signal.Traces)
        {
            _order = RowOrder.OfSpans(_batches);
            Plan = BlockPlan.Of(Signal, _order.Runs, blockRows);
            _events = new ChildOrder(_order.Rows, Plan, Arrays(batch => batch.EventEnd));
            _links = new ChildOrder(_order.Rows, Plan, Arrays(batch => batch.LinkEnd));
            AddIntrinsic(IntrinsicKey.Name, batch => batch.Name, _order.Rows, Plan.Starts);
            AddIntrinsic(IntrinsicKey.StatusMessage, batch => batch.StatusMessage, _order.Rows, Plan.Starts);
            AddIntrinsic(IntrinsicKey.TraceState, batch => batch.TraceState, _order.Rows, Plan.Starts);
            AddIntrinsic(IntrinsicKey.EventName, batch => batch.EventName, _events.Children, _events.Starts);
            AddIntrinsic(IntrinsicKey.LinkTraceState, batch => batch.LinkTraceState, _links.Children, _links.Starts);
        }
        else
        {
            _order = RowOrder.OfLogRecords(_batches, _resources);
            Plan = BlockPlan.Of(Signal, _order.Runs, blockRows);
            AddIntrinsic(IntrinsicKey.Name, batch => batch.Name, _order.Rows, Plan.Starts);
            AddIntrinsic(IntrinsicKey.SeverityText, batch => batch.SeverityText, _order.Rows, Plan.Starts);
            AddBody();
        }
        _columns.AddRange(_intrinsics);
        _recordAttributes = AddAttributes(ValueScope.Record, batch => batch.Attributes, _order.Rows, Plan.Starts);
        if (_events is not null && _links is not null)
        {
            _eventAttributes = AddAttributes(ValueScope.Event, batch => batch.EventAttributes, _events.Children, _events.Starts);
            _linkAttributes = AddAttributes(ValueScope.Link, batch => batch.LinkAttributes, _links.Children, _links.Starts);
        }
    }

    public override Signal Signal => Owners.Signal;

    public override BlockPlan Plan { get; }

    public override IReadOnlyList<ContentColumn> Columns => _columns;

    public override ColumnBatch Owners { get; }

    /// <summary>Rows of the part.</summary>
    public int Rows => _order.Rows.Length;

    public override IReadOnlyList<int[]> Shapes(ValueScope scope) => scope switch
    {
        ValueScope.Record => _recordAttributes,
        ValueScope.Event => _eventAttributes,
        _ => _linkAttributes,
    } is { } attributes ? attributes.Shapes() : [];

    public override void ReadPlain(PlainColumn column, int block, Span<long> values)
    {
        switch (column)
        {
            case PlainColumn.Resource:
                GatherMapped(batch => batch.Resource, _resources, block, values);
                break;
            case PlainColumn.Scope:
                GatherMapped(batch => batch.Scope, _scopes, block, values);
                break;
            case PlainColumn.Time:
                Gather(batch => batch.TimeUnixNano, RowsOf(block), values);
                break;
            case PlainColumn.Duration:
                Gather(batch => batch.DurationNano, RowsOf(block), values);
                break;
            case PlainColumn.Kind:
                Gather(batch => batch.Kind, RowsOf(block), values);
                break;
            case PlainColumn.Status:
                Gather(batch => batch.Status, RowsOf(block), values);
                break;
            case PlainColumn.Severity:
                Gather(batch => batch.SeverityNumber, RowsOf(block), values);
                break;
            case PlainColumn.RecordShape:
                Widen(_recordAttributes.ShapeOf[Plan.Starts[block]..], values);
                break;
            case PlainColumn.Flags:
                Gather(batch => batch.Flags, RowsOf(block), values);
                break;
            case PlainColumn.DroppedAttributes:
                Gather(batch => batch.DroppedAttributesCount, RowsOf(block), values);
                break;
            case PlainColumn.DroppedEvents:
                Gather(batch => batch.DroppedEventsCount, RowsOf(block), values);
                break;
            case PlainColumn.DroppedLinks:
                Gather(batch => batch.DroppedLinksCount, RowsOf(block), values);
                break;
            case PlainColumn.EventCount:
                _events!.ReadCounts(RowsOf(block), values);
                break;
            case PlainColumn.EventTime:
                ReadEventTimes(block, values);
                break;
            case PlainColumn.EventDroppedAttributes:
                Gather(batch => batch.EventDroppedAttributesCount, _events!.ChildrenOf(block), values);
                break;
            case PlainColumn.EventShape:
                Widen(_eventAttributes!.ShapeOf[_events!.Starts[block]..], values);
                break;
            case PlainColumn.LinkCount:
                _links!.ReadCounts(RowsOf(block), values);
                break;
            case PlainColumn.LinkFlags:
                Gather(batch => batch.LinkFlags, _links!.ChildrenOf(block), values);
                break;
            case PlainColumn.LinkDroppedAttributes:
                Gather(batch => batch.LinkDroppedAttributesCount, _links!.ChildrenOf(block), values);
                break;
            case PlainColumn.LinkShape:
                Widen(_linkAttributes!.ShapeOf[_links!.Starts[block]..], values);
                break;
            case PlainColumn.ObservedTime:
                ReadObservedTimes(block, values);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(column), column, "is not a column of integers");
        }
    }

    public override void ReadTraceIds(int block, Span<TraceId> runs)
    {
        var ids = Arrays(batch => batch.TraceId);
        var starts = Plan.RunsOf(block);
        for (var run = 0; run < runs.Length; run++)
        {
            var (batch, row) = _order.Rows[starts[run]];
            runs[run] = ids[batch][row];
        }
    }

    public override void ReadSpanIds(int block, Span<SpanId> spans) => Pick(batch => batch.SpanId, RowsOf(block), spans);

    public override void ReadParentSpanIds(int block, Span<SpanId> parents) => Pick(batch => batch.ParentSpanId, RowsOf(block), parents);

    public override void ReadLinkTraceIds(int block, Span<TraceId> traces) => Pick(batch => batch.LinkTraceId, _links!.ChildrenOf(block), traces);

    public override void ReadLinkSpanIds(int block, Span<SpanId> spans) => Pick(batch => batch.LinkSpanId, _links!.ChildrenOf(block), spans);

    public void Dispose()
    {
        foreach (var map in _maps)
        {
            map.Dispose();
        }
        _order.Dispose();
        _events?.Dispose();
        _links?.Dispose();
        _intrinsics.ForEach(column => column.Dispose());
        _recordAttributes.Dispose();
        _eventAttributes?.Dispose();
        _linkAttributes?.Dispose();
    }

    private (int[][] Resources, int[][] Scopes) JoinOwners()
    {
        var resources = new int[_batches.Length][];
        var scopes = new int[_batches.Length][];
        for (var i = 0; i < _batches.Length; i++)
        {
            var copier = new BatchCopier(_batches[i], Owners, 0);
            resources[i] = [.. Enumerable.Range(0, _batches[i].ResourceAttributes.OwnerCount).Select(copier.CopyResource)];
            scopes[i] = [.. Enumerable.Range(0, _batches[i].ScopeAttributes.OwnerCount).Select(copier.CopyScope)];
        }
        return (resources, scopes);
    }

    private AttributeColumns AddAttributes(ValueScope scope, Func<ColumnBatch, AttributeTable> table, ReadOnlySpan<RowRef> owners, ReadOnlySpan<int> starts)
    {
        var attributes = AttributeColumns.Build(scope, _maps, [.. _batches.Select(table)], owners, starts, firstId: _columns.Count + 1);
        _columns.AddRange(attributes.Columns);
        return attributes;
    }

    private ValueColumnBuilder AddIntrinsic(string key)
    {
        var column = new ValueColumnBuilder(_intrinsics.Count + 1, ValueScope.Intrinsic, Encoding.UTF8.GetBytes(key), _maps);
        _intrinsics.Add(column);
        return column;
    }

    private void AddIntrinsic(string key, Func<ColumnBatch, Column<int>> column, ReadOnlySpan<RowRef> owners, ReadOnlySpan<int> starts)
    {
        var builder = AddIntrinsic(key);
        var codes = Arrays(column);
        var isEmpty = _batches.All(batch => !column(batch).Values.ContainsAnyExcept(0));
        for (var block = 0; block + 1 < starts.Length; block++)
        {
            if (isEmpty)
            {
                builder.AddEmpty(block, _maps[0], starts[block + 1] - starts[block]);
                continue;
            }
            foreach (var (batch, row) in owners[starts[block]..starts[block + 1]])
            {
                builder.Add(block, _maps[batch], AttributeType.String, codes[batch][row]);
            }
        }
    }

    private void AddBody()
    {
        var builder = AddIntrinsic(IntrinsicKey.Body);
        var types = Arrays(batch => batch.BodyType);
        var bits = Arrays(batch => batch.BodyBits);
        for (var block = 0; block < Plan.Blocks; block++)
        {
            foreach (var (batch, row) in RowsOf(block))
            {
                builder.Add(block, _maps[batch], types[batch][row], bits[batch][row]);
            }
        }
    }

    private ReadOnlySpan<RowRef> RowsOf(int block) => _order.Rows[Plan.Starts[block]..Plan.Starts[block + 1]];

    private T[][] Arrays<T>(Func<ColumnBatch, Column<T>> column)
        where T : unmanaged => Array.ConvertAll(_batches, batch => column(batch).Array);

    private void Pick<T>(Func<ColumnBatch, Column<T>> column, ReadOnlySpan<RowRef> rows, Span<T> values)
        where T : unmanaged
    {
        var arrays = Arrays(column);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = arrays[rows[i].Batch][rows[i].Row];
        }
    }

    private void Gather<T>(Func<ColumnBatch, Column<T>> column, ReadOnlySpan<RowRef> rows, Span<long> values)
        where T : unmanaged, IBinaryInteger<T>
    {
        var arrays = Arrays(column);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = long.CreateTruncating(arrays[rows[i].Batch][rows[i].Row]);
        }
    }

    private void GatherMapped(Func<ColumnBatch, Column<int>> column, int[][] maps, int block, Span<long> values)
    {
        var arrays = Arrays(column);
        var rows = RowsOf(block);
        for (var i = 0; i < values.Length; i++)
        {
            var (batch, row) = rows[i];
            values[i] = maps[batch][arrays[batch][row]];
        }
    }

    private static void Widen(ReadOnlySpan<int> from, Span<long> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = from[i];
        }
    }

    private void ReadEventTimes(int block, Span<long> values)
    {
        var child = 0;
        foreach (var (number, row) in RowsOf(block))
        {
            var batch = _batches[number];
            var first = row == 0 ? 0 : batch.EventEnd[row - 1];
            for (var own = first; own < batch.EventEnd[row]; own++)
            {
                values[child++] = batch.EventTimeUnixNano[own] - batch.TimeUnixNano[row];
            }
        }
    }

    private void ReadObservedTimes(int block, Span<long> values)
    {
        Gather(batch => batch.ObservedTimeUnixNano, RowsOf(block), values);
        var times = Arrays(batch => batch.TimeUnixNano);
        var rows = RowsOf(block);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] -= times[rows[i].Batch][rows[i].Row];
        }
    }
}
