using System.Text;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Query.Tests;

/// <summary>Builds column batches from rows of a test.</summary>
internal static class Batches
{
    /// <summary>2026-01-01T00:00:00Z.</summary>
    public const long Origin = 1_767_225_600_000_000_000;

    public static long At(double ms) => Origin + (long)(ms * 1_000_000);

    public static TraceId Trace(ulong number) => new(0, number);

    public static ColumnBatch Spans(params IEnumerable<SpanRow> rows)
    {
        var batch = new ColumnBatch(Signal.Traces);
        var resources = new Dictionary<string, int>(StringComparer.Ordinal);
        AddScope(batch);
        foreach (var row in rows.OrderBy(row => row.StartMs))
        {
            var resource = AddResource(batch, resources, row.Service, row.Resource);
            AddCommon(batch, At(row.StartMs), new TraceId(0, row.Trace), new SpanId(row.Id), resource, row.Name, row.Attributes);
            batch.ParentSpanId.Add(new SpanId(row.Parent));
            batch.DurationNano.Add((long)(row.DurationMs * 1_000_000));
            batch.Kind.Add((byte)row.Kind);
            batch.Status.Add((byte)row.Status);
            batch.StatusMessage.Add(batch.Strings.Intern(row.StatusMessage));
            batch.TraceState.Add(0);
            batch.DroppedEventsCount.Add(0);
            batch.DroppedLinksCount.Add(0);
            foreach (var (atMs, name, attributes) in row.Events)
            {
                batch.EventTimeUnixNano.Add(At(atMs));
                batch.EventName.Add(batch.Strings.Intern(name));
                batch.EventDroppedAttributesCount.Add(0);
                AddOwner(batch, batch.EventAttributes, attributes);
            }
            batch.EventEnd.Add(batch.EventTimeUnixNano.Count);
            foreach (var (trace, span) in row.Links)
            {
                batch.LinkTraceId.Add(new TraceId(0, trace));
                batch.LinkSpanId.Add(new SpanId(span));
                batch.LinkTraceState.Add(0);
                batch.LinkFlags.Add(0);
                batch.LinkDroppedAttributesCount.Add(0);
                AddOwner(batch, batch.LinkAttributes, []);
            }
            batch.LinkEnd.Add(batch.LinkTraceId.Count);
        }
        return batch;
    }

    public static ColumnBatch Logs(params IEnumerable<LogRow> rows)
    {
        var batch = new ColumnBatch(Signal.Logs);
        var resources = new Dictionary<string, int>(StringComparer.Ordinal);
        AddScope(batch);
        foreach (var row in rows)
        {
            var resource = AddResource(batch, resources, row.Service, []);
            AddCommon(batch, At(row.AtMs), new TraceId(0, row.Trace), new SpanId(row.Span), resource, row.EventName, row.Attributes);
            batch.ObservedTimeUnixNano.Add(At(row.AtMs));
            batch.SeverityNumber.Add(row.Severity);
            batch.SeverityText.Add(batch.Strings.Intern(row.SeverityText));
            var (type, bits) = Value(batch, row.Body);
            batch.BodyType.Add(type);
            batch.BodyBits.Add(bits);
        }
        return batch;
    }

    private static void AddScope(ColumnBatch batch)
    {
        batch.ScopeName.Add(batch.Strings.Intern("Test.Scope"));
        batch.ScopeVersion.Add(batch.Strings.Intern("1.0"));
        batch.ScopeSchemaUrl.Add(0);
        batch.ScopeDroppedAttributesCount.Add(0);
        batch.ScopeAttributes.EndOwner();
    }

    private static int AddResource(ColumnBatch batch, Dictionary<string, int> resources, string service, (string Key, object? Value)[] attributes)
    {
        var key = service + "|" + string.Join('|', attributes.Select(attribute => $"{attribute.Key}={attribute.Value}"));
        if (!resources.TryGetValue(key, out var resource))
        {
            resources.Add(key, resource = batch.ResourceAttributes.OwnerCount);
            batch.ResourceSchemaUrl.Add(0);
            batch.ResourceDroppedAttributesCount.Add(0);
            AddOwner(batch, batch.ResourceAttributes, [("service.name", service), .. attributes]);
        }
        return resource;
    }

    private static void AddCommon(ColumnBatch batch, long time, TraceId trace, SpanId span, int resource, string name, (string Key, object? Value)[] attributes)
    {
        batch.TimeUnixNano.Add(time);
        batch.TraceId.Add(trace);
        batch.SpanId.Add(span);
        batch.Resource.Add(resource);
        batch.Scope.Add(0);
        batch.Name.Add(batch.Strings.Intern(name));
        batch.Flags.Add(1);
        batch.DroppedAttributesCount.Add(0);
        AddOwner(batch, batch.Attributes, attributes);
    }

    private static void AddOwner(ColumnBatch batch, AttributeTable table, (string Key, object? Value)[] attributes)
    {
        foreach (var (key, value) in attributes)
        {
            var (type, bits) = Value(batch, value);
            table.Add(batch.Strings.Intern(key), type, bits);
        }
        table.EndOwner();
    }

    private static (AttributeType Type, long Bits) Value(ColumnBatch batch, object? value) => value switch
    {
        null => (AttributeType.Empty, 0),
        string text => (AttributeType.String, batch.Strings.Intern(text)),
        byte[] bytes => (AttributeType.Bytes, batch.Strings.Intern(bytes.AsSpan())),
        bool flag => (AttributeType.Bool, flag ? 1 : 0),
        double number => (AttributeType.Double, BitConverter.DoubleToInt64Bits(number)),
        // Raw AnyValue bytes, or a string that is not UTF-8.
        (AttributeType type, byte[] raw) => (type, batch.Strings.Intern(raw.AsSpan())),
        _ => (AttributeType.Int64, Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture)),
    };

    /// <summary>An AnyValue whose one field is a message or a string.</summary>
    public static byte[] AnyValue(int field, params byte[] content) => [(byte)(field << 3 | 2), (byte)content.Length, .. content];

    public static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
