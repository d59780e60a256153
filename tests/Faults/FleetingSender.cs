using System.Net;
using System.Net.Http.Headers;
using Apm.Telemetry;
using Apm.Telemetry.Otlp;

namespace Apm.Faults;

/// <summary>
/// Sends what has been kept for long enough as soon as it is stored: spans of a service of its own, and log records, all some minutes old, over one connection until
/// the server is gone. So parts are written anew and dropped all the time.
/// </summary>
internal sealed class FleetingSender(ulong seed, TimeSpan age)
{
    public const string Service = "fleeting";

    /// <summary>Traces of a request, and log records of the one after: so many that a third of what is stored is fleeting.</summary>
    private const int ItemsPerRequest = 30;

    private ulong _next;

    /// <summary>Spans of requests that were answered 200.</summary>
    public long AcknowledgedSpans { get; private set; }

    public Task RunAsync(int port) => Task.Run(() => SendAsync(port));

    private async Task SendAsync(int port)
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/"), Timeout = TimeSpan.FromSeconds(30) };
        try
        {
            while (true)
            {
                var ids = Enumerable.Range(0, ItemsPerRequest).Select(_ => new TraceId(~seed, ++_next)).ToArray();
                if (await PostAsync(client, "v1/traces", TraceSender.Encode(ids, service: Service, age: age)))
                {
                    AcknowledgedSpans += ids.Length * TraceSender.SpansPerTrace;
                }
                await PostAsync(client, "v1/logs", EncodeLogs());
            }
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            // The server is gone.
        }
    }

    private static async Task<bool> PostAsync(HttpClient client, string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
        using var response = await client.PostAsync(path, content);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => true,
            HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable => false,
            _ => throw new InvalidOperationException($"answered {(int)response.StatusCode}"),
        };
    }

    private byte[] EncodeLogs()
    {
        var time = (ulong)(DateTimeOffset.UtcNow - age - DateTimeOffset.UnixEpoch).Ticks * 100;
        using var writer = new ProtobufWriter();
        var resourceLogs = writer.BeginMessage(1);
        var resource = writer.BeginMessage(1);
        TraceSender.WriteAttribute(writer, 1, "service.name", Service);
        writer.EndMessage(resource);
        var scopeLogs = writer.BeginMessage(2);
        for (var record = 0; record < ItemsPerRequest; record++)
        {
            var message = writer.BeginMessage(2);
            writer.WriteFixed64(1, time + (ulong)record);
            var body = writer.BeginMessage(5);
            writer.WriteString(1, $"record {record}");
            writer.EndMessage(body);
            writer.EndMessage(message);
        }
        writer.EndMessage(scopeLogs);
        writer.EndMessage(resourceLogs);
        return writer.Written.ToArray();
    }
}
