using System.Text.Json;
using Apm.TestKit.Processes;

namespace Apm.EndToEnd;

/// <summary>What the real exporters send is read back value by value, through Apm's own API and through Jaeger's.</summary>
public sealed class JavaScriptExporterTests(StandaloneFixture fixture)
{
    private StandaloneProcess Standalone => fixture.Process;

    [Theory]
    [InlineData("grpc", "none")]
    [InlineData("grpc", "gzip")]
    [InlineData("http-json", "none")]
    [InlineData("http-json", "gzip")]
    [InlineData("http-proto", "none")]
    [InlineData("http-proto", "gzip")]
    public async Task Export_EveryProtocol_IsReadBackValueByValue(string protocol, string compression)
    {
        NodeExporters.SkipWithoutThem();
        var port = protocol == "grpc" ? Standalone.GrpcPort : protocol == "http-json" ? Standalone.HttpPort : Standalone.Port;
        var sent = await NodeExporters.SendAsync(protocol, compression, $"http://localhost:{port}");
        Assert.All(sent.GetProperty("results").EnumerateArray(), result => Assert.Equal(0, result.GetProperty("code").GetInt32()));
        Assert.Equal(3, sent.GetProperty("results").GetArrayLength());

        await CheckTraceAsync(sent);
        await CheckLogsAsync(sent);
        await CheckJaegerAsync(sent);
    }

    private async Task CheckTraceAsync(JsonElement sent)
    {
        var traceId = sent.GetProperty("traceId").GetString()!;
        var suffix = sent.GetProperty("suffix").GetString()!;
        var second = long.Parse(sent.GetProperty("now").GetString()!, System.Globalization.CultureInfo.InvariantCulture) * 1_000_000_000;
        using var trace = JsonDocument.Parse(await Standalone.EventuallyAsync(client => client.GetStringAsync($"api/v1/traces/{traceId}"), text => text.Contains("GET /stock", StringComparison.Ordinal)));
        Assert.Equal(3, trace.RootElement.GetProperty("spanCount").GetInt32());
        Assert.Equal(150_000_250, trace.RootElement.GetProperty("durationNano").GetInt64());
        var spans = trace.RootElement.GetProperty("spans").EnumerateArray().ToDictionary(span => span.GetProperty("spanId").GetString()!);
        var root = spans[sent.GetProperty("root").GetString()!];
        Assert.Equal("GET /orders", root.GetProperty("name").GetString());
        Assert.Equal("server", root.GetProperty("kind").GetString());
        Assert.Equal("error", root.GetProperty("status").GetString());
        Assert.Equal((second + 100_000_100).ToString(System.Globalization.CultureInfo.InvariantCulture), root.GetProperty("startUnixNano").GetString());
        Assert.Equal(150_000_250, root.GetProperty("durationNano").GetInt64());
        Assert.Equal("""{"http.route":"/orders","http.response.status_code":500,"double":2.5,"flag":true,"no":false,"strings":["a","b"],"numbers":[1,2,3],"unicode":"订单 ✓","big":9007199254740991}""",
            Compact(root.GetProperty("attributes")));
        var link = Assert.Single(root.GetProperty("links").EnumerateArray());
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", link.GetProperty("traceId").GetString());
        Assert.Equal("b7ad6b7169203331", link.GetProperty("spanId").GetString());
        Assert.Equal("batch", link.GetProperty("attributes").GetProperty("why").GetString());
        var resource = trace.RootElement.GetProperty("resources")[root.GetProperty("resource").GetInt32()];
        Assert.Equal($"front-{suffix}", resource.GetProperty("serviceName").GetString());
        Assert.Equal(4, resource.GetProperty("attributes").GetProperty("host.cpus").GetInt32());
        var scope = trace.RootElement.GetProperty("scopes")[root.GetProperty("scope").GetInt32()];
        Assert.Equal("shop", scope.GetProperty("name").GetString());
        Assert.Equal("0.9", scope.GetProperty("version").GetString());

        var served = spans[sent.GetProperty("served").GetString()!];
        Assert.Equal(sent.GetProperty("call").GetString(), served.GetProperty("parentSpanId").GetString());
        Assert.Equal("boom", served.GetProperty("statusMessage").GetString());
        var exception = Assert.Single(served.GetProperty("events").EnumerateArray());
        Assert.Equal("exception", exception.GetProperty("name").GetString());
        Assert.Equal((second + 125_000_007).ToString(System.Globalization.CultureInfo.InvariantCulture), exception.GetProperty("timeUnixNano").GetString());
        Assert.Equal("TypeError: boom\n    at x", exception.GetProperty("attributes").GetProperty("exception.stacktrace").GetString());
    }

