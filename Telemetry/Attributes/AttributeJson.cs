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
                WriteArray(writer, LastField(anyValue, 5 << 3 | 2), depth);
                break;
            case AttributeType.KeyValueList:
                WriteKeyValueList(writer, LastField(anyValue, 6 << 3 | 2), depth);
                break;
            default:
                Write(writer, value.Type, value.Bits, value.Content);
                break;
        }
    }

    private static ReadOnlySpan<byte> LastField(ReadOnlySpan<byte> message, uint wanted)
    {
        var field = default(ReadOnlySpan<byte>);
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == wanted)
            {
                field = reader.ReadBytes();
            }
            else
            {
                reader.Skip(tag);
            }
        }
        return field;
    }

    private static void WriteArray(Utf8JsonWriter writer, ReadOnlySpan<byte> arrayValue, int depth)
    {
        writer.WriteStartArray();
        var reader = new ProtobufReader(arrayValue);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == (1 << 3 | 2))
            {
                WriteAnyValue(writer, reader.ReadBytes(), depth + 1);
            }
            else
            {
                reader.Skip(tag);
            }
        }
        writer.WriteEndArray();
    }

    private static void WriteKeyValueList(Utf8JsonWriter writer, ReadOnlySpan<byte> list, int depth)
    {
        writer.WriteStartObject();
        var reader = new ProtobufReader(list);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == (1 << 3 | 2))
            {
                WriteKeyValue(writer, reader.ReadBytes(), depth);
            }
            else
            {
                reader.Skip(tag);
            }
        }
        writer.WriteEndObject();
    }

    private static void WriteKeyValue(Utf8JsonWriter writer, ReadOnlySpan<byte> keyValue, int depth)
    {
        ReadOnlySpan<byte> key = default;
        ReadOnlySpan<byte> value = default;
        var reader = new ProtobufReader(keyValue);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 2:
                    key = reader.ReadBytes();
                    break;
                case 2 << 3 | 2:
                    value = reader.ReadBytes();
                    break;
                default:
                    reader.Skip(tag);
                    break;
            }
        }
        writer.WritePropertyName(Encoding.UTF8.GetString(key));
        WriteAnyValue(writer, value, depth + 1);
    }
}
