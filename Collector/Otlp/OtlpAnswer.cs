using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Apm.Telemetry.Otlp;

namespace Apm.Collector.Otlp;

/// <summary>
/// The bytes of OTLP's answers, protobuf and JSON. All are small: messages are cut, so an answer stays far below the 4 MiB that clients accept.
/// google.rpc.Status: 1 code, 2 message, 3 details (Any: 1 type_url, 2 value). RetryInfo: 1 retry_delay (Duration: 1 seconds, 2 nanos).
/// Export…ServiceResponse: 1 partial_success (1 rejected count, 2 error_message).
/// </summary>
internal static class OtlpAnswer
{
    /// <summary>Characters of a message that are sent: gRPC puts it in a header, and clients bound those at 8 KiB.</summary>
    public const int MaxMessageChars = 1000;

    private const string RetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

    /// <summary>An Export…ServiceResponse; empty when there is nothing to say.</summary>
    public static byte[] ExportProtobuf(OtlpCheckResult check)
    {
        if (check.Rejected == 0 && check.Message is null)
        {
            return [];
        }
        var partial = new ArrayBufferWriter<byte>();
        if (check.Rejected > 0)
        {
            Varint(partial, 1, (ulong)check.Rejected);
        }
        Text(partial, 2, Cut(check.Message ?? ""));
        var response = new ArrayBufferWriter<byte>();
        Bytes(response, 1, partial.WrittenSpan);
        return response.WrittenSpan.ToArray();
    }

    public static byte[] ExportJson(OtlpCheckResult check, string rejectedField) => Json(json =>
    {
        json.WriteStartObject();
        if (check.Rejected > 0 || check.Message is not null)
        {
            json.WriteStartObject("partialSuccess");
            if (check.Rejected > 0)
            {
                json.WriteString(rejectedField, check.Rejected.ToString(CultureInfo.InvariantCulture));
            }
            json.WriteString("errorMessage", Cut(check.Message ?? ""));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    });

    /// <param name="retryAfter">Zero: no RetryInfo, so the sender must not retry a RESOURCE_EXHAUSTED.</param>
    public static byte[] StatusProtobuf(GrpcStatus status, string message, TimeSpan retryAfter = default)
    {
        var bytes = new ArrayBufferWriter<byte>();
        Varint(bytes, 1, (ulong)status);
        Text(bytes, 2, Cut(message));
        if (retryAfter > TimeSpan.Zero)
        {
            var duration = new ArrayBufferWriter<byte>();
            Varint(duration, 1, (ulong)(retryAfter.Ticks / TimeSpan.TicksPerSecond));
            Varint(duration, 2, (ulong)(retryAfter.Ticks % TimeSpan.TicksPerSecond * 100));
            var retryInfo = new ArrayBufferWriter<byte>();
            Bytes(retryInfo, 1, duration.WrittenSpan);
            var any = new ArrayBufferWriter<byte>();
            Text(any, 1, RetryInfoType);
            Bytes(any, 2, retryInfo.WrittenSpan);
            Bytes(bytes, 3, any.WrittenSpan);
        }
        return bytes.WrittenSpan.ToArray();
    }

    public static byte[] StatusJson(GrpcStatus status, string message) => Json(json =>
    {
        json.WriteStartObject();
        json.WriteNumber("code", (int)status);
        json.WriteString("message", Cut(message));
        json.WriteEndObject();
    });

    public static string Cut(string message)
    {
        if (message.Length <= MaxMessageChars)
        {
            return message;
        }
        var end = char.IsHighSurrogate(message[MaxMessageChars - 1]) ? MaxMessageChars - 1 : MaxMessageChars;
        return string.Concat(message.AsSpan(0, end), "…");
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        // The answer is application/json, never part of a page: quotes stay readable.
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            write(json);
        }
        return bytes.WrittenSpan.ToArray();
    }

    private static void Varint(ArrayBufferWriter<byte> target, int field, ulong value)
    {
        if (value == 0)
        {
            return;
        }
        Raw(target, (ulong)field << 3);
        Raw(target, value);
    }

    private static void Text(ArrayBufferWriter<byte> target, int field, string text)
    {
        if (text.Length > 0)
        {
            Bytes(target, field, Encoding.UTF8.GetBytes(text));
        }
    }

    private static void Bytes(ArrayBufferWriter<byte> target, int field, ReadOnlySpan<byte> bytes)
    {
        Raw(target, (ulong)field << 3 | 2);
        Raw(target, (ulong)bytes.Length);
        target.Write(bytes);
    }

    private static void Raw(ArrayBufferWriter<byte> target, ulong value)
    {
        while (value >= 0x80)
        {
            target.Write([(byte)(value | 0x80)]);
            value >>= 7;
        }
        target.Write([(byte)value]);
    }
}
