using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded;

/// <summary>
/// Up to a few thousand rows of a source, their columns decoded on demand. Used by one thread. Every span returned has <see cref="Rows"/> values and is
/// valid until the block is disposed. A column of the other signal throws <see cref="InvalidOperationException"/>.
/// </summary>
internal abstract class RowBlock : IDisposable
{
    public abstract int Rows { get; }

    /// <summary>The block's number in its source.</summary>
    public abstract int Index { get; }

    public abstract BlockBounds Bounds { get; }

    /// <summary>Bytes read from disk and decoded so far, for the query's budget.</summary>
    public abstract long BytesRead { get; }

    public abstract ReadOnlySpan<long> TimeUnixNano { get; }

    public abstract ReadOnlySpan<TraceId> TraceIds { get; }

    public abstract ReadOnlySpan<SpanId> SpanIds { get; }

    public abstract ReadOnlySpan<SpanId> ParentSpanIds { get; }

    /// <summary>Index into the resources of <see cref="RowSource.Owners"/>.</summary>
    public abstract ReadOnlySpan<int> Resources { get; }

    /// <summary>Index into the scopes of <see cref="RowSource.Owners"/>.</summary>
    public abstract ReadOnlySpan<int> Scopes { get; }

    public abstract ReadOnlySpan<long> DurationNano { get; }

    public abstract ReadOnlySpan<byte> Kinds { get; }

    public abstract ReadOnlySpan<byte> Statuses { get; }

    public abstract ReadOnlySpan<byte> SeverityNumbers { get; }

    /// <summary>
    /// A coded column: Name, StatusMessage, SeverityText, Body (intrinsics), or a Record attribute. Null when no row of the block has the attribute.
    /// Of several attributes with one key in a record, the last counts.
    /// </summary>
    public abstract CodedColumn? GetColumn(Field field);

    /// <summary>
    /// The same column with its codes one after another, as far as the block has them like that; else null, which says nothing about
    /// <see cref="GetColumn"/>. A predicate judges fewer codes that way.
    /// </summary>
    public virtual DenseColumn? GetDense(Field field) => null;

    /// <summary>Events of the rows as their own little table, null when no row has any: read only by filters on events and links.</summary>
    public abstract ChildRows? Events { get; }

    public abstract ChildRows? Links { get; }

    /// <summary>What the links of the rows point to, without their attributes; null when no row has any.</summary>
    public abstract LinkTargets? LinkTargets { get; }

    /// <summary>Appends the rows, whole (attributes, events, links, resources, scopes), to <paramref name="target"/>. Row numbers ascend.</summary>
    public abstract void CopyRows(ReadOnlySpan<int> rows, ColumnBatch target);

    public abstract void Dispose();
}

/// <summary>
/// A column as codes into a dictionary of distinct values. A column of mostly distinct values (ids, SQL) has a dictionary of the block's own, with a code
/// for each row; one of few values shares the source's. So whatever the encoding, a predicate is evaluated once for each distinct value.
/// </summary>
/// <param name="Codes">Per row: index into the dictionary, or -1 where the row lacks the attribute.</param>
internal sealed record CodedColumn(ReadOnlyMemory<int> Codes, ValueDictionary Values);

/// <summary>The codes of the rows that have an attribute, each once, in the order of the rows.</summary>
internal abstract class DenseColumn
{
    /// <summary>Rows that have the attribute; as many as there are codes.</summary>
    public abstract ReadOnlySpan<ulong> Presence { get; }

    public abstract ReadOnlySpan<int> Codes { get; }

    public abstract ValueDictionary Values { get; }
}

/// <summary>Distinct typed values. Reference identity tells a search that it may keep what it found out about the values.</summary>
internal abstract class ValueDictionary
{
    public abstract int Count { get; }

    /// <summary>Of one block only, and one value for each entry: nothing found out about its values is of use elsewhere.</summary>
    public virtual bool IsOfBlock => false;

    /// <summary>
    /// The contents of all values one after another, when the values are strings and kept like that: value i ends at <paramref name="ends"/>[i].
    /// </summary>
    public virtual bool TryGetStrings(out ReadOnlySpan<byte> contents, out ReadOnlySpan<int> ends)
    {
        contents = default;
        ends = default;
        return false;
    }

    public abstract Telemetry.Attributes.AttributeType GetType(int code);

    /// <summary>As <see cref="Telemetry.Attributes.AttributeValue.Bits"/>.</summary>
    public abstract long GetBits(int code);

    /// <summary>As <see cref="Telemetry.Attributes.AttributeValue.Content"/>.</summary>
    public abstract ReadOnlySpan<byte> GetContent(int code);
}

/// <summary>Events or links of a block's rows: child i belongs to the row r with Ends[r-1] &lt;= i &lt; Ends[r]; the first row's start at <paramref name="First"/>.</summary>
/// <param name="Names">Event names as codes in <paramref name="Strings"/>; empty for links.</param>
/// <param name="Attributes">One owner a child.</param>
internal sealed record ChildRows(ReadOnlyMemory<int> Ends, ReadOnlyMemory<int> Names, AttributeTable Attributes, StringTable Strings, int First = 0);

/// <summary>Ids that links name: link i belongs to a row as in <see cref="ChildRows"/>.</summary>
internal sealed record LinkTargets(ReadOnlyMemory<int> Ends, ReadOnlyMemory<TraceId> TraceIds, ReadOnlyMemory<SpanId> SpanIds, int First = 0);
