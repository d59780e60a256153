using System.Text.Json;

namespace Apm.Query.Jaeger;

/// <summary>The object around every v1 answer: <c>{data, total, limit, offset, errors}</c>.</summary>
internal static class JaegerEnvelope
{
    public static void Write(Utf8JsonWriter writer, Action<Utf8JsonWriter> data, int total, IReadOnlyList<(int Code, string Message, string? TraceId)>? errors = null)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("data"u8);
        data(writer);
        WriteEnd(writer, total, errors);
    }

    /// <summary>What follows the data, when that was written piece by piece.</summary>
    public static void WriteEnd(Utf8JsonWriter writer, int total, IReadOnlyList<(int Code, string Message, string? TraceId)>? errors)
    {
        writer.WriteNumber("total"u8, total);
        writer.WriteNumber("limit"u8, 0);
        writer.WriteNumber("offset"u8, 0);
        if (errors is null or { Count: 0 })
        {
            writer.WriteNull("errors"u8);
        }
        else
        {
            writer.WriteStartArray("errors"u8);
            foreach (var (code, message, traceId) in errors)
            {
                writer.WriteStartObject();
                if (code != 0)
                {
                    writer.WriteNumber("code"u8, code);
                }
                writer.WriteString("msg"u8, message);
                if (traceId is not null)
                {
                    writer.WriteString("traceID"u8, traceId);
                }
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    public static void WriteStrings(Utf8JsonWriter writer, IEnumerable<string> values)
    {
        writer.WriteStartArray();
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }
        writer.WriteEndArray();
    }
}
