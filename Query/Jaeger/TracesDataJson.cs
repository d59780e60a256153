using System.Text;
using System.Text.Json;
using Apm.Query.Json;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Otlp;

namespace Apm.Query.Jaeger;

/// <summary>
/// Spans as opentelemetry.proto.trace.v1.TracesData in JSON: hexadecimal ids, enums as numbers, 64-bit integers as strings, <c>status</c> and <c>scope</c> present
/// when empty, as Jaeger's v3 answers.
/// </summary>
internal static class TracesDataJson
{
    /// <summary>Writes the elements of <c>resourceSpans</c>, those of one resource and scope together.</summary>
    public static IEnumerable<bool> WritePieces(Utf8JsonWriter writer, ColumnBatch spans)
    {
        var rows = Enumerable.Range(0, spans.Rows).GroupBy(row => spans.Resource[row]);
        foreach (var ofResource in rows)
        {
            writer.WriteStartObject();
            writer.WriteStartObject("resource"u8);
            WriteAttributes(writer, spans.ResourceAttributes, ofResource.Key, spans.Strings);
            WriteCount(writer, "droppedAttributesCount"u8, spans.ResourceDroppedAttributesCount[ofResource.Key]);
            writer.WriteEndObject();
            writer.WriteStartArray("scopeSpans"u8);
            foreach (var ofScope in ofResource.GroupBy(row => spans.Scope[row]))
            {
                writer.WriteStartObject();
                WriteScope(writer, spans, ofScope.Key);
                writer.WriteStartArray("spans"u8);
                foreach (var row in ofScope)
                {
                    WriteSpan(writer, spans, row);
                    yield return true;
                }
                writer.WriteEndArray();
                WriteText(writer, "schemaUrl"u8, spans.Strings[spans.ScopeSchemaUrl[ofScope.Key]]);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            WriteText(writer, "schemaUrl"u8, spans.Strings[spans.ResourceSchemaUrl[ofResource.Key]]);
            writer.WriteEndObject();
        }
    }

    private static void WriteScope(Utf8JsonWriter writer, ColumnBatch spans, int scope)
    {
        writer.WriteStartObject("scope"u8);
        WriteText(writer, "name"u8, spans.Strings[spans.ScopeName[scope]]);
        WriteText(writer, "version"u8, spans.Strings[spans.ScopeVersion[scope]]);
        WriteAttributes(writer, spans.ScopeAttributes, scope, spans.Strings);
        WriteCount(writer, "droppedAttributesCount"u8, spans.ScopeDroppedAttributesCount[scope]);
        writer.WriteEndObject();
    }

    private static void WriteSpan(Utf8JsonWriter writer, ColumnBatch spans, int row)
    {
        writer.WriteStartObject();
        TimeJson.WriteId(writer, "traceId"u8, spans.TraceId[row]);
        TimeJson.WriteId(writer, "spanId"u8, spans.SpanId[row]);
        WriteText(writer, "traceState"u8, spans.Strings[spans.TraceState[row]]);
        if (!spans.ParentSpanId[row].IsZero)
        {
            TimeJson.WriteId(writer, "parentSpanId"u8, spans.ParentSpanId[row]);
        }
        WriteCount(writer, "flags"u8, spans.Flags[row]);
        WriteText(writer, "name"u8, spans.Strings[spans.Name[row]]);
        WriteCount(writer, "kind"u8, spans.Kind[row]);
        TimeJson.WriteUnixNano(writer, "startTimeUnixNano"u8, spans.TimeUnixNano[row]);
        TimeJson.WriteUnixNano(writer, "endTimeUnixNano"u8, spans.EndUnixNano(row));
        WriteAttributes(writer, spans.Attributes, row, spans.Strings);
        WriteCount(writer, "droppedAttributesCount"u8, spans.DroppedAttributesCount[row]);
        WriteEvents(writer, spans, row);
        WriteLinks(writer, spans, row);
        writer.WriteStartObject("status"u8);
        WriteText(writer, "message"u8, spans.Strings[spans.StatusMessage[row]]);
        WriteCount(writer, "code"u8, spans.Status[row]);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteEvents(Utf8JsonWriter writer, ColumnBatch spans, int row)
    {
        var first = row == 0 ? 0 : spans.EventEnd[row - 1];
        if (first < spans.EventEnd[row])
        {
            writer.WriteStartArray("events"u8);
            for (var i = first; i < spans.EventEnd[row]; i++)
            {
                writer.WriteStartObject();
                TimeJson.WriteUnixNano(writer, "timeUnixNano"u8, spans.EventTimeUnixNano[i]);
                WriteText(writer, "name"u8, spans.Strings[spans.EventName[i]]);
                WriteAttributes(writer, spans.EventAttributes, i, spans.Strings);
                WriteCount(writer, "droppedAttributesCount"u8, spans.EventDroppedAttributesCount[i]);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        WriteCount(writer, "droppedEventsCount"u8, spans.DroppedEventsCount[row]);
    }

    private static void WriteLinks(Utf8JsonWriter writer, ColumnBatch spans, int row)
    {
        var first = row == 0 ? 0 : spans.LinkEnd[row - 1];
        if (first < spans.LinkEnd[row])
        {
            writer.WriteStartArray("links"u8);
            for (var i = first; i < spans.LinkEnd[row]; i++)
            {
                writer.WriteStartObject();
                TimeJson.WriteId(writer, "traceId"u8, spans.LinkTraceId[i]);
                TimeJson.WriteId(writer, "spanId"u8, spans.LinkSpanId[i]);
                WriteText(writer, "traceState"u8, spans.Strings[spans.LinkTraceState[i]]);
                WriteAttributes(writer, spans.LinkAttributes, i, spans.Strings);
                WriteCount(writer, "droppedAttributesCount"u8, spans.LinkDroppedAttributesCount[i]);
                WriteCount(writer, "flags"u8, spans.LinkFlags[i]);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        WriteCount(writer, "droppedLinksCount"u8, spans.DroppedLinksCount[row]);
    }

    private static void WriteText(Utf8JsonWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            writer.WriteString(name, value);
        }
    }

    private static void WriteCount(Utf8JsonWriter writer, ReadOnlySpan<byte> name, uint value)
    {
        if (value != 0)
        {
            writer.WriteNumber(name, value);
        }
    }

    private static void WriteAttributes(Utf8JsonWriter writer, AttributeTable table, int owner, StringTable strings)
    {
        if (table.Start(owner) == table.Start(owner + 1))
        {
            return;
        }
        writer.WriteStartArray("attributes"u8);
        for (var entry = table.Start(owner); entry < table.Start(owner + 1); entry++)
        {
            writer.WriteStartObject();
            writer.WriteString("key"u8, strings[table.Keys[entry]]);
            writer.WritePropertyName("value"u8);
            var type = table.Types[entry];
            var bits = table.Bits[entry];
            WriteValue(writer, type, bits, type is AttributeType.String or AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList ? strings[(int)bits] : default);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter writer, AttributeType type, long bits, ReadOnlySpan<byte> content)
    {
        if (type is AttributeType.Array or AttributeType.KeyValueList)
        {
            WriteAnyValue(writer, content, 0);
            return;
        }
        writer.WriteStartObject();
        switch (type)
        {
            case AttributeType.String:
                writer.WriteString("stringValue"u8, content);
                break;
            case AttributeType.Bool:
                writer.WriteBoolean("boolValue"u8, bits != 0);
                break;
            case AttributeType.Int64:
                TimeJson.WriteUnixNano(writer, "intValue"u8, bits);
                break;
            case AttributeType.Double:
                writer.WritePropertyName("doubleValue"u8);
                AttributeJson.Write(writer, AttributeType.Double, bits, default);
                break;
            case AttributeType.Bytes:
                writer.WriteBase64String("bytesValue"u8, content);
                break;
        }
        writer.WriteEndObject();
    }

    /// <param name="anyValue">Raw bytes of opentelemetry.proto.common.v1.AnyValue, checked when they were received.</param>
    private static void WriteAnyValue(Utf8JsonWriter writer, ReadOnlySpan<byte> anyValue, int depth)
    {
        var value = depth <= AttributeJson.MaxDepth ? AnyValue.Read(anyValue) : default;
        switch (value.Type)
        {
            case AttributeType.Array:
                WriteListStart(writer, "arrayValue"u8);
                foreach (var element in value.Nested)
                {
                    WriteAnyValue(writer, element, depth + 1);
                }
                WriteListEnd(writer);
                break;
            case AttributeType.KeyValueList:
                WriteListStart(writer, "kvlistValue"u8);
                foreach (var element in value.Nested)
                {
                    var pair = KeyValue.Read(element);
                    writer.WriteStartObject();
                    writer.WriteString("key"u8, pair.Key);
                    writer.WritePropertyName("value"u8);
                    WriteAnyValue(writer, pair.Value, depth + 1);
                    writer.WriteEndObject();
                }
                WriteListEnd(writer);
                break;
            default:
                WriteValue(writer, value.Type, value.Bits, value.Content);
                break;
        }
    }

    private static void WriteListStart(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteStartObject();
        writer.WriteStartObject(name);
        writer.WriteStartArray("values"u8);
    }

    private static void WriteListEnd(Utf8JsonWriter writer)
    {
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
