using System.Text.Json;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Query.Json;

/// <summary>Rows of a span batch as the API's Span, straight from the columns.</summary>
internal static class SpanJson
{
    private static readonly JsonEncodedText[] s_kinds =
    [
        JsonEncodedText.Encode("unspecified"), JsonEncodedText.Encode("internal"), JsonEncodedText.Encode("server"),
        JsonEncodedText.Encode("client"), JsonEncodedText.Encode("producer"), JsonEncodedText.Encode("consumer"),
    ];

    private static readonly JsonEncodedText[] s_statuses = [JsonEncodedText.Encode("unset"), JsonEncodedText.Encode("ok"), JsonEncodedText.Encode("error")];

    /// <summary>A number the sender made up shows as unspecified.</summary>
    public static JsonEncodedText Kind(byte kind) => s_kinds[kind < s_kinds.Length ? kind : 0];

    public static JsonEncodedText Status(byte status) => s_statuses[status < s_statuses.Length ? status : 0];

    /// <summary>The members of a span, without the braces.</summary>
    public static void WriteMembers(Utf8JsonWriter writer, ColumnBatch spans, int row)
    {
        TimeJson.WriteId(writer, "spanId"u8, spans.SpanId[row]);
        if (spans.ParentSpanId[row].IsZero)
        {
            writer.WriteNull("parentSpanId"u8);
        }
        else
        {
            TimeJson.WriteId(writer, "parentSpanId"u8, spans.ParentSpanId[row]);
        }
        writer.WriteString("name"u8, spans.Strings[spans.Name[row]]);
        writer.WriteString("kind"u8, Kind(spans.Kind[row]));
        writer.WriteString("status"u8, Status(spans.Status[row]));
        writer.WriteString("statusMessage"u8, spans.Strings[spans.StatusMessage[row]]);
        TimeJson.WriteUnixNano(writer, "startUnixNano"u8, spans.TimeUnixNano[row]);
        writer.WriteNumber("durationNano"u8, spans.DurationNano[row]);
        writer.WriteString("traceState"u8, spans.Strings[spans.TraceState[row]]);
        writer.WriteNumber("flags"u8, spans.Flags[row]);
        writer.WritePropertyName("attributes"u8);
        ValueJson.WriteObject(writer, spans.Attributes, row, spans.Strings);
        writer.WriteNumber("droppedAttributesCount"u8, spans.DroppedAttributesCount[row]);
        WriteEvents(writer, spans, row);
        writer.WriteNumber("droppedEventsCount"u8, spans.DroppedEventsCount[row]);
        WriteLinks(writer, spans, row);
        writer.WriteNumber("droppedLinksCount"u8, spans.DroppedLinksCount[row]);
    }

    /// <summary><c>{name, version, attributes}</c> of an instrumentation scope.</summary>
    public static void WriteScope(Utf8JsonWriter writer, ColumnBatch batch, int scope)
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, batch.Strings[batch.ScopeName[scope]]);
        writer.WriteString("version"u8, batch.Strings[batch.ScopeVersion[scope]]);
        writer.WritePropertyName("attributes"u8);
        ValueJson.WriteObject(writer, batch.ScopeAttributes, scope, batch.Strings);
        writer.WriteEndObject();
    }

    /// <summary><c>{attributes, serviceName}</c> of a resource.</summary>
    public static void WriteResource(Utf8JsonWriter writer, ColumnBatch batch, int resource)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("attributes"u8);
        ValueJson.WriteObject(writer, batch.ResourceAttributes, resource, batch.Strings);
        writer.WriteString("serviceName"u8, batch.ResourceServiceName(resource));
        writer.WriteEndObject();
    }

    private static void WriteEvents(Utf8JsonWriter writer, ColumnBatch spans, int row)
    {
        writer.WriteStartArray("events"u8);
        for (var i = row == 0 ? 0 : spans.EventEnd[row - 1]; i < spans.EventEnd[row]; i++)
        {
            writer.WriteStartObject();
            TimeJson.WriteUnixNano(writer, "timeUnixNano"u8, spans.EventTimeUnixNano[i]);
            writer.WriteString("name"u8, spans.Strings[spans.EventName[i]]);
            writer.WritePropertyName("attributes"u8);
            ValueJson.WriteObject(writer, spans.EventAttributes, i, spans.Strings);
            writer.WriteNumber("droppedAttributesCount"u8, spans.EventDroppedAttributesCount[i]);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static void WriteLinks(Utf8JsonWriter writer, ColumnBatch spans, int row)
    {
        writer.WriteStartArray("links"u8);
        for (var i = row == 0 ? 0 : spans.LinkEnd[row - 1]; i < spans.LinkEnd[row]; i++)
        {
            writer.WriteStartObject();
            TimeJson.WriteId(writer, "traceId"u8, spans.LinkTraceId[i]);
            TimeJson.WriteId(writer, "spanId"u8, spans.LinkSpanId[i]);
            writer.WriteString("traceState"u8, spans.Strings[spans.LinkTraceState[i]]);
            writer.WritePropertyName("attributes"u8);
            ValueJson.WriteObject(writer, spans.LinkAttributes, i, spans.Strings);
            writer.WriteNumber("droppedAttributesCount"u8, spans.LinkDroppedAttributesCount[i]);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
