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
        var reader = new ProtobufReader(anyValue);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            switch (tag)
            {
                case 1 << 3 | 2:
                    writer.WriteStringValue(reader.ReadBytes());
                    return;
                case 2 << 3 | 0:
                    writer.WriteBooleanValue(reader.ReadVarint() != 0);
                    return;
                case 3 << 3 | 0:
                    WriteInt64(writer, (long)reader.ReadVarint());
                    return;
                case 4 << 3 | 1:
                    WriteDouble(writer, BitConverter.Int64BitsToDouble((long)reader.ReadFixed64()));
                    return;
                case 5 << 3 | 2:
                    WriteArray(writer, reader.ReadBytes(), depth);
                    return;
                case 6 << 3 | 2:
                    WriteKeyValueList(writer, reader.ReadBytes(), depth);
                    return;
                case 7 << 3 | 2:
                    WriteBytes(writer, reader.ReadBytes());
                    return;
                default:
                    reader.Skip(tag);
                    break;
            }
        }
        writer.WriteNullValue();
    }

    private static void WriteArray(Utf8JsonWriter writer, ReadOnlySpan<byte> array, int depth)
    {
        writer.WriteStartArray();
        var reader = new ProtobufReader(array);
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
        writer.WritePropertyName(key);
        WriteAnyValue(writer, value, depth + 1);
    }
}

/// <summary>Attribute values inside answers that are written from records.</summary>
internal sealed class AttributeValueConverter : JsonConverter<AttributeValue>
{
    public override AttributeValue Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("attribute values are only written");

    public override void Write(Utf8JsonWriter writer, AttributeValue value, JsonSerializerOptions options) => ValueJson.Write(writer, value);
}
