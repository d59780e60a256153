using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Apm.Telemetry.Otlp;

namespace Apm.Collector.Tests;

/// <summary>Export requests for tests: written as JSON, sent as what is needed.</summary>
internal static class Requests
{
    public const string TracesPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    public const string LogsPath = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

    public const string GoodSpan = """{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"checkout","kind":2,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000"}""";

    public const string BadSpan = """{"traceId":"5b8e","spanId":"eee19b7ec3c1b175","name":"broken","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000"}""";

    public static string TracesJson(params string[] spans) =>
        $$$"""{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{{{string.Join(',', spans)}}}]}]}]}""";

    public static string LogsJson(string body) => $$$"""{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1700000000000000000","body":{"stringValue":"{{{body}}}"}}]}]}]}""";

    public static byte[] Traces(params string[] spans)
    {
        var bytes = new ArrayBufferWriter<byte>();
        OtlpJson.ToProtobufTraces(Encoding.UTF8.GetBytes(TracesJson(spans)), bytes);
        return bytes.WrittenSpan.ToArray();
    }

    public static byte[] Logs(string body)
    {
        var bytes = new ArrayBufferWriter<byte>();
        OtlpJson.ToProtobufLogs(Encoding.UTF8.GetBytes(LogsJson(body)), bytes);
        return bytes.WrittenSpan.ToArray();
    }

    public static byte[] Gzip(byte[] body)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(body);
        }
        return target.ToArray();
    }

    /// <summary>A gRPC message: flag, length, bytes.</summary>
    public static byte[] Frame(byte[] message, byte flag = 0)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)message.Length);
        message.CopyTo(frame, 5);
        return frame;
    }
}
