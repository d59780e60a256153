using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Apm.Telemetry.Otlp;

/// <summary>
/// Turns OTLP/JSON requests into the same requests in protobuf, in one pass: lowerCamelCase keys, ids as hexadecimal of either case, other bytes as
/// base64, enums as numbers (names are taken too), 64-bit integers as strings or numbers; unknown keys are ignored. The check and the decoder then see
/// protobuf only. Values that only make one item wrong (an id that is not hexadecimal, a time out of range, values nested too deep) are written so
/// that the check rejects that item alone.
/// </summary>
public static class OtlpJson
{
    /// <summary>JSON objects and arrays inside one another: about 5 for each level of key-value lists, which the check bounds. The reader keeps one bit for each.</summary>
    private const int MaxJsonDepth = 100_000;

    /// <summary>A number or id of which every character is escaped, with room to spare.</summary>
    private const int MaxEscapedBytes = 512;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaxJsonDepth };

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <exception cref="MalformedOtlpException">Not JSON, or not an ExportTraceServiceRequest; says where.</exception>
    public static void ToProtobufTraces(ReadOnlySpan<byte> json, IBufferWriter<byte> target) => Transcode(json, OtlpJsonMessage.TracesRequest, target);

    /// <exception cref="MalformedOtlpException">Not JSON, or not an ExportLogsServiceRequest; says where.</exception>
    public static void ToProtobufLogs(ReadOnlySpan<byte> json, IBufferWriter<byte> target) => Transcode(json, OtlpJsonMessage.LogsRequest, target);

    private static void Transcode(ReadOnlySpan<byte> json, OtlpJsonMessage request, IBufferWriter<byte> target)
    {
        if (json.StartsWith(ByteOrderMark))
        {
            json = json[ByteOrderMark.Length..];
        }
        using var writer = new ProtobufWriter();
        var reader = new Utf8JsonReader(json, Options);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw Wrong(in reader, "the request must be an object");
            }
            WriteMessage(ref reader, request, writer, 0);
            reader.Read();
        }
        catch (JsonException e)
        {
            throw new MalformedOtlpException(string.Create(CultureInfo.InvariantCulture, $"the JSON is wrong at line {e.LineNumber + 1}, byte {e.BytePositionInLine}"), e);
        }
        catch (InvalidOperationException e)
        {
            // The reader's answer to half a surrogate pair in a key or in base64.
            throw new MalformedOtlpException(string.Create(CultureInfo.InvariantCulture, $"text that is not Unicode, at byte {reader.TokenStartIndex} of the JSON"), e);
        }
        target.Write(writer.Written);
    }

    /// <param name="depth">Of the value that a message AnyValue is, or would be when it comes inside this message.</param>
    private static void WriteMessage(ref Utf8JsonReader reader, OtlpJsonMessage message, ProtobufWriter writer, int depth)
    {
        if (message == OtlpJsonMessage.AnyValue && depth > OtlpLimits.MaxDepth)
        {
            // The empty value that remains at this depth makes the check reject the item.
            reader.Skip();
            return;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = message.Find(ref reader);
            reader.Read();
            if (field is null)
            {
                reader.Skip();
            }
            else if (reader.TokenType != JsonTokenType.Null)
            {
                WriteField(ref reader, field, writer, depth);
            }
        }
    }

    private static void WriteField(ref Utf8JsonReader reader, OtlpJsonField field, ProtobufWriter writer, int depth)
    {
        switch (field.Kind)
        {
            case OtlpJsonKind.Message:
                WriteNested(ref reader, field, writer, depth);
                break;
            case OtlpJsonKind.RepeatedMessage:
                if (reader.TokenType != JsonTokenType.StartArray)
                {
                    throw WrongType(in reader, field, "an array");
                }
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    WriteNested(ref reader, field, writer, depth);
                }
                break;
            case OtlpJsonKind.String:
                WriteString(ref reader, field, writer);
                break;
            case OtlpJsonKind.Hex:
                WriteHex(ref reader, field, writer);
                break;
            case OtlpJsonKind.Base64:
                WriteBase64(ref reader, field, writer);
                break;
            case OtlpJsonKind.Bool:
                if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False))
                {
                    throw WrongType(in reader, field, "true or false");
                }
                writer.WriteVarint(field.Number, reader.TokenType == JsonTokenType.True ? 1UL : 0);
                break;
            default:
                WriteNumber(ref reader, field, writer);
                break;
        }
    }

    private static void WriteNested(ref Utf8JsonReader reader, OtlpJsonField field, ProtobufWriter writer, int depth)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw WrongType(in reader, field, field.Kind == OtlpJsonKind.Message ? "an object" : "an array of objects");
        }
        var inside = field.Message == OtlpJsonMessage.ArrayValue || field.Message == OtlpJsonMessage.KeyValueList ? depth + 1 : depth;
        var start = writer.BeginMessage(field.Number);
        WriteMessage(ref reader, field.Message!, writer, inside);
        writer.EndMessage(start);
    }

    private static void WriteString(ref Utf8JsonReader reader, OtlpJsonField field, ProtobufWriter writer)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw WrongType(in reader, field, "a string");
        }
        if (!reader.ValueIsEscaped)
        {
            writer.WriteBytes(field.Number, reader.ValueSpan);
            return;
        }
        var text = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
        writer.WriteBytes(field.Number, text.AsSpan(0, JsonText.Unescape(reader.ValueSpan, text)));
        ArrayPool<byte>.Shared.Return(text);
    }

    private static void WriteHex(ref Utf8JsonReader reader, OtlpJsonField field, ProtobufWriter writer)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw WrongType(in reader, field, "a string of hexadecimal digits");
        }
        Span<byte> id = stackalloc byte[32];
        Span<byte> unescaped = stackalloc byte[MaxEscapedBytes];
        var text = Text(in reader, field, unescaped);
        if (text.Length <= 2 * id.Length && Convert.FromHexString(text, id, out _, out var length) == OperationStatus.Done)
        {
            writer.WriteBytes(field.Number, id[..length]);
        }
        else
        {
            // Kept as its text, lengthened where that would pass for an id, so that the check rejects the item for its length.
            var start = writer.BeginMessage(field.Number);
            writer.WriteRaw(text);
            if (text.Length is TraceId.SizeBytes or SpanId.SizeBytes)
            {
                writer.WriteRaw([0]);
            }
            writer.EndMessage(start);
        }
    }

    private static void WriteBase64(ref Utf8JsonReader reader, OtlpJsonField field, ProtobufWriter writer)
    {
        if (reader.TokenType != JsonTokenType.String || !reader.TryGetBytesFromBase64(out var bytes))
        {
            throw WrongType(in reader, field, "a base64 string");
        }
        writer.WriteBytes(field.Number, bytes);
    }

    private static void WriteNumber(ref Utf8JsonReader reader, OtlpJsonField field, ProtobufWriter writer)
    {
        if (reader.TokenType is not (JsonTokenType.Number or JsonTokenType.String))
        {
            throw WrongType(in reader, field, "a number");
        }
        Span<byte> unescaped = stackalloc byte[MaxEscapedBytes];
        var text = Text(in reader, field, unescaped);
        switch (field.Kind)
        {
            case OtlpJsonKind.Double:
                writer.WriteDouble(field.Number, ReadDouble(in reader, text, field));
                break;
            case OtlpJsonKind.Enum when reader.TokenType == JsonTokenType.String && EnumNumber(ref reader, field) is var number and >= 0:
                writer.WriteVarint(field.Number, (ulong)number);
                break;
            case OtlpJsonKind.Int64:
                WriteInt64(in reader, text, field, writer);
                break;
            case OtlpJsonKind.Fixed64:
                // A time out of range becomes the largest number, for which the check rejects the item.
                writer.WriteFixed64(field.Number, ReadInteger(in reader, text, field) is var time and >= 0 and <= ulong.MaxValue ? (ulong)time : ulong.MaxValue);
                break;
            case OtlpJsonKind.Fixed32:
                writer.WriteFixed32(field.Number, (uint)Math.Clamp(ReadInteger(in reader, text, field), 0, uint.MaxValue));
                break;
            default:
                writer.WriteVarint(field.Number, (ulong)Math.Clamp(ReadInteger(in reader, text, field), 0, uint.MaxValue));
                break;
        }
    }

    private static void WriteInt64(in Utf8JsonReader reader, ReadOnlySpan<byte> text, OtlpJsonField field, ProtobufWriter writer)
    {
        if (Utf8Parser.TryParse(text, out long number, out var used) && used == text.Length)
        {
            writer.WriteVarint(field.Number, (ulong)number);
            return;
        }
        var wide = ReadInteger(in reader, text, field);
        if (wide is >= long.MinValue and <= long.MaxValue)
        {
            writer.WriteVarint(field.Number, (ulong)(long)wide);
        }
        else
        {
            // JavaScript senders give whole numbers beyond 64 bits as intValue; AnyValue's doubleValue (4) holds them.
            writer.WriteDouble(4, ReadDouble(in reader, text, field));
        }
    }

    /// <summary>A whole number, also written like 1.0 or 1e3; what is beyond decimal's range (±2^96) comes back as its end.</summary>
    private static decimal ReadInteger(in Utf8JsonReader reader, ReadOnlySpan<byte> text, OtlpJsonField field)
    {
        if (Utf8Parser.TryParse(text, out ulong number, out var used) && used == text.Length)
        {
            return number;
        }
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact))
        {
            return decimal.IsInteger(exact) ? exact : throw WrongType(in reader, field, "a whole number");
        }
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var huge) && double.IsFinite(huge))
        {
            return huge < 0 ? decimal.MinValue : decimal.MaxValue;
        }
        throw WrongType(in reader, field, "a whole number");
    }

    private static double ReadDouble(in Utf8JsonReader reader, ReadOnlySpan<byte> text, OtlpJsonField field)
    {
        if (Utf8Parser.TryParse(text, out double value, out var used) && used == text.Length)
        {
            return value;
        }
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
        {
            return value;
        }
        throw WrongType(in reader, field, "a number");
    }

    /// <summary>The value of a number, or of a short string without its escapes.</summary>
    private static ReadOnlySpan<byte> Text(in Utf8JsonReader reader, OtlpJsonField field, Span<byte> unescaped)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }
        return reader.ValueSpan.Length <= unescaped.Length
            ? unescaped[..JsonText.Unescape(reader.ValueSpan, unescaped)]
            : throw WrongType(in reader, field, "shorter");
    }

    /// <summary>The number of an enum's name, or -1 when it is not one.</summary>
    private static int EnumNumber(ref Utf8JsonReader reader, OtlpJsonField field)
    {
        for (var number = 0; number < field.EnumNames!.Length; number++)
        {
            if (reader.ValueTextEquals(field.EnumNames[number]))
            {
                return number;
            }
        }
        return -1;
    }

    private static MalformedOtlpException WrongType(in Utf8JsonReader reader, OtlpJsonField field, string wanted) =>
        Wrong(in reader, $"{Encoding.UTF8.GetString(field.Name)} must be {wanted}");

    private static MalformedOtlpException Wrong(in Utf8JsonReader reader, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{what}, at byte {reader.TokenStartIndex} of the JSON"));
}
