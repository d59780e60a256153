using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Apm.Storage.Columns;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Otlp;

namespace Apm.Query.Json;

/// <summary>
/// Attribute values as JSON values of their type. What JSON or JavaScript cannot hold is an object that says its type: <c>{"bytes":"base64"}</c>,
/// <c>{"int":"9007199254740993"}</c>, <c>{"double":"NaN"}</c>. Invalid UTF-8 shows as U+FFFD.
/// </summary>
internal static class ValueJson
{
    /// <summary>The first integer that a double, and so JavaScript, cannot tell from its neighbour: 2^53.</summary>
    private const long FirstInexact = 1L << 53;

    public static void Write(Utf8JsonWriter writer, in AttributeValue value) => Write(writer, value.Type, value.Bits, value.Content);

    public static void Write(Utf8JsonWriter writer, AttributeType type, long bits, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            case AttributeType.Empty:
                writer.WriteNullValue();
                break;
            case AttributeType.String:
                writer.WriteStringValue(content);
                break;
            case AttributeType.Bool:
                writer.WriteBooleanValue(bits != 0);
                break;
            case AttributeType.Int64:
                WriteInt64(writer, bits);
                break;
            case AttributeType.Double:
                WriteDouble(writer, BitConverter.Int64BitsToDouble(bits));
                break;
            case AttributeType.Bytes:
                WriteBytes(writer, content);
                break;
            default:
                WriteAnyValue(writer, content, 0);
                break;
        }
    }

    /// <summary>The entry of a table.</summary>
    public static void Write(Utf8JsonWriter writer, AttributeTable table, int entry, StringTable strings)
    {
        var type = table.Types[entry];
        var bits = table.Bits[entry];
        if (type is AttributeType.String or AttributeType.Bytes or AttributeType.Array or AttributeType.KeyValueList)
        {
            Write(writer, type, 0, strings[(int)bits]);
        }
        else
        {
            Write(writer, type, bits, default);
        }
    }

    /// <summary>An object of the owner's attributes. Of several with one key the last counts.</summary>
    public static void WriteObject(Utf8JsonWriter writer, AttributeTable table, int owner, StringTable strings)
    {
        writer.WriteStartObject();
        var end = table.Start(owner + 1);
        for (var entry = table.Start(owner); entry < end; entry++)
        {
            var key = table.Keys[entry];
            if (!Repeats(table, key, entry + 1, end))
            {
                writer.WritePropertyName(strings[key]);
                Write(writer, table, entry, strings);
            }
        }
        writer.WriteEndObject();
    }

    private static bool Repeats(AttributeTable table, int key, int from, int end) => table.Keys[from..end].Contains(key);

    private static void WriteInt64(Utf8JsonWriter writer, long value)
    {
        if (value is > -FirstInexact and < FirstInexact)
        {
            writer.WriteNumberValue(value);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString("int"u8, value.ToString(CultureInfo.InvariantCulture));
        writer.WriteEndObject();
    }

    private static void WriteDouble(Utf8JsonWriter writer, double value)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString("double"u8, double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        writer.WriteEndObject();
    }

    private static void WriteBytes(Utf8JsonWriter writer, ReadOnlySpan<byte> value)
    {
        writer.WriteStartObject();
        writer.WriteBase64String("bytes"u8, value);
        writer.WriteEndObject();
    }

    /// <param name="anyValue">Raw bytes of opentelemetry.proto.common.v1.AnyValue, checked when they were received.</param>
    private static void WriteAnyValue(Utf8JsonWriter writer, ReadOnlySpan<byte> anyValue, int depth)
    {
        if (depth > AttributeJson.MaxDepth)
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
                    writer.WritePropertyName(pair.Key);
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

/// <summary>Attribute values inside answers that are written from records.</summary>
internal sealed class AttributeValueConverter : JsonConverter<AttributeValue>
{
    public override AttributeValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("attribute values are only written");

    public override void Write(Utf8JsonWriter writer, AttributeValue value, JsonSerializerOptions options) => ValueJson.Write(writer, value);
}
