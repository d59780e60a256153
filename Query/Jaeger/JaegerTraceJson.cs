using System.Globalization;
using System.Text;
using System.Text.Json;
using Apm.Query.Json;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Query.Jaeger;

/// <param name="Rows">The trace's spans among <paramref name="Spans"/>, by start.</param>
/// <param name="Truncated">There are more.</param>
internal sealed record JaegerTrace(TraceId Id, ColumnBatch Spans, IEnumerable<int> Rows, bool Truncated);

/// <summary>A trace in the shape of Jaeger's v1 (its UI's model). Times are microseconds; ids are 16 digits where the high half is zero.</summary>
internal static class JaegerTraceJson
{
    /// <summary>The first integer that JavaScript cannot tell from its neighbour: from here on integers are strings.</summary>
    private const long FirstInexact = 1L << 53;

    /// <param name="raw">Without the adjustments for reading: integer addresses stay integers.</param>
    public static IEnumerable<bool> WritePieces(Utf8JsonWriter writer, JaegerTrace trace, bool raw)
    {
        var (traceId, spans, rows, truncated) = trace;
        var processes = new Dictionary<int, int>();
        writer.WriteStartObject();
        writer.WriteString("traceID"u8, Id(traceId));
        writer.WriteStartArray("spans"u8);
        foreach (var row in rows)
        {
            var resource = spans.Resource[row];
            if (!processes.TryGetValue(resource, out var process))
            {
                processes.Add(resource, process = processes.Count + 1);
            }
            WriteSpan(writer, traceId, spans, row, process, raw);
            yield return true;
        }
        writer.WriteEndArray();
        writer.WriteStartObject("processes"u8);
        foreach (var (resource, process) in processes)
        {
            WriteProcess(writer, spans, resource, process, raw);
        }
        writer.WriteEndObject();
        if (truncated)
        {
            writer.WriteStartArray("warnings"u8);
            writer.WriteStringValue($"the trace has more than {spans.Rows} spans; the rest is left out");
            writer.WriteEndArray();
        }
        else
        {
            writer.WriteNull("warnings"u8);
        }
        writer.WriteEndObject();
        yield return true;
    }

    public static string Id(TraceId id) => id.High == 0 ? id.Low.ToString("x16", CultureInfo.InvariantCulture) : id.ToString();

    public static string ServiceName(ColumnBatch spans, int resource)
    {
        var key = spans.Strings.Find("service.name"u8);
        var entry = key < 0 ? -1 : spans.ResourceAttributes.Find(resource, key);
        return entry < 0 ? JaegerSearch.MissingServiceName : spans.ResourceAttributes.GetValue(entry, spans.Strings).ToString();
    }

    private static void WriteSpan(Utf8JsonWriter writer, TraceId traceId, ColumnBatch spans, int row, int process, bool raw)
    {
        writer.WriteStartObject();
        writer.WriteString("traceID"u8, Id(traceId));
        writer.WriteString("spanID"u8, spans.SpanId[row].ToString());
        writer.WriteNumber("flags"u8, spans.Flags[row] & 0xff);
        writer.WriteString("operationName"u8, spans.Strings[spans.Name[row]]);
        WriteReferences(writer, traceId, spans, row);
        writer.WriteNumber("startTime"u8, spans.TimeUnixNano[row] / 1000);
        writer.WriteNumber("duration"u8, spans.DurationNano[row] / 1000);
        WriteTags(writer, spans, row, raw);
        WriteLogs(writer, spans, row, raw);
        writer.WriteString("processID"u8, string.Create(CultureInfo.InvariantCulture, $"p{process}"));
        writer.WriteNull("warnings"u8);
        writer.WriteEndObject();
    }

    private static void WriteReferences(Utf8JsonWriter writer, TraceId traceId, ColumnBatch spans, int row)
    {
        writer.WriteStartArray("references"u8);
        var parent = spans.ParentSpanId[row];
        var parentType = "CHILD_OF";
        var first = row == 0 ? 0 : spans.LinkEnd[row - 1];
        for (var link = first; link < spans.LinkEnd[row]; link++)
        {
            if (!parent.IsZero && spans.LinkTraceId[link] == traceId && spans.LinkSpanId[link] == parent)
            {
                parentType = ReferenceType(spans, link);
            }
        }
        if (!parent.IsZero)
        {
            WriteReference(writer, parentType, traceId, parent);
        }
        for (var link = first; link < spans.LinkEnd[row]; link++)
        {
            if (parent.IsZero || spans.LinkTraceId[link] != traceId || spans.LinkSpanId[link] != parent)
            {
                WriteReference(writer, ReferenceType(spans, link), spans.LinkTraceId[link], spans.LinkSpanId[link]);
            }
        }
        writer.WriteEndArray();
    }

    private static string ReferenceType(ColumnBatch spans, int link)
    {
        var key = spans.Strings.Find("opentracing.ref_type"u8);
        var entry = key < 0 ? -1 : spans.LinkAttributes.Find(link, key);
        return entry >= 0 && spans.LinkAttributes.GetValue(entry, spans.Strings).ToString() == "child_of" ? "CHILD_OF" : "FOLLOWS_FROM";
    }

    private static void WriteReference(Utf8JsonWriter writer, string type, TraceId traceId, SpanId spanId)
    {
        writer.WriteStartObject();
        writer.WriteString("refType"u8, type);
        writer.WriteString("traceID"u8, Id(traceId));
        writer.WriteString("spanID"u8, spanId.ToString());
        writer.WriteEndObject();
    }

