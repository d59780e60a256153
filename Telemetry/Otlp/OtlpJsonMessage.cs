using System.Text;
using System.Text.Json;

namespace Apm.Telemetry.Otlp;

internal enum OtlpJsonKind
{
    String,
    /// <summary>Trace and span ids: bytes as hexadecimal text.</summary>
    Hex,
    Base64,
    Bool,
    UInt32,
    Int64,
    Fixed32,
    /// <summary>Times.</summary>
    Fixed64,
    Double,
    Enum,
    Message,
    RepeatedMessage,
}

/// <param name="Name">The key in JSON, UTF-8.</param>
/// <param name="Number">The field's number in protobuf.</param>
/// <param name="Message">Of kinds Message and RepeatedMessage.</param>
/// <param name="EnumNames">Of kind Enum: index is the number; senders should use numbers, some use the names of proto3 JSON.</param>
internal sealed record OtlpJsonField(byte[] Name, int Number, OtlpJsonKind Kind, OtlpJsonMessage? Message, string[]? EnumNames);

/// <summary>The fields of the OTLP messages that traces and logs are made of, with their JSON names. Fields that storage does not keep are left out, and so ignored.</summary>
internal sealed class OtlpJsonMessage
{
    private readonly List<OtlpJsonField> _fields = [];

    public static readonly OtlpJsonMessage AnyValue = new();
    public static readonly OtlpJsonMessage ArrayValue = new();
    public static readonly OtlpJsonMessage KeyValueList = new();
    public static readonly OtlpJsonMessage KeyValue = new();
    public static readonly OtlpJsonMessage TracesRequest = new();
    public static readonly OtlpJsonMessage LogsRequest = new();

    static OtlpJsonMessage()
    {
        AnyValue.Add("stringValue", 1, OtlpJsonKind.String).Add("boolValue", 2, OtlpJsonKind.Bool).Add("intValue", 3, OtlpJsonKind.Int64)
            .Add("doubleValue", 4, OtlpJsonKind.Double).Add("arrayValue", 5, ArrayValue).Add("kvlistValue", 6, KeyValueList)
            .Add("bytesValue", 7, OtlpJsonKind.Base64);
        ArrayValue.AddRepeated("values", 1, AnyValue);
        KeyValueList.AddRepeated("values", 1, KeyValue);
        KeyValue.Add("key", 1, OtlpJsonKind.String).Add("value", 2, AnyValue);
        AddFrames(TracesRequest, "resourceSpans", "scopeSpans", "spans", Span());
        AddFrames(LogsRequest, "resourceLogs", "scopeLogs", "logRecords", LogRecord());
    }

    /// <summary>The field whose name the reader is at, or null when there is none.</summary>
    public OtlpJsonField? Find(ref Utf8JsonReader reader)
    {
        foreach (var field in _fields)
        {
            if (reader.ValueTextEquals(field.Name))
            {
                return field;
            }
        }
        return null;
    }

    private static void AddFrames(OtlpJsonMessage request, string resourceFrames, string scopeFrames, string items, OtlpJsonMessage item)
    {
        var resource = new OtlpJsonMessage().AddRepeated("attributes", 1, KeyValue).Add("droppedAttributesCount", 2, OtlpJsonKind.UInt32);
        var scope = new OtlpJsonMessage().Add("name", 1, OtlpJsonKind.String).Add("version", 2, OtlpJsonKind.String)
            .AddRepeated("attributes", 3, KeyValue).Add("droppedAttributesCount", 4, OtlpJsonKind.UInt32);
        var scopeFrame = new OtlpJsonMessage().Add("scope", 1, scope).AddRepeated(items, 2, item).Add("schemaUrl", 3, OtlpJsonKind.String);
        var resourceFrame = new OtlpJsonMessage().Add("resource", 1, resource).AddRepeated(scopeFrames, 2, scopeFrame).Add("schemaUrl", 3, OtlpJsonKind.String);
        request.AddRepeated(resourceFrames, 1, resourceFrame);
    }

