using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Tests;

/// <summary>Attributes, or an event or link, as tests write them.</summary>
public sealed record TestOwner(string Name = "", string Version = "", params (string Key, AttributeValue Value)[] Attributes)
{
    public static TestOwner Of(params (string Key, AttributeValue Value)[] attributes) => new("", "", attributes);

    public static TestOwner Service(string name, params (string Key, AttributeValue Value)[] attributes) =>
        new("", "", [("service.name", AttributeValue.FromString(name)), .. attributes]);
}

/// <summary>A span or log record as tests write it; <see cref="ToBatch"/> makes columns of it.</summary>
public sealed record TestRecord
{
    public static readonly TestOwner NoOwner = new();

    public TraceId TraceId { get; init; }
    public SpanId SpanId { get; init; }
    public SpanId Parent { get; init; }
    public long Time { get; init; }
    public long Duration { get; init; }
    public string Name { get; init; } = "";
    public SpanKind Kind { get; init; }
    public StatusCode Status { get; init; }
    public string StatusMessage { get; init; } = "";
    public byte Severity { get; init; }
    public string SeverityText { get; init; } = "";
    public AttributeValue Body { get; init; }
    public TestOwner Resource { get; init; } = NoOwner;
    public TestOwner Scope { get; init; } = NoOwner;
    public (string Key, AttributeValue Value)[] Attributes { get; init; } = [];
    public TestOwner[] Events { get; init; } = [];
    public TestOwner[] Links { get; init; } = [];

    /// <summary>What all of <see cref="Links"/> point to.</summary>
    public (TraceId TraceId, SpanId SpanId) LinkTarget { get; init; } = (new TraceId(1, 1), new SpanId(1));

    public string ServiceName => Resource.Attributes.LastOrDefault(attribute => attribute.Key == "service.name") is { Key: not null } found ? found.Value.ToString() : "";

    /// <param name="id">Becomes trace id (0, <paramref name="trace"/>) and span id.</param>
    public static TestRecord Span(ulong trace, ulong id, ulong parent = 0, long start = 0, long duration = 10, string service = "shop", string name = "op") => new()
    {
        TraceId = new TraceId(0, trace),
        SpanId = new SpanId(id),
        Parent = new SpanId(parent),
        Time = start,
        Duration = duration,
        Name = name,
        Resource = TestOwner.Service(service),
    };

    public static ColumnBatch ToBatch(Signal signal, params IEnumerable<TestRecord> records)
    {
        var batch = new ColumnBatch(signal);
        var resources = new Dictionary<TestOwner, int>();
        var scopes = new Dictionary<TestOwner, int>();
        foreach (var record in records)
        {
            if (!resources.TryGetValue(record.Resource, out var resource))
            {
                resources.Add(record.Resource, resource = resources.Count);
                Add(batch, batch.ResourceAttributes, record.Resource.Attributes);
                batch.ResourceSchemaUrl.Add(0);
                batch.ResourceDroppedAttributesCount.Add(0);
            }
            if (!scopes.TryGetValue(record.Scope, out var scope))
            {
                scopes.Add(record.Scope, scope = scopes.Count);
                batch.ScopeName.Add(batch.Strings.Intern(record.Scope.Name));
                batch.ScopeVersion.Add(batch.Strings.Intern(record.Scope.Version));
                batch.ScopeSchemaUrl.Add(0);
                batch.ScopeDroppedAttributesCount.Add(0);
                Add(batch, batch.ScopeAttributes, record.Scope.Attributes);
            }
            AddRow(batch, record, resource, scope);
        }
        return batch;
    }

    private static void AddRow(ColumnBatch batch, TestRecord record, int resource, int scope)
    {
        batch.TimeUnixNano.Add(record.Time);
        batch.TraceId.Add(record.TraceId);
        batch.SpanId.Add(record.SpanId);
        batch.Resource.Add(resource);
        batch.Scope.Add(scope);
        batch.Name.Add(batch.Strings.Intern(record.Name));
        batch.Flags.Add(0);
        batch.DroppedAttributesCount.Add(0);
        Add(batch, batch.Attributes, record.Attributes);
        if (batch.Signal == Signal.Logs)
        {
            batch.ObservedTimeUnixNano.Add(record.Time);
            batch.SeverityNumber.Add(record.Severity);
            batch.SeverityText.Add(batch.Strings.Intern(record.SeverityText));
            batch.BodyType.Add(record.Body.Type);
            batch.BodyBits.Add(Bits(batch, record.Body));
            return;
        }
        batch.ParentSpanId.Add(record.Parent);
        batch.DurationNano.Add(record.Duration);
        batch.Kind.Add((byte)record.Kind);
        batch.Status.Add((byte)record.Status);
        batch.StatusMessage.Add(batch.Strings.Intern(record.StatusMessage));
        batch.TraceState.Add(0);
        batch.DroppedEventsCount.Add(0);
        batch.DroppedLinksCount.Add(0);
        foreach (var happened in record.Events)
        {
            batch.EventTimeUnixNano.Add(record.Time);
            batch.EventName.Add(batch.Strings.Intern(happened.Name));
            batch.EventDroppedAttributesCount.Add(0);
            Add(batch, batch.EventAttributes, happened.Attributes);
        }
        batch.EventEnd.Add(batch.EventName.Count);
        foreach (var link in record.Links)
        {
            batch.LinkTraceId.Add(record.LinkTarget.TraceId);
            batch.LinkSpanId.Add(record.LinkTarget.SpanId);
            batch.LinkTraceState.Add(0);
            batch.LinkFlags.Add(0);
            batch.LinkDroppedAttributesCount.Add(0);
            Add(batch, batch.LinkAttributes, link.Attributes);
        }
        batch.LinkEnd.Add(batch.LinkSpanId.Count);
    }

    private static void Add(ColumnBatch batch, AttributeTable table, (string Key, AttributeValue Value)[] attributes)
    {
        foreach (var (key, value) in attributes)
        {
            table.Add(batch.Strings.Intern(key), value.Type, Bits(batch, value));
        }
        table.EndOwner();
    }

    private static long Bits(ColumnBatch batch, AttributeValue value) =>
        value.Type is AttributeType.String or AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList ? batch.Strings.Intern(value.Content) : value.Bits;
}
