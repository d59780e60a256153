using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Everything a part is made of, for <see cref="PartWriter"/> to ask for: rows in the order of a part (FORMAT.md "Rows"), cut into blocks. The writer alone
/// knows the format; a content knows where values come from, and never needs more of them in memory than what it is asked for. One use, one thread.
/// </summary>
/// <remarks>
/// The writer asks in this order, each thing once, so that a content may stream:
/// <list type="number">
/// <item><see cref="Signal"/>, <see cref="Plan"/>, <see cref="Columns"/>.</item>
/// <item>Scan section, column by column, each over all blocks from first to last: <see cref="ReadPlain"/> of resource, scope, time, then (spans) duration,
/// kind, status or (log records) severity, then the record shapes; then the codes of each value column where <see cref="ContentColumn.IsScanned"/>, in the order
/// of <see cref="Columns"/>.</item>
/// <item>Payload section, block by block: <see cref="ReadTraceIds"/>, <see cref="ReadSpanIds"/>, flags, dropped attributes; spans:
/// <see cref="ReadParentSpanIds"/>, dropped events, dropped links, event counts, and when there are events their times, dropped attributes and shapes; link
/// counts, and when there are links <see cref="ReadLinkTraceIds"/>, <see cref="ReadLinkSpanIds"/>, flags, dropped attributes and shapes; log records: observed
/// time; then every other value column that has the block: codes of a dictionary column, values of a raw one.</item>
/// <item>The dictionaries, in the order of <see cref="Columns"/>; <see cref="Owners"/>; <see cref="Shapes"/>.</item>
/// </list>
/// </remarks>
internal abstract class PartContent
{
    public abstract Signal Signal { get; }

    /// <summary>Where blocks and runs begin. At least one row.</summary>
    public abstract BlockPlan Plan { get; }

    /// <summary>
    /// The intrinsics of the signal, each, used or not; then the attribute keys of records, of events and of links, each key once in its scope.
    /// A shape names a column by its number among those of its scope, in this order.
    /// </summary>
    public abstract IReadOnlyList<ContentColumn> Columns { get; }

    /// <summary>Resources and scopes, whose indexes <see cref="PlainColumn.Resource"/> and <see cref="PlainColumn.Scope"/> hold; rows are not looked at.</summary>
    public abstract ColumnBatch Owners { get; }

    /// <summary>The distinct lists of keys of records, events or links, by the numbers that the shape columns hold; each the numbers of columns, in order, repeated ones repeated.</summary>
    public abstract IReadOnlyList<int[]> Shapes(ValueScope scope);

    /// <summary>
    /// Fills in the values of a block: one a row, one an event or link of the block for columns of those, in their order. Values mean what
    /// <see cref="ColumnBatch"/> says, but: <see cref="PlainColumn.Time"/> is the absolute time; event times are minus their span's start, and observed times
    /// minus the record's time (both may be negative); event and link counts are those of each row. Never asked for trace runs, ids and parents.
    /// </summary>
    public abstract void ReadPlain(PlainColumn column, int block, Span<long> values);

    /// <summary>The trace id of each run of the block; zero for rows outside any trace.</summary>
    public abstract void ReadTraceIds(int block, Span<TraceId> runs);

    /// <summary>One a row.</summary>
    public abstract void ReadSpanIds(int block, Span<SpanId> spans);

    /// <summary>One a row, zero without a parent.</summary>
    public abstract void ReadParentSpanIds(int block, Span<SpanId> parents);

    /// <summary>Bounds of a block that is copied from another part; else null.</summary>
    public virtual BlockBounds? StoredBounds(int block) => null;

    /// <summary>Where another part has what is to be written of a column in a block; asked before the values, which then are not asked for.</summary>
    public virtual bool TryGetStored(PlainColumn column, int block, out StoredChunk chunk)
    {
        chunk = default;
        return false;
    }

    /// <summary>The bloom of a block as another part has it; then that has the values of every raw column too (<see cref="ContentColumn.TryGetStored"/>).</summary>
    /// <param name="filter">Empty when no bit is set. Valid until the next call.</param>
    public virtual bool TryGetStoredBloom(int block, out ReadOnlySpan<byte> filter)
    {
        filter = default;
        return false;
    }

    /// <summary>The text filter of a block's bodies, which <see cref="ContentColumn.TryGetStored"/> said are stored. Valid until the next call.</summary>
    public virtual ReadOnlySpan<byte> StoredTextFilter(int block) => throw new InvalidOperationException($"block {block} is not stored");

    /// <summary>One a link of the block.</summary>
    public abstract void ReadLinkTraceIds(int block, Span<TraceId> traces);

    /// <summary>One a link of the block.</summary>
    public abstract void ReadLinkSpanIds(int block, Span<SpanId> spans);
}
