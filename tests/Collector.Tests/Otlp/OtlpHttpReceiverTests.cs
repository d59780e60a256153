using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Apm.DurableBuffer;
using Apm.Telemetry;

namespace Apm.Collector.Tests.Otlp;

public sealed class OtlpHttpReceiverTests
{
    private const string Proto = "application/x-protobuf";
    private const string Json = "application/json";

    /// <summary>Every refusal that needs no state: what is sent, and the status, code and words of the answer.</summary>
    public static TheoryData<string, string, string?, string?, string, int, int, string> Refusals => new()
    {
        { "POST", "/v1/traces", "text/plain", null, "x", 415, 3, "Content-Type must be application/x-protobuf or application/json, not 'text/plain'" },
        { "POST", "/v1/traces", null, null, "x", 415, 3, "Content-Type must be" },
        { "POST", "/v1/traces", "application/json; charset=utf-16", null, "{}", 415, 3, "the charset of JSON must be utf-8" },
        { "POST", "/v1/traces", Json, "zstd", "{}", 415, 3, "Content-Encoding 'zstd' is not supported; send gzip or none" },
        { "POST", "/v1/traces", Json, null, "{", 400, 3, "" },
        { "POST", "/v1/traces", Json, null, "[]", 400, 3, "" },
        { "POST", "/v1/traces", Json, null, "", 400, 3, "" },
        { "POST", "/v1/logs", Proto, null, "no protobuf", 400, 3, "" },
        { "POST", "/v1/traces", Proto, "gzip", "no gzip at all, but long enough for one", 400, 3, "gzip" },
        { "POST", "/v1/traces", Proto, "gzip", "short", 400, 3, "cut short" },
        { "PUT", "/v1/traces", Proto, null, "", 405, 12, "/v1/traces takes POST only" },
        { "GET", "/v1/logs", null, null, "", 405, 12, "/v1/logs takes POST only" },
        { "POST", "/v1/metrics", Proto, null, "", 404, 12, "metrics are not enabled on this server" },
        { "POST", "/v1/metrics", Json, null, "{}", 404, 12, "metrics are not enabled on this server" },
        { "POST", "/v1development/profiles", Proto, null, "", 404, 12, "profiles are not enabled on this server" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Request_Wrong_IsRefusedInItsOwnEncoding(string method, string path, string? type, string? encoding, string body, int status, int code, string message)
    {
        await using var host = await CollectorHost.StartAsync();
        foreach (var client in new[] { host.Http, host.Main })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            if (method != "GET")
            {
                request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
                request.Content.Headers.Remove("Content-Type");
                if (type is not null)
                {
                    request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
                }
                if (encoding is not null)
                {
                    request.Content.Headers.ContentEncoding.Add(encoding);
                }
            }
            using var response = await client.SendAsync(request);
            var (actualCode, actualMessage) = await StatusAsync(response);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(code, actualCode);
            Assert.Contains(message, actualMessage, StringComparison.Ordinal);
            Assert.Equal(type == Proto ? Proto : Json, response.Content.Headers.ContentType?.MediaType);
            Assert.Equal(status == 405, response.Content.Headers.Allow.Contains("POST"));
            Assert.False(response.Headers.Contains("Retry-After"));
        }
        Assert.Empty(host.Buffer.Batches);
        Assert.Equal(0, host.InFlight.Bytes);
    }

    [Theory]
    [InlineData(Proto)]
    [InlineData("application/x-protobuf; charset=utf-8")]
    [InlineData("Application/X-Protobuf")]
    public async Task Traces_Protobuf_AreAppendedAsReceived(string type)
    {
        await using var host = await CollectorHost.StartAsync();
        var body = Requests.Traces(Requests.GoodSpan);
        using var response = await host.PostAsync("/v1/traces", body, type);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Proto, response.Content.Headers.ContentType?.ToString());
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        var batch = Assert.Single(host.Buffer.Batches);
        Assert.Equal((Signal.Traces, BatchEncoding.Identity), (batch.Signal, batch.Encoding));
        Assert.Equal(body, batch.Body);
        Assert.InRange(batch.ReceivedUnixNano, 1_700_000_000_000_000_000, long.MaxValue);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Logs_Json_BecomeProtobuf(bool gzip)
    {
        await using var host = await CollectorHost.StartAsync();
        var json = Encoding.UTF8.GetBytes(Requests.LogsJson("hello"));
        using var response = await host.PostAsync("/v1/logs", gzip ? Requests.Gzip(json) : json, "application/json; charset=UTF-8", gzip ? "gzip" : null);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        Assert.Equal(Json, response.Content.Headers.ContentType?.ToString());
        var batch = Assert.Single(host.Buffer.Batches);
        Assert.Equal((Signal.Logs, BatchEncoding.Identity), (batch.Signal, batch.Encoding));
        Assert.Equal(Requests.Logs("hello"), batch.Body);
    }

    [Fact]
    public async Task Traces_Gzip_StayCompressed()
    {
        await using var host = await CollectorHost.StartAsync();
        var body = Requests.Gzip(Requests.Traces(Requests.GoodSpan));
        using var response = await host.PostAsync("/v1/traces", body, encoding: "gzip");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var batch = Assert.Single(host.Buffer.Batches);
        Assert.Equal(BatchEncoding.Gzip, batch.Encoding);
        Assert.Equal(body, batch.Body);
        Assert.Equal(0, host.InFlight.Bytes);
    }

    [Fact]
    public async Task Json_UnknownKeysAndUpperCaseIds_AreTaken()
    {
        await using var host = await CollectorHost.StartAsync();
        var span = """{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"checkout","kind":2,"startTimeUnixNano":1700000000000000000,"endTimeUnixNano":"1700000000100000000","new":{"a":[1,{}]}}""";
        using var response = await host.PostAsync("/v1/traces", Encoding.UTF8.GetBytes(Requests.TracesJson(span)), Json);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        Assert.Equal(Requests.Traces(Requests.GoodSpan), Assert.Single(host.Buffer.Batches).Body);
    }

    [Theory]
    [InlineData(Proto, "")]
    [InlineData(Json, "{}")]
    public async Task EmptyRequest_Succeeds_AndNothingIsAppended(string type, string body)
    {
        await using var host = await CollectorHost.StartAsync();
        using var response = await host.PostAsync("/v1/traces", Encoding.UTF8.GetBytes(body), type);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsStringAsync());
        Assert.Empty(host.Buffer.Batches);
    }

