using System.Runtime.CompilerServices;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Columns;

/// <summary>
/// Spans or log records decoded to columns: what the Ingester appends, what the head keeps, and what a fetch returns.
/// Every row column has <see cref="Rows"/> values; those of the other signal stay empty. A "code" is an index into <see cref="Strings"/>.
/// Built by one writer, row by row; immutable and readable from any thread once it is handed on.
/// </summary>
public sealed class ColumnBatch(Signal signal)
{
    public Signal Signal { get; } = signal;

    public StringTable Strings { get; } = new();

    /// <summary>For the writer that copies rows here from other batches.</summary>
    internal OwnerIndex Owners => field ??= new OwnerIndex(this);

    public int Rows => TimeUnixNano.Count;

    // Resources and instrumentation scopes, referred to by index from the rows.

    /// <summary>One owner a resource.</summary>
    public AttributeTable ResourceAttributes { get; } = new();
    public Column<int> ResourceSchemaUrl { get; } = new();
    public Column<uint> ResourceDroppedAttributesCount { get; } = new();

    public Column<int> ScopeName { get; } = new();
    public Column<int> ScopeVersion { get; } = new();
    public Column<int> ScopeSchemaUrl { get; } = new();
    public Column<uint> ScopeDroppedAttributesCount { get; } = new();
    /// <summary>One owner a scope.</summary>
    public AttributeTable ScopeAttributes { get; } = new();

    // Rows of both signals.

    /// <summary>Span: start. Log record: time, or the observed time when that is 0, or the receive time when both are.</summary>
    public Column<long> TimeUnixNano { get; } = new();
    /// <summary>Zero on a log record outside any trace.</summary>
    public Column<TraceId> TraceId { get; } = new();
    public Column<SpanId> SpanId { get; } = new();
    public Column<int> Resource { get; } = new();
    public Column<int> Scope { get; } = new();
    /// <summary>Code. Span: name. Log record: event_name.</summary>
    public Column<int> Name { get; } = new();
    public Column<uint> Flags { get; } = new();
    public Column<uint> DroppedAttributesCount { get; } = new();
    /// <summary>One owner a row.</summary>
    public AttributeTable Attributes { get; } = new();

    // Spans only.

    public Column<SpanId> ParentSpanId { get; } = new();
    /// <summary>End minus start, at least 0 (an end before the start is stored as 0).</summary>
    public Column<long> DurationNano { get; } = new();
    public Column<byte> Kind { get; } = new();
    public Column<byte> Status { get; } = new();
    public Column<int> StatusMessage { get; } = new();
    public Column<int> TraceState { get; } = new();
    public Column<uint> DroppedEventsCount { get; } = new();
    public Column<uint> DroppedLinksCount { get; } = new();

    /// <summary>Per row: index one past its last event; its first is the previous row's end.</summary>
    public Column<int> EventEnd { get; } = new();
    public Column<long> EventTimeUnixNano { get; } = new();
    public Column<int> EventName { get; } = new();
    public Column<uint> EventDroppedAttributesCount { get; } = new();
    /// <summary>One owner an event.</summary>
    public AttributeTable EventAttributes { get; } = new();

    /// <summary>Per row: index one past its last link.</summary>
    public Column<int> LinkEnd { get; } = new();
    public Column<TraceId> LinkTraceId { get; } = new();
    public Column<SpanId> LinkSpanId { get; } = new();
    public Column<int> LinkTraceState { get; } = new();
    public Column<uint> LinkFlags { get; } = new();
    public Column<uint> LinkDroppedAttributesCount { get; } = new();
    /// <summary>One owner a link.</summary>
    public AttributeTable LinkAttributes { get; } = new();

    // Log records only.

    public Column<long> ObservedTimeUnixNano { get; } = new();
    public Column<byte> SeverityNumber { get; } = new();
    public Column<int> SeverityText { get; } = new();
    public Column<AttributeType> BodyType { get; } = new();
    /// <summary>As <see cref="AttributeTable.Bits"/>.</summary>
    public Column<long> BodyBits { get; } = new();

    public long EndUnixNano(int row) => TimeUnixNano[row] + DurationNano[row];

    /// <summary>service.name of the row's resource, or "" when it has none.</summary>
    public string ServiceName(int row) => ResourceServiceName(Resource[row]);

    public string ResourceServiceName(int resource)
    {
        var key = Strings.Find("service.name"u8);
        var entry = key < 0 ? -1 : ResourceAttributes.Find(resource, key);
        return entry < 0 ? "" : ResourceAttributes.GetValue(entry, Strings).ToString();
    }

    /// <summary>Memory held, counting arrays at their capacity.</summary>
    public long SizeBytes =>
        Strings.SizeBytes + ResourceAttributes.SizeBytes + ScopeAttributes.SizeBytes + Attributes.SizeBytes + EventAttributes.SizeBytes + LinkAttributes.SizeBytes
        + Size(TimeUnixNano) + Size(TraceId) + Size(SpanId) + Size(Resource) + Size(Scope) + Size(Name) + Size(Flags) + Size(DroppedAttributesCount)
        + Size(ParentSpanId) + Size(DurationNano) + Size(Kind) + Size(Status) + Size(StatusMessage) + Size(TraceState) + Size(DroppedEventsCount) + Size(DroppedLinksCount)
        + Size(EventEnd) + Size(EventTimeUnixNano) + Size(EventName) + Size(EventDroppedAttributesCount)
        + Size(LinkEnd) + Size(LinkTraceId) + Size(LinkSpanId) + Size(LinkTraceState) + Size(LinkFlags) + Size(LinkDroppedAttributesCount)
        + Size(ObservedTimeUnixNano) + Size(SeverityNumber) + Size(SeverityText) + Size(BodyType) + Size(BodyBits);

    /// <summary>Says that the batch will hold about as much as the other. Nothing is allocated before rows come.</summary>
    internal void ExpectAsMuchAs(ColumnBatch other)
    {
        Strings.ExpectAsMuchAs(other.Strings);
        Attributes.ExpectAsMuchAs(other.Attributes);
        EventAttributes.ExpectAsMuchAs(other.EventAttributes);
        LinkAttributes.ExpectAsMuchAs(other.LinkAttributes);
        var rows = other.Rows;
        TimeUnixNano.Expect(rows);
        TraceId.Expect(rows);
        SpanId.Expect(rows);
        Resource.Expect(rows);
        Scope.Expect(rows);
        Name.Expect(rows);
        Flags.Expect(rows);
        DroppedAttributesCount.Expect(rows);
        ParentSpanId.Expect(rows);
        DurationNano.Expect(rows);
        Kind.Expect(rows);
        Status.Expect(rows);
        StatusMessage.Expect(rows);
        TraceState.Expect(rows);
        DroppedEventsCount.Expect(rows);
        DroppedLinksCount.Expect(rows);
        EventEnd.Expect(rows);
        LinkEnd.Expect(rows);
        ObservedTimeUnixNano.Expect(rows);
        SeverityNumber.Expect(rows);
        SeverityText.Expect(rows);
        BodyType.Expect(rows);
        BodyBits.Expect(rows);
    }

    private static long Size<T>(Column<T> column)
        where T : unmanaged => (long)column.CapacityCount * Unsafe.SizeOf<T>();
}