    private async Task CheckLogsAsync(JsonElement sent)
    {
        var traceId = sent.GetProperty("traceId").GetString()!;
        var suffix = sent.GetProperty("suffix").GetString()!;
        using var ofTrace = JsonDocument.Parse(await Standalone.EventuallyAsync(client => client.GetStringAsync($"api/v1/traces/{traceId}/logs"), text => text.Contains("order failed", StringComparison.Ordinal)));
        var failed = Assert.Single(ofTrace.RootElement.GetProperty("records").EnumerateArray());
        Assert.Equal($"order failed {suffix}", failed.GetProperty("body").GetString());
        Assert.Equal("error", failed.GetProperty("severity").GetString());
        Assert.Equal("ERROR", failed.GetProperty("severityText").GetString());
        Assert.Equal(17, failed.GetProperty("severityNumber").GetInt32());
        Assert.Equal(sent.GetProperty("root").GetString(), failed.GetProperty("spanId").GetString());
        Assert.Equal("""{"order.id":42,"ok":false}""", Compact(failed.GetProperty("attributes")));
        var query = Uri.EscapeDataString($"{{ resource.service.name = \"front-{suffix}\" && severity = info }}");
        using var structured = JsonDocument.Parse(await Standalone.Client.GetStringAsync($"api/v1/logs?q={query}"));
        var record = Assert.Single(structured.RootElement.GetProperty("records").EnumerateArray());
        Assert.Equal("""{"structured":["x",1,{"deep":true}]}""", Compact(record.GetProperty("body")));
        Assert.Equal(JsonValueKind.Null, record.GetProperty("traceId").ValueKind);
    }

    private async Task CheckJaegerAsync(JsonElement sent)
    {
        var traceId = sent.GetProperty("traceId").GetString()!;
        var suffix = sent.GetProperty("suffix").GetString()!;
        using var answer = JsonDocument.Parse(await Standalone.Client.GetStringAsync($"jaeger/api/traces?service=back-{suffix}&tags={Uri.EscapeDataString("""{"error":"true"}""")}"));
        var trace = Assert.Single(answer.RootElement.GetProperty("data").EnumerateArray());
        Assert.Equal(traceId, trace.GetProperty("traceID").GetString());
        var spans = trace.GetProperty("spans").EnumerateArray().ToDictionary(span => span.GetProperty("spanID").GetString()!);
        var root = spans[sent.GetProperty("root").GetString()!];
        var second = long.Parse(sent.GetProperty("now").GetString()!, System.Globalization.CultureInfo.InvariantCulture) * 1_000_000;
        Assert.Equal(second + 100_000, root.GetProperty("startTime").GetInt64());
        Assert.Equal(150_000, root.GetProperty("duration").GetInt64());
        var tags = root.GetProperty("tags").EnumerateArray().ToDictionary(tag => tag.GetProperty("key").GetString()!, tag => (tag.GetProperty("type").GetString(), Compact(tag.GetProperty("value"))));
        Assert.Equal(("string", "\"/orders\""), tags["http.route"]);
        Assert.Equal(("int64", "500"), tags["http.response.status_code"]);
        Assert.Equal(("float64", "2.5"), tags["double"]);
        Assert.Equal(("bool", "true"), tags["flag"]);
        Assert.Equal(("string", "\"server\""), tags["span.kind"]);
        Assert.Equal(("bool", "true"), tags["error"]);
        var served = spans[sent.GetProperty("served").GetString()!];
        var reference = Assert.Single(served.GetProperty("references").EnumerateArray());
        Assert.Equal("CHILD_OF", reference.GetProperty("refType").GetString());
        Assert.Equal(sent.GetProperty("call").GetString(), reference.GetProperty("spanID").GetString());
        Assert.Equal($"back-{suffix}", trace.GetProperty("processes").GetProperty(served.GetProperty("processID").GetString()!).GetProperty("serviceName").GetString());

        using var v3 = JsonDocument.Parse(await Standalone.Client.GetStringAsync($"jaeger/api/v3/traces/{traceId}"));
        var found = v3.RootElement.GetProperty("result").GetProperty("resourceSpans").EnumerateArray()
            .SelectMany(resource => resource.GetProperty("scopeSpans").EnumerateArray()).SelectMany(scope => scope.GetProperty("spans").EnumerateArray()).ToArray();
        Assert.Equal(3, found.Length);
        Assert.All(found, span => Assert.Equal(traceId, span.GetProperty("traceId").GetString()));
        using var dependencies = JsonDocument.Parse(await Standalone.Client.GetStringAsync($"jaeger/api/dependencies?endTs={(second / 1000) + 60_000}&lookback=3600000"));
        Assert.Contains(dependencies.RootElement.GetProperty("data").EnumerateArray(), edge =>
            edge.GetProperty("parent").GetString() == $"front-{suffix}" && edge.GetProperty("child").GetString() == $"back-{suffix}" && edge.GetProperty("callCount").GetInt64() == 1);
    }

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element, Relaxed);

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
