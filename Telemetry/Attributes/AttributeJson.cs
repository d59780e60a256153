using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Apm.Telemetry.Otlp;

namespace Apm.Telemetry.Attributes;

/// <summary>Attribute values as JSON: strings, booleans and numbers as themselves, NaN and infinities as strings, bytes as base64, arrays and key-value lists nested.</summary>
public static class AttributeJson
{
    /// <summary>Deepest nesting written; what lies deeper shows as the string "…". Receivers reject values nested deeper than this.</summary>
    public const int MaxDepth = 64;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static string ToJson(AttributeValue value)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            Write(writer, value.Type, value.Bits, value.Content);
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <param name="bits">As <see cref="AttributeValue.Bits"/>.</param>
    /// <param name="content">As <see cref="AttributeValue.Content"/>.</param>
    public static void Write(Utf8JsonWriter writer, AttributeType type, long bits, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            case AttributeType.Empty:
                writer.WriteNullValue();
                break;
            case AttributeType.String:
                writer.WriteStringValue(Encoding.UTF8.GetString(content));
                break;
            case AttributeType.Bool:
                writer.WriteBooleanValue(bits != 0);
                break;
            case AttributeType.Int64:
                writer.WriteNumberValue(bits);
                break;
            case AttributeType.Double:
                WriteDouble(writer, BitConverter.Int64BitsToDouble(bits));
                break;
            case AttributeType.Bytes:
                writer.WriteBase64StringValue(content);
                break;
            default:
                WriteAnyValue(writer, content, 0);
                break;
        }
    }

    private static void WriteDouble(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteStringValue(double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        }
    }

    /// <param name="anyValue">Raw bytes of opentelemetry.proto.common.v1.AnyValue.</param>
    private static void WriteAnyValue(Utf8JsonWriter writer, ReadOnlySpan<byte> anyValue, int depth)
    {
        if (depth > MaxDepth)
        {
            writer.WriteStringValue("…");
            return;
        }
        var value = AnyValue.Read(anyValue);
        switch (value.Type)
        {
            case AttributeType.Array:
                writer.WriteStartArray();
                foreach (var element in value.Nested)
                {
                    WriteAnyValue(writer, element, depth + 1);
                }
                writer.WriteEndArray();
                break;
            case AttributeType.KeyValueList:
                writer.WriteStartObject();
                foreach (var element in value.Nested)
                {
                    var pair = KeyValue.Read(element);
                    writer.WritePropertyName(Encoding.UTF8.GetString(pair.Key));
                    WriteAnyValue(writer, pair.Value, depth + 1);
                }
                writer.WriteEndObject();
                break;
            default:
                Write(writer, value.Type, value.Bits, value.Content);
                break;
        }
    }
}