    [Fact]
    public async Task OneSpanOfTwoWrong_IsPartialSuccess_AndCounted()
    {
        await using var host = await CollectorHost.StartAsync();
        using var json = await host.PostAsync("/v1/traces", Encoding.UTF8.GetBytes(Requests.TracesJson(Requests.GoodSpan, Requests.BadSpan)), Json);
        const string message = "1 span rejected: trace_id of 2 bytes, must be 16 (first: span 'broken' of service 'shop')";
        Assert.Equal($$$"""{"partialSuccess":{"rejectedSpans":"1","errorMessage":"{{{message}}}"}}""", await json.Content.ReadAsStringAsync());
        using var proto = await host.PostAsync("/v1/traces", Requests.Traces(Requests.GoodSpan, Requests.BadSpan));
        var bytes = await proto.Content.ReadAsByteArrayAsync();
        Assert.Equal([0x0A, (byte)(message.Length + 4), 0x08, 0x01, 0x12, (byte)message.Length, .. Encoding.UTF8.GetBytes(message)], bytes);
        Assert.Equal(2, host.Buffer.Batches.Count);
        var rejection = (await host.ReportAsync()).GetProperty("rejections")[0];
        Assert.Equal(("OtlpHttp", "traces", "invalid_trace_id", 2L), (rejection.GetProperty("receiver").GetString(), rejection.GetProperty("signal").GetString(),
            rejection.GetProperty("reason").GetString(), rejection.GetProperty("items").GetInt64()));
    }

