using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Apm.Telemetry;

namespace Apm.Query.Json;

/// <summary>Times and ids as JSON: a time is a string of nanoseconds since the Unix epoch, as 64 bits do not fit a JavaScript number; ids are hexadecimal.</summary>
internal static class TimeJson
{
    public static string Format(long unixNano) => unixNano.ToString(CultureInfo.InvariantCulture);

    public static void WriteUnixNano(Utf8JsonWriter writer, ReadOnlySpan<byte> name, long unixNano)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(unixNano, digits, out var length);
        writer.WriteString(name, digits[..length]);
    }

    public static void WriteId(Utf8JsonWriter writer, ReadOnlySpan<byte> name, TraceId id)
    {
        writer.WritePropertyName(name);
        WriteValue(writer, id);
    }

    public static void WriteId(Utf8JsonWriter writer, ReadOnlySpan<byte> name, SpanId id)
    {
        writer.WritePropertyName(name);
        WriteValue(writer, id);
    }

    public static void WriteValue(Utf8JsonWriter writer, TraceId id)
    {
        Span<byte> bytes = stackalloc byte[TraceId.SizeBytes];
        id.Write(bytes);
        Span<byte> digits = stackalloc byte[TraceId.SizeBytes * 2];
        Convert.TryToHexStringLower(bytes, digits, out _);
        writer.WriteStringValue(digits);
    }

    public static void WriteValue(Utf8JsonWriter writer, SpanId id)
    {
        Span<byte> bytes = stackalloc byte[SpanId.SizeBytes];
        id.Write(bytes);
        Span<byte> digits = stackalloc byte[SpanId.SizeBytes * 2];
        Convert.TryToHexStringLower(bytes, digits, out _);
        writer.WriteStringValue(digits);
    }
}

/// <summary>A <see cref="UnixNano"/> as its string.</summary>
internal sealed class UnixNanoConverter : JsonConverter<UnixNano>
{
    public override UnixNano Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(long.Parse(reader.GetString()!, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));

    public override void Write(Utf8JsonWriter writer, UnixNano value, JsonSerializerOptions options) => writer.WriteStringValue(TimeJson.Format(value.Value));
}

/// <summary>Nanoseconds since the Unix epoch in an answer: written as a string.</summary>
internal readonly record struct UnixNano(long Value);
