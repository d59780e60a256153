using System.Net;
using System.Net.Http.Headers;
using Apm.Telemetry;
using Apm.Telemetry.Otlp;

namespace Apm.Faults;

/// <summary>
/// Sends small traces over OTLP/HTTP from several connections until told to stop or the server is gone, and remembers which requests were acknowledged.
/// The ids say everything: trace n of a sender has <see cref="SpansPerTrace"/> spans with ids 1, 2, 3 …
/// </summary>
/// <param name="age">How long ago its spans were.</param>
internal sealed class TraceSender(ulong seed, TimeSpan age = default)
{
    public const string Service = "faults";

    public const int SpansPerTrace = 7;
    public const int TracesPerRequest = 5;

    private long _next;

    /// <summary>Traces whose request was answered 200.</summary>
    public List<TraceId> Acknowledged { get; } = [];

    /// <summary>Traces whose request had no answer: they may be stored or not.</summary>
    public List<TraceId> Unknown { get; } = [];

    /// <summary>Requests answered "retry later".</summary>
    public int Refused { get; private set; }

    /// <summary>Returns when <paramref name="stop"/> is cancelled or every connection has failed.</summary>
    public Task RunAsync(int port, int connections, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(() => SendUntilAsync(port, stop), CancellationToken.None)));

    private async Task SendUntilAsync(int port, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromSeconds(30) };
        while (!stop.IsCancellationRequested)
        {
            var first = Interlocked.Add(ref _next, TracesPerRequest) - TracesPerRequest;
            var ids = Enumerable.Range(0, TracesPerRequest).Select(i => new TraceId(seed, (ulong)(first + i) + 1)).ToArray();
            using var content = new ByteArrayContent(Encode(ids, age: age));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
            try
            {
                using var response = await client.PostAsync("v1/traces", content, CancellationToken.None);
                lock (Acknowledged)
                {
                    switch (response.StatusCode)
                    {
                        case HttpStatusCode.OK:
                            Acknowledged.AddRange(ids);
                            break;
                        case HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable:
                            Refused++;
                            break;
                        default:
                            throw new InvalidOperationException($"answered {(int)response.StatusCode}");
                    }
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                lock (Acknowledged)
                {
                    Unknown.AddRange(ids);
                }
                return;
            }
        }
    }

    /// <param name="paddingBytes">Of an attribute of each root, to make a request large.</param>
    internal static byte[] Encode(TraceId[] ids, int paddingBytes = 0, string service = Service, TimeSpan age = default)
    {
        var now = (ulong)(DateTimeOffset.UtcNow - age - DateTimeOffset.UnixEpoch).Ticks * 100;
        using var writer = new ProtobufWriter();
        Span<byte> id = stackalloc byte[TraceId.SizeBytes];
        var resourceSpans = writer.BeginMessage(1);
        var resource = writer.BeginMessage(1);
        WriteAttribute(writer, 1, "service.name", service);
        writer.EndMessage(resource);
        var scopeSpans = writer.BeginMessage(2);
        foreach (var traceId in ids)
        {
            for (var span = 1; span <= SpansPerTrace; span++)
            {
                var message = writer.BeginMessage(2);
                traceId.Write(id);
                writer.WriteBytes(1, id);
                new SpanId((ulong)span).Write(id);
                writer.WriteBytes(2, id[..SpanId.SizeBytes]);
                if (span > 1)
                {
                    new SpanId(1).Write(id);
                    writer.WriteBytes(4, id[..SpanId.SizeBytes]);
                }
                writer.WriteString(5, span == 1 ? "root" : "step");
                writer.WriteFixed64(7, now + (ulong)span);
                writer.WriteFixed64(8, now + 1_000_000);
                var attribute = writer.BeginMessage(9);
                writer.WriteString(1, "order.id");
                var value = writer.BeginMessage(2);
                writer.WriteString(1, $"{traceId}-{span}");
                writer.EndMessage(value);
                writer.EndMessage(attribute);
                if (span == 1 && paddingBytes > 0)
                {
                    WriteAttribute(writer, 9, "padding", new string('x', paddingBytes));
                }
                writer.EndMessage(message);
            }
        }
        writer.EndMessage(scopeSpans);
        writer.EndMessage(resourceSpans);
        return writer.Written.ToArray();
    }

    internal static void WriteAttribute(ProtobufWriter writer, int field, string key, string text)
    {
        var attribute = writer.BeginMessage(field);
        writer.WriteString(1, key);
        var value = writer.BeginMessage(2);
        writer.WriteString(1, text);
        writer.EndMessage(value);
        writer.EndMessage(attribute);
    }
}