    [Fact]
    public async Task EverySpanWrong_IsPartialSuccess_AndNothingIsAppended()
    {
        await using var host = await CollectorHost.StartAsync();
        using var response = await host.PostAsync("/v1/traces", Requests.Traces(Requests.BadSpan));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.NotEmpty(await response.Content.ReadAsByteArrayAsync());
        Assert.Empty(host.Buffer.Batches);
    }

    [Theory]
    [InlineData(7_000, "7")]
    [InlineData(1_200, "2")]
    [InlineData(10, "1")]
    public async Task BufferFull_Is429WithRetryAfter(int milliseconds, string retryAfter)
    {
        await using var host = await CollectorHost.StartAsync();
        host.Buffer.Failure = new BufferFullException("the disk is full", TimeSpan.FromMilliseconds(milliseconds));
        using var response = await host.PostAsync("/v1/traces", Encoding.UTF8.GetBytes(Requests.TracesJson(Requests.GoodSpan)), Json);
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(retryAfter, response.Headers.GetValues("Retry-After").Single());
        Assert.Equal("""{"code":8,"message":"the disk is full"}""", await response.Content.ReadAsStringAsync());
        host.Buffer.Failure = null;
        using var again = await host.PostAsync("/v1/traces", Requests.Traces(Requests.GoodSpan));
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task BufferFailing_Is503WithRetryAfter_AndSaysNothingOfTheInside()
    {
        await using var host = await CollectorHost.StartAsync();
        host.Buffer.Failure = new IOException("secret path");
        using var response = await host.PostAsync("/v1/traces", Encoding.UTF8.GetBytes(Requests.TracesJson(Requests.GoodSpan)), Json);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("5", response.Headers.GetValues("Retry-After").Single());
        Assert.Equal("""{"code":14,"message":"the server cannot store telemetry now"}""", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BodyOverTheWireLimit_Is413(bool announced)
    {
        await using var host = await CollectorHost.StartAsync(new CollectorOptions { MaxBodyBytes = 100_000 });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/traces") { Content = announced ? new ByteArrayContent(new byte[100_001]) : new StreamContent(new MemoryStream(new byte[100_001])) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", Proto);
        request.Headers.TransferEncodingChunked = !announced;
        using var response = await host.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("100000 bytes (Collector:MaxBodyBytes)", (await StatusAsync(response)).Message, StringComparison.Ordinal);
        Assert.Equal(0, host.InFlight.Bytes);
    }

    [Fact]
    public async Task GzipBombs_AtOnce_AreRefusedWithinTheBound()
    {
        await using var host = await CollectorHost.StartAsync(new CollectorOptions { MaxDecompressedBytes = 1 << 20, MaxInFlightBytes = 4 << 20 });
        var bomb = Requests.Gzip(new byte[256 << 20]);
        Assert.InRange(bomb.Length, 1, 300_000);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(async _ =>
        {
            using var response = await host.PostAsync("/v1/traces", bomb, encoding: "gzip");
            return response.StatusCode;
        }));
        Assert.Contains(HttpStatusCode.RequestEntityTooLarge, answers);
        Assert.All(answers, answer => Assert.True(answer is HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.TooManyRequests, answer.ToString()));
        Assert.Equal(0, host.InFlight.Bytes);
        Assert.Empty(host.Buffer.Batches);
    }

    [Fact]
    public async Task InFlightBound_Hit_Is429_AndRecovers()
    {
        await using var host = await CollectorHost.StartAsync(new CollectorOptions { MaxInFlightBytes = 1 << 20 });
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Buffer.Gate = gate;
        var name = new string('n', 700_000);
        var large = Encoding.UTF8.GetBytes(Requests.TracesJson(Requests.GoodSpan).Replace("shop", name, StringComparison.Ordinal));
        var protobuf = Requests.Traces(Requests.GoodSpan);
        var first = host.PostAsync("/v1/traces", protobuf);
        await host.Buffer.Waiting.WaitAsync(TestContext.Current.CancellationToken);
        using var second = await host.PostAsync("/v1/traces", [.. large, .. new byte[1 << 20]], Json);
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.Equal("1", second.Headers.GetValues("Retry-After").Single());
        gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(0, host.InFlight.Bytes);
    }

    [Fact]
    public async Task SenderThatGoesAway_HarmsNothing()
    {
        await using var host = await CollectorHost.StartAsync();
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, host.Port(ReceiverNames.OtlpHttp), TestContext.Current.CancellationToken);
            await socket.GetStream().WriteAsync("POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000000\r\n\r\nabc"u8.ToArray(), TestContext.Current.CancellationToken);
        }
        using var response = await host.PostAsync("/v1/traces", Requests.Traces(Requests.GoodSpan));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task ManyRequests_AtOnce_AreEachAppendedOnce()
    {
        await using var host = await CollectorHost.StartAsync();
        var bodies = Enumerable.Range(0, 200).Select(i => Requests.Logs($"line {i}")).ToArray();
        await Task.WhenAll(bodies.Select(async (body, i) =>
        {
            var gzip = i % 2 == 0;
            if (i % 3 == 0)
            {
                var reply = await host.CallAsync(Requests.LogsPath, Requests.Frame(gzip ? Requests.Gzip(body) : body, (byte)(gzip ? 1 : 0)), headers: ("grpc-encoding", "gzip"));
                Assert.Equal("0", reply.Status);
                return;
            }
            using var response = await host.PostAsync("/v1/logs", gzip ? Requests.Gzip(body) : body, encoding: gzip ? "gzip" : null, client: i % 3 == 1 ? host.Main : host.Http);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }));
        Assert.Equal(200, host.Buffer.Batches.Select(batch => Convert.ToHexString(batch.Body)).Distinct().Count());
        Assert.Equal(200, host.Buffer.Batches.Count);
        var totals = (await host.ReportAsync()).GetProperty("totals").EnumerateArray().Sum(total => total.GetProperty("items").GetInt64());
        Assert.Equal(200, totals);
    }