    private static OtlpJsonMessage Span()
    {
        var spanEvent = new OtlpJsonMessage().Add("timeUnixNano", 1, OtlpJsonKind.Fixed64).Add("name", 2, OtlpJsonKind.String)
            .AddRepeated("attributes", 3, KeyValue).Add("droppedAttributesCount", 4, OtlpJsonKind.UInt32);
        var link = new OtlpJsonMessage().Add("traceId", 1, OtlpJsonKind.Hex).Add("spanId", 2, OtlpJsonKind.Hex).Add("traceState", 3, OtlpJsonKind.String)
            .AddRepeated("attributes", 4, KeyValue).Add("droppedAttributesCount", 5, OtlpJsonKind.UInt32).Add("flags", 6, OtlpJsonKind.Fixed32);
        var status = new OtlpJsonMessage().Add("message", 2, OtlpJsonKind.String)
            .AddEnum("code", 3, "STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR");
        return new OtlpJsonMessage().Add("traceId", 1, OtlpJsonKind.Hex).Add("spanId", 2, OtlpJsonKind.Hex).Add("traceState", 3, OtlpJsonKind.String)
            .Add("parentSpanId", 4, OtlpJsonKind.Hex).Add("name", 5, OtlpJsonKind.String)
            .AddEnum("kind", 6, "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL", "SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "SPAN_KIND_CONSUMER")
            .Add("startTimeUnixNano", 7, OtlpJsonKind.Fixed64).Add("endTimeUnixNano", 8, OtlpJsonKind.Fixed64)
            .AddRepeated("attributes", 9, KeyValue).Add("droppedAttributesCount", 10, OtlpJsonKind.UInt32)
            .AddRepeated("events", 11, spanEvent).Add("droppedEventsCount", 12, OtlpJsonKind.UInt32)
            .AddRepeated("links", 13, link).Add("droppedLinksCount", 14, OtlpJsonKind.UInt32)
            .Add("status", 15, status).Add("flags", 16, OtlpJsonKind.Fixed32);
    }

    private static OtlpJsonMessage LogRecord()
    {
        var severities = new List<string> { "SEVERITY_NUMBER_UNSPECIFIED" };
        foreach (var range in new[] { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL" })
        {
            severities.AddRange([$"SEVERITY_NUMBER_{range}", $"SEVERITY_NUMBER_{range}2", $"SEVERITY_NUMBER_{range}3", $"SEVERITY_NUMBER_{range}4"]);
        }
        return new OtlpJsonMessage().Add("timeUnixNano", 1, OtlpJsonKind.Fixed64).Add("observedTimeUnixNano", 11, OtlpJsonKind.Fixed64)
            .AddEnum("severityNumber", 2, [.. severities]).Add("severityText", 3, OtlpJsonKind.String).Add("body", 5, AnyValue)
            .AddRepeated("attributes", 6, KeyValue).Add("droppedAttributesCount", 7, OtlpJsonKind.UInt32).Add("flags", 8, OtlpJsonKind.Fixed32)
            .Add("traceId", 9, OtlpJsonKind.Hex).Add("spanId", 10, OtlpJsonKind.Hex).Add("eventName", 12, OtlpJsonKind.String);
    }

    private OtlpJsonMessage Add(string name, int number, OtlpJsonKind kind) => Add(new(Encoding.UTF8.GetBytes(name), number, kind, null, null));

    private OtlpJsonMessage Add(string name, int number, OtlpJsonMessage message) => Add(new(Encoding.UTF8.GetBytes(name), number, OtlpJsonKind.Message, message, null));

    private OtlpJsonMessage AddRepeated(string name, int number, OtlpJsonMessage message) =>
        Add(new(Encoding.UTF8.GetBytes(name), number, OtlpJsonKind.RepeatedMessage, message, null));

    private OtlpJsonMessage AddEnum(string name, int number, params string[] names) => Add(new(Encoding.UTF8.GetBytes(name), number, OtlpJsonKind.Enum, null, names));

    private OtlpJsonMessage Add(OtlpJsonField field)
    {
        _fields.Add(field);
        return this;
    }
}