    /// <summary>The attributes, then what Jaeger shows as tags of what OpenTelemetry keeps beside them.</summary>
    private static void WriteTags(Utf8JsonWriter writer, ColumnBatch spans, int row, bool raw)
    {
        writer.WriteStartArray("tags"u8);
        WriteAttributes(writer, spans.Attributes, row, spans.Strings, raw);
        var scope = spans.Scope[row];
        WriteText(writer, "otel.scope.name"u8, spans.Strings[spans.ScopeName[scope]]);
        WriteText(writer, "otel.scope.version"u8, spans.Strings[spans.ScopeVersion[scope]]);
        if (spans.Kind[row] is var kind and not (byte)SpanKind.Unspecified)
        {
            WriteText(writer, "span.kind"u8, KindName(kind));
        }
        if (spans.Status[row] == (byte)StatusCode.Error)
        {
            writer.WriteStartObject();
            writer.WriteString("key"u8, "error"u8);
            writer.WriteString("type"u8, "bool"u8);
            writer.WriteBoolean("value"u8, true);
            writer.WriteEndObject();
            WriteText(writer, "otel.status_code"u8, "ERROR"u8);
        }
        else if (spans.Status[row] == (byte)StatusCode.Ok)
        {
            WriteText(writer, "otel.status_code"u8, "OK"u8);
        }
        WriteText(writer, "otel.status_description"u8, spans.Strings[spans.StatusMessage[row]]);
        WriteText(writer, "w3c.tracestate"u8, spans.Strings[spans.TraceState[row]]);
        writer.WriteEndArray();
    }

    public static ReadOnlySpan<byte> KindName(byte kind) => (SpanKind)kind switch
    {
        SpanKind.Internal => "internal"u8,
        SpanKind.Server => "server"u8,
        SpanKind.Client => "client"u8,
        SpanKind.Producer => "producer"u8,
        SpanKind.Consumer => "consumer"u8,
        _ => ""u8,
    };

    private static void WriteLogs(Utf8JsonWriter writer, ColumnBatch spans, int row, bool raw)
    {
        writer.WriteStartArray("logs"u8);
        for (var i = row == 0 ? 0 : spans.EventEnd[row - 1]; i < spans.EventEnd[row]; i++)
        {
            writer.WriteStartObject();
            writer.WriteNumber("timestamp"u8, spans.EventTimeUnixNano[i] / 1000);
            writer.WriteStartArray("fields"u8);
            // An attribute of that key wins over the name.
            if (spans.Strings.Find("event"u8) is var key && (key < 0 || spans.EventAttributes.Find(i, key) < 0))
            {
                WriteText(writer, "event"u8, spans.Strings[spans.EventName[i]]);
            }
            WriteAttributes(writer, spans.EventAttributes, i, spans.Strings, raw);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteProcess(Utf8JsonWriter writer, ColumnBatch spans, int resource, int process, bool raw)
    {
        writer.WriteStartObject(string.Create(CultureInfo.InvariantCulture, $"p{process}"));
        writer.WriteString("serviceName"u8, ServiceName(spans, resource));
        writer.WriteStartArray("tags"u8);
        WriteAttributes(writer, spans.ResourceAttributes, resource, spans.Strings, raw, except: "service.name"u8);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return;
        }
        writer.WriteStartObject();
        writer.WriteString("key"u8, key);
        writer.WriteString("type"u8, "string"u8);
        writer.WriteString("value"u8, value);
        writer.WriteEndObject();
    }

    private static void WriteAttributes(Utf8JsonWriter writer, AttributeTable table, int owner, StringTable strings, bool raw, ReadOnlySpan<byte> except = default)
    {
        for (var entry = table.Start(owner); entry < table.Start(owner + 1); entry++)
        {
            var key = strings[table.Keys[entry]];
            if (except.IsEmpty || !key.SequenceEqual(except))
            {
                WriteAttribute(writer, key, table.GetValue(entry, strings), raw);
            }
        }
    }

    private static void WriteAttribute(Utf8JsonWriter writer, ReadOnlySpan<byte> key, AttributeValue value, bool raw)
    {
        writer.WriteStartObject();
        writer.WriteString("key"u8, key);
        switch (value.Type)
        {
            case AttributeType.Bool:
                writer.WriteString("type"u8, "bool"u8);
                writer.WriteBoolean("value"u8, value.AsBool());
                break;
            case AttributeType.Int64 when !raw && IsAddress(key) && value.Bits is >= int.MinValue and <= uint.MaxValue:
                writer.WriteString("type"u8, "string"u8);
                writer.WriteString("value"u8, Dotted((uint)value.Bits));
                break;
            case AttributeType.Int64:
                writer.WriteString("type"u8, "int64"u8);
                if (value.Bits is > -FirstInexact and < FirstInexact)
                {
                    writer.WriteNumber("value"u8, value.Bits);
                }
                else
                {
                    writer.WriteString("value"u8, value.ToString());
                }
                break;
            case AttributeType.Double:
                writer.WriteString("type"u8, "float64"u8);
                writer.WritePropertyName("value"u8);
                AttributeJson.Write(writer, value.Type, value.Bits, default);
                break;
            case AttributeType.Bytes:
                writer.WriteString("type"u8, "binary"u8);
                writer.WriteBase64String("value"u8, value.Content);
                break;
            default:
                writer.WriteString("type"u8, "string"u8);
                writer.WriteString("value"u8, value.ToString());
                break;
        }
        writer.WriteEndObject();
    }

    private static bool IsAddress(ReadOnlySpan<byte> key) => key.SequenceEqual("ip"u8) || key.SequenceEqual("peer.ipv4"u8);

    private static string Dotted(uint address) => string.Create(CultureInfo.InvariantCulture, $"{address >> 24}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}");
}
