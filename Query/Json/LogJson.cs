using System.Text.Json;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Query.Json;

/// <summary>Rows of a log batch as the API's Record, straight from the columns.</summary>
internal static class LogJson
{
    public static void Write(Utf8JsonWriter writer, ColumnBatch logs, int row)
    {
        writer.WriteStartObject();
        TimeJson.WriteUnixNano(writer, "timeUnixNano"u8, logs.TimeUnixNano[row]);
        TimeJson.WriteUnixNano(writer, "observedTimeUnixNano"u8, logs.ObservedTimeUnixNano[row]);
        writer.WriteNumber("severityNumber"u8, logs.SeverityNumber[row]);
        writer.WriteString("severity"u8, SeverityNumber.RangeName(logs.SeverityNumber[row]));
        writer.WriteString("severityText"u8, logs.Strings[logs.SeverityText[row]]);
        writer.WritePropertyName("body"u8);
        WriteBody(writer, logs, row);
        writer.WriteString("eventName"u8, logs.Strings[logs.Name[row]]);
        WriteIds(writer, logs, row);
        var resource = logs.Resource[row];
        writer.WriteString("service"u8, logs.ResourceServiceName(resource));
        writer.WriteStartObject("resource"u8);
        writer.WritePropertyName("attributes"u8);
        ValueJson.WriteObject(writer, logs.ResourceAttributes, resource, logs.Strings);
        writer.WriteEndObject();
        writer.WritePropertyName("scope"u8);
        SpanJson.WriteScope(writer, logs, logs.Scope[row]);
        writer.WritePropertyName("attributes"u8);
        ValueJson.WriteObject(writer, logs.Attributes, row, logs.Strings);
        writer.WriteNumber("droppedAttributesCount"u8, logs.DroppedAttributesCount[row]);
        writer.WriteNumber("flags"u8, logs.Flags[row]);
        writer.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter writer, ColumnBatch logs, int row)
    {
        var type = logs.BodyType[row];
        var bits = logs.BodyBits[row];
        if (type is AttributeType.String or AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList)
        {
            ValueJson.Write(writer, type, 0, logs.Strings[(int)bits]);
        }
        else
        {
            ValueJson.Write(writer, type, bits, default);
        }
    }

    private static void WriteIds(Utf8JsonWriter writer, ColumnBatch logs, int row)
    {
        if (logs.TraceId[row].IsZero)
        {
            writer.WriteNull("traceId"u8);
        }
        else
        {
            TimeJson.WriteId(writer, "traceId"u8, logs.TraceId[row]);
        }
        if (logs.SpanId[row].IsZero)
        {
            writer.WriteNull("spanId"u8);
        }
        else
        {
            TimeJson.WriteId(writer, "spanId"u8, logs.SpanId[row]);
        }
    }
}
