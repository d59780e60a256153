using System.Net;
using System.Text;
using Apm.DurableBuffer;
using Apm.Telemetry;

namespace Apm.Collector.Tests.Otlp;

public sealed class OtlpGrpcReceiverTests
{
    private const string MetricsPath = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

    public static TheoryData<string, string, byte[], string, string, string> Refusals => new()
    {
        { "unknown method", "/opentelemetry.proto.collector.trace.v1.TraceService/export", Requests.Frame([]), "", "12", "unknown method /opentelemetry.proto.collector.trace.v1.TraceService/export" },
        { "metrics", MetricsPath, Requests.Frame([]), "", "12", "metrics are not enabled on this server" },
        { "profiles", "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", Requests.Frame([]), "", "12", "profiles are not enabled on this server" },
        { "no message", Requests.TracesPath, [], "", "3", "the request ends before its message" },
        { "half a prefix", Requests.TracesPath, [0, 0, 0], "", "3", "the request ends before its message" },
        { "truncated", Requests.TracesPath, [0, 0, 0, 0, 9, 1, 2], "", "3", "the request ends after 2 of its message's 9 bytes" },
        { "two messages", Requests.TracesPath, [.. Requests.Frame([]), .. Requests.Frame([])], "", "13", "more than one message in a unary call" },
        { "unknown flag", Requests.TracesPath, Requests.Frame([], 2), "", "13", "a message's first byte is 2, must be 0 or 1" },
        { "compressed without encoding", Requests.TracesPath, Requests.Frame([], 1), "", "13", "a message is marked compressed, but grpc-encoding names no compression" },
        { "compressed with identity", Requests.TracesPath, Requests.Frame([], 1), "identity", "13", "a message is marked compressed, but grpc-encoding names no compression" },
        { "unknown encoding", Requests.TracesPath, Requests.Frame([], 1), "zstd", "12", "grpc-encoding 'zstd' is not supported; send identity or gzip" },
        { "not protobuf", Requests.TracesPath, Requests.Frame("no protobuf"u8.ToArray()), "", "3", "" },
        { "not gzip", Requests.TracesPath, Requests.Frame("no gzip, but long enough"u8.ToArray(), 1), "gzip", "3", "gzip" },
        { "too large", Requests.TracesPath, [0, 0x7f, 0xff, 0xff, 0xff], "", "8", "a message of 2147483647 bytes, the limit is 100000 (Collector:MaxBodyBytes)" },
        { "far too large", Requests.TracesPath, [0, 0xff, 0xff, 0xff, 0xff], "", "8", "a message of 4294967295 bytes" },
        { "too large after decompression", Requests.TracesPath, Requests.Frame(Requests.Gzip(new byte[200_000]), 1), "gzip", "8", "larger than the limit of 150000 bytes (Collector:MaxDecompressedBytes)" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Call_Wrong_IsRefused(string name, string path, byte[] body, string encoding, string status, string message)
    {
        await using var host = await CollectorHost.StartAsync(new CollectorOptions { MaxBodyBytes = 100_000, MaxDecompressedBytes = 150_000 });
        var reply = await host.CallAsync(path, body, headers: encoding.Length > 0 ? [("grpc-encoding", encoding)] : []);
        Assert.Equal((200, status, "application/grpc"), (reply.Http, reply.Status, reply.ContentType));
        Assert.Contains(message, Uri.UnescapeDataString(reply.Message!), StringComparison.Ordinal);
        Assert.Null(reply.Details);
        Assert.Equal(name == "unknown encoding" ? "identity,gzip" : null, reply.AcceptEncoding);
        Assert.Empty(host.Buffer.Batches);
        Assert.Equal(0, host.InFlight.Bytes);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpc-web")]
    [InlineData("text/plain")]
    public async Task Call_OfAnotherType_Is415(string contentType)
    {
        await using var host = await CollectorHost.StartAsync();
        Assert.Equal(415, (await host.CallAsync(Requests.TracesPath, [], contentType)).Http);
    }

    [Theory]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc; charset=utf-8")]
    public async Task Traces_Plain_AreAppended(string contentType)
    {
        await using var host = await CollectorHost.StartAsync();
        var body = Requests.Traces(Requests.GoodSpan);
        // The encoding named is of messages marked compressed; this one is not.
        var reply = await host.CallAsync(Requests.TracesPath, Requests.Frame(body), contentType, ("grpc-encoding", "zstd"), ("grpc-timeout", "10S"));
        Assert.Equal((200, "0", null, "application/grpc"), (reply.Http, reply.Status, reply.Message, reply.ContentType));
        Assert.Equal(new byte[5], reply.Body);
        var batch = Assert.Single(host.Buffer.Batches);
        Assert.Equal((Signal.Traces, BatchEncoding.Identity), (batch.Signal, batch.Encoding));
        Assert.Equal(body, batch.Body);
    }

    [Fact]
    public async Task Logs_Gzip_StayCompressed()
    {
        await using var host = await CollectorHost.StartAsync();
        var body = Requests.Gzip(Requests.Logs("hello"));
        var reply = await host.CallAsync(Requests.LogsPath, Requests.Frame(body, 1), headers: ("grpc-encoding", "gzip"));
        Assert.Equal("0", reply.Status);
        var batch = Assert.Single(host.Buffer.Batches);
        Assert.Equal((Signal.Logs, BatchEncoding.Gzip), (batch.Signal, batch.Encoding));
        Assert.Equal(body, batch.Body);
    }

    [Fact]
    public async Task EmptyMessage_Succeeds()
    {
        await using var host = await CollectorHost.StartAsync();
        var reply = await host.CallAsync(Requests.TracesPath, Requests.Frame([]));
        Assert.Equal("0", reply.Status);
        Assert.Equal(new byte[5], reply.Body);
        Assert.Empty(host.Buffer.Batches);
    }

    [Fact]
    public async Task OneSpanOfTwoWrong_IsPartialSuccess()
    {
        await using var host = await CollectorHost.StartAsync();
        var reply = await host.CallAsync(Requests.TracesPath, Requests.Frame(Requests.Traces(Requests.GoodSpan, Requests.BadSpan)));
        const string message = "1 span rejected: trace_id of 2 bytes, must be 16 (first: span 'broken' of service 'shop')";
        Assert.Equal("0", reply.Status);
        Assert.Equal(Requests.Frame([0x0A, (byte)(message.Length + 4), 0x08, 0x01, 0x12, (byte)message.Length, .. Encoding.UTF8.GetBytes(message)]), reply.Body);
        Assert.Single(host.Buffer.Batches);
    }

    /// <summary>code 8, message, details: Any of RetryInfo of 1 s and 500,000,000 ns.</summary>
    [Fact]
    public async Task BufferFull_IsResourceExhaustedWithRetryInfo()
    {
        await using var host = await CollectorHost.StartAsync();
        host.Buffer.Failure = new BufferFullException("voll: 100 %", TimeSpan.FromSeconds(1.5));
        var reply = await host.CallAsync(Requests.TracesPath, Requests.Frame(Requests.Traces(Requests.GoodSpan)));
        Assert.Equal(("8", "voll%3A%20100%20%25"), (reply.Status, reply.Message));
        byte[] details =
        [
            0x08, 0x08,
            0x12, 11, .. "voll: 100 %"u8,
            0x1A, 54,
            0x0A, 40, .. "type.googleapis.com/google.rpc.RetryInfo"u8,
            0x12, 10, 0x0A, 8, 0x08, 0x01, 0x10, 0x80, 0xCA, 0xB5, 0xEE, 0x01,
        ];
        Assert.Equal(Convert.ToHexString(details), Convert.ToHexString(Convert.FromBase64String(reply.Details!)));
    }

    [Fact]
    public async Task BufferFailing_IsUnavailable()
    {
        await using var host = await CollectorHost.StartAsync();
        host.Buffer.Failure = new IOException("secret path");
        var reply = await host.CallAsync(Requests.TracesPath, Requests.Frame(Requests.Traces(Requests.GoodSpan)));
        Assert.Equal(("14", "the server cannot store telemetry now"), (reply.Status, Uri.UnescapeDataString(reply.Message!)));
    }

    [Fact]
    public async Task Deadline_Passed_IsDeadlineExceeded()
    {
        await using var host = await CollectorHost.StartAsync();
        host.Buffer.Gate = new TaskCompletionSource();
        var reply = await host.CallAsync(Requests.TracesPath, Requests.Frame(Requests.Traces(Requests.GoodSpan)), headers: ("grpc-timeout", "50m"));
        Assert.Equal("4", reply.Status);
        Assert.Equal(0, host.InFlight.Bytes);
    }

    [Theory]
    [InlineData("10")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    public async Task Deadline_Unreadable_IsInternal(string timeout)
    {
        await using var host = await CollectorHost.StartAsync();
        Assert.Equal("13", (await host.CallAsync(Requests.TracesPath, Requests.Frame([]), headers: ("grpc-timeout", timeout))).Status);
    }

    [Fact]
    public async Task Http1_OnTheGrpcPort_IsTold()
    {
        await using var host = await CollectorHost.StartAsync();
        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{host.Port(ReceiverNames.OtlpGrpc)}/"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("HTTP/2", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OtherPaths_OnTheGrpcPort_AreNotServed()
    {
        await using var host = await CollectorHost.StartAsync();
        using var response = await host.Grpc.GetAsync("/api/v1/ingest");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }
}