    [Fact]
    public async Task Cors_Unconfigured_AllowsNobody()
    {
        await using var host = await CollectorHost.StartAsync();
        using var response = await SendPreflightAsync(host, "https://shop.example");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("https://shop.example", true)]
    [InlineData("https://other.example", false)]
    public async Task Cors_Configured_AllowsItsOrigins(string origin, bool allowed)
    {
        await using var host = await CollectorHost.StartAsync(otlpHttp: new OtlpHttpReceiverOptions { CorsOrigins = ["https://shop.example"] });
        using var preflight = await SendPreflightAsync(host, origin);
        Assert.Equal(allowed, preflight.StatusCode == HttpStatusCode.NoContent);
        Assert.Equal(allowed, preflight.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) && values.Single() == origin);
        Assert.Equal(allowed, preflight.Headers.Contains("Access-Control-Allow-Headers"));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/api/v1/ingest")]
    [InlineData("/v1/unknown")]
    public async Task OwnPort_OtherPaths_Are404(string path)
    {
        await using var host = await CollectorHost.StartAsync();
        using var response = await host.Http.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    private static async Task<HttpResponseMessage> SendPreflightAsync(CollectorHost host, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/v1/traces");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type");
        return await host.Http.SendAsync(request);
    }

    /// <summary>google.rpc.Status of either encoding; codes and lengths below 128, lengths of messages up to two bytes.</summary>
    private static async Task<(int Code, string Message)> StatusAsync(HttpResponseMessage response)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync();
        if (response.Content.Headers.ContentType?.MediaType == Json)
        {
            var json = JsonSerializer.Deserialize<JsonElement>(bytes);
            return (json.GetProperty("code").GetInt32(), json.GetProperty("message").GetString()!);
        }
        Assert.Equal((0x08, 0x12), (bytes[0], bytes[2]));
        var start = bytes[3] < 0x80 ? 4 : 5;
        return (bytes[1], Encoding.UTF8.GetString(bytes.AsSpan(start)));
    }
}
