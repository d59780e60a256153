using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Apm.Telemetry;
using Apm.Telemetry.Otlp;

namespace Apm.Bench;

/// <summary>OTLP/gRPC: unary calls over a client's HTTP/2 connection, framed by hand. Connections that share a client are streams of one connection.</summary>
internal sealed class GrpcConnection(HttpClient client, int port) : IConnection
{
    private const int ResourceExhausted = 8;
    private const int Unavailable = 14;

    public static HttpClient CreateClient() => new(new SocketsHttpHandler { EnableMultipleHttp2Connections = false, UseProxy = false }) { Timeout = TimeSpan.FromMinutes(2) };

    public Answer Send(Signal signal, ReadOnlyMemory<byte> body, bool gzip)
    {
        try
        {
            return SendAsync(signal, body, gzip).GetAwaiter().GetResult();
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            throw new ConnectException(e.Message, e);
        }
        catch (HttpRequestException e)
        {
            throw new IOException(e.Message, e);
        }
        catch (TaskCanceledException e)
        {
            throw new IOException("no answer in time", e);
        }
    }

    public void Dispose()
    {
    }

    private async Task<Answer> SendAsync(Signal signal, ReadOnlyMemory<byte> body, bool gzip)
    {
        var service = signal == Signal.Logs ? "logs.v1.LogsService" : "trace.v1.TraceService";
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/opentelemetry.proto.collector.{service}/Export")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new Message(body, gzip),
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (gzip)
        {
            request.Headers.Add("grpc-encoding", "gzip");
        }
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
        await response.Content.CopyToAsync(Stream.Null).ConfigureAwait(false);
        if (!response.Headers.TryGetValues("grpc-status", out var values) && !response.TrailingHeaders.TryGetValues("grpc-status", out values))
        {
            throw new IOException($"HTTP {(int)response.StatusCode} without a grpc-status");
        }
        var status = int.Parse(values.First(), CultureInfo.InvariantCulture);
        var retryAfter = response.Headers.TryGetValues("grpc-status-details-bin", out var details) || response.TrailingHeaders.TryGetValues("grpc-status-details-bin", out details)
            ? RetryDelay(Convert.FromBase64String(Padded(details.First())))
            : null;
        return new Answer(status switch { 0 => AnswerKind.Accepted, ResourceExhausted or Unavailable when retryAfter is not null => AnswerKind.Refused, _ => AnswerKind.Failed }, status, retryAfter);
    }

    /// <summary>google.rpc.Status: details 3, each an Any: type_url 1, value 2. RetryInfo: retry_delay 1, a Duration: seconds 1, nanos 2. Null when there is none.</summary>
    private static TimeSpan? RetryDelay(ReadOnlySpan<byte> status)
    {
        var detail = Field(status, 3);
        if (!Field(detail, 1).EndsWith("google.rpc.RetryInfo"u8))
        {
            return null;
        }
        var duration = new ProtobufReader(Field(Field(detail, 2), 1));
        var delay = TimeSpan.Zero;
        while (!duration.End)
        {
            var tag = duration.ReadTag();
            var value = (long)duration.ReadVarint();
            delay += tag >> 3 == 1 ? TimeSpan.FromSeconds(value) : TimeSpan.FromTicks(value / 100);
        }
        return delay;
    }

    /// <summary>The first bytes or message field of that number; empty when there is none.</summary>
    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> message, uint field)
    {
        var reader = new ProtobufReader(message);
        while (!reader.End)
        {
            var tag = reader.ReadTag();
            if (tag == (field << 3 | 2))
            {
                return reader.ReadBytes();
            }
            reader.Skip(tag);
        }
        return [];
    }

    /// <summary>gRPC may leave out the padding of base64.</summary>
    private static string Padded(string base64) => base64.PadRight((base64.Length + 3) / 4 * 4, '=');

    /// <summary>One length-prefixed message.</summary>
    private sealed class Message : HttpContent
    {
        private const int PrefixBytes = 5;

        private readonly ReadOnlyMemory<byte> _body;
        private readonly byte[] _prefix = new byte[PrefixBytes];

        public Message(ReadOnlyMemory<byte> body, bool gzip)
        {
            _body = body;
            _prefix[0] = gzip ? (byte)1 : (byte)0;
            BinaryPrimitives.WriteInt32BigEndian(_prefix.AsSpan(1), body.Length);
            Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(_prefix).ConfigureAwait(false);
            await stream.WriteAsync(_body).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = PrefixBytes + _body.Length;
            return true;
        }
    }
}
