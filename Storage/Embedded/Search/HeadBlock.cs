using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>A run of rows of a batch in memory: nothing to read or decode.</summary>
internal sealed class HeadBlock(HeadSource source, int index, int start, BlockBounds bounds) : RowBlock
{
    private ColumnBatch Batch => source.Batch;

    public override int Rows => bounds.Rows;

    public override int Index => index;

    public override BlockBounds Bounds => bounds;

    public override long BytesRead => 0;

    public override ReadOnlySpan<long> TimeUnixNano => Batch.TimeUnixNano.Values.Slice(start, Rows);

    public override ReadOnlySpan<TraceId> TraceIds => Batch.TraceId.Values.Slice(start, Rows);

    public override ReadOnlySpan<SpanId> SpanIds => Batch.SpanId.Values.Slice(start, Rows);

    public override ReadOnlySpan<SpanId> ParentSpanIds => Of(Signal.Traces, Batch.ParentSpanId);

    public override ReadOnlySpan<int> Resources => Batch.Resource.Values.Slice(start, Rows);

    public override ReadOnlySpan<int> Scopes => Batch.Scope.Values.Slice(start, Rows);

    public override ReadOnlySpan<long> DurationNano => Of(Signal.Traces, Batch.DurationNano);

    public override ReadOnlySpan<byte> Kinds => Of(Signal.Traces, Batch.Kind);

    public override ReadOnlySpan<byte> Statuses => Of(Signal.Traces, Batch.Status);

    public override ReadOnlySpan<byte> SeverityNumbers => Of(Signal.Logs, Batch.SeverityNumber);

    public override ChildRows? Events => Children(Batch.EventEnd, Batch.EventName.Memory, Batch.EventAttributes);

    public override ChildRows? Links => Children(Batch.LinkEnd, default, Batch.LinkAttributes);

    public override LinkTargets? LinkTargets
    {
        get
        {
            if (Batch.Signal != Signal.Traces || Rows == 0)
            {
                return null;
            }
            var first = start == 0 ? 0 : Batch.LinkEnd[start - 1];
            return Batch.LinkEnd[start + Rows - 1] == first
                ? null
                : new LinkTargets(Batch.LinkEnd.Memory.Slice(start, Rows), Batch.LinkTraceId.Memory, Batch.LinkSpanId.Memory, first);
        }
    }

    public override CodedColumn? GetColumn(Field field)
    {
        var column = source.GetColumn(field);
        return column is null || Rows == Batch.Rows ? column : new CodedColumn(column.Codes.Slice(start, Rows), column.Values);
    }

    public override void CopyRows(ReadOnlySpan<int> rows, ColumnBatch target)
    {
        var copier = new BatchCopier(Batch, target, rows.Length);
        foreach (var row in rows)
        {
            copier.CopyRow(start + row);
        }
    }

    public override void Dispose()
    {
    }

    private ReadOnlySpan<T> Of<T>(Signal signal, Column<T> column)
        where T : unmanaged => Batch.Signal == signal
        ? column.Values.Slice(start, Rows)
        : throw new InvalidOperationException($"{Batch.Signal} have no such column");

    private ChildRows? Children(Column<int> ends, ReadOnlyMemory<int> names, AttributeTable attributes)
    {
        if (Batch.Signal != Signal.Traces)
        {
            return null;
        }
        var first = start == 0 ? 0 : ends[start - 1];
        return Rows == 0 || ends[start + Rows - 1] == first ? null : new ChildRows(ends.Memory.Slice(start, Rows), names, attributes, Batch.Strings, first);
    }
}
