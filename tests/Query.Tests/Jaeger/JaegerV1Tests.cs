using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Apm.Query.Tests.Jaeger;

public sealed class JaegerV1Tests
{
    [Theory]
    [InlineData("services", """{"data":["front","jobs","missing-service-name","stock/eu"],"total":4,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("services/front/operations", """{"data":["GET","GET /orders"],"total":2,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("services/stock%2Feu/operations", """{"data":["GET /stock"],"total":1,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("services/unknown/operations", """{"data":null,"total":0,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("operations?service=front", """{"data":[{"name":"GET","spanKind":"client"},{"name":"GET /orders","spanKind":"server"}],"total":2,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("operations?service=front&spanKind=client", """{"data":[{"name":"GET","spanKind":"client"}],"total":1,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("operations?service=jobs", """{"data":[{"name":"nightly","spanKind":""},{"name":"step","spanKind":"internal"}],"total":2,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("operations?service=missing-service-name", """{"data":[{"name":"lonely","spanKind":"consumer"}],"total":1,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("operations?service=unknown", """{"data":[],"total":0,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("dependencies", """{"data":[{"parent":"front","child":"stock/eu","callCount":1}],"total":0,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("dependencies?endTs=1767225660000&lookback=60000", """{"data":[{"parent":"front","child":"stock/eu","callCount":1}],"total":0,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("dependencies?service=stock/eu", """{"data":[{"parent":"front","child":"stock/eu","callCount":1}],"total":0,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("dependencies?service=jobs", """{"data":[],"total":0,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("dependencies?endTs=1767225600000", """{"data":[],"total":0,"limit":0,"offset":0,"errors":null}""")]
    [InlineData("metrics/minstep", """{"data":1,"total":0,"limit":0,"offset":0,"errors":null}""")]
    public async Task Get_Names_AnswersInTheEnvelope(string path, string expected)
    {
        await using var host = await JaegerSample.StartAsync();
        Assert.Equal(expected, (await host.GetJsonAsync($"/jaeger/api/{path}")).ToJsonString());
    }

    [Theory]
    [InlineData("service=front", "orders")]
    [InlineData("service=jobs", "job")]
    [InlineData("service=stock/eu", "orders")]
    [InlineData("service=missing-service-name", "lonely")]
    [InlineData("service=unknown", "")]
    [InlineData("service=front&operation=GET%20/orders", "orders")]
    [InlineData("service=front&operation=GET%20/stock", "")]
    [InlineData("service=front&tag=http.route:/orders", "orders")]
    [InlineData("service=front&tag=http.route:/night", "")]
    [InlineData("service=front&tag=http.route:/orders&tag=flag:true", "orders")]
    [InlineData("service=front&tag=http.route:/orders&tag=flag:false", "")]
    [InlineData("service=front&tag=unicode:%E8%AE%A2%E5%8D%95%20%E2%9C%93", "orders")]
    [InlineData("service=front&tags={\"count\":\"500\"}", "orders")]
    [InlineData("service=front&tags={\"count\":500}", "orders")]
    [InlineData("service=front&tags={\"beyond\":\"9007199254740993\"}", "orders")]
    [InlineData("service=front&tags={\"beyond\":\"9007199254740992\"}", "")]
    [InlineData("service=front&tags={\"ratio\":\"2.5\"}", "orders")]
    [InlineData("service=front&tags={\"whole\":\"2\"}", "orders")]
    [InlineData("service=front&tags={\"bytes\":\"AQID\"}", "orders")]
    [InlineData("service=front&tags={\"list\":\"[\\\"a\\\",1,false]\"}", "orders")]
    [InlineData("service=front&tags={\"map\":\"{\\\"deep\\\":[1.5]}\"}", "orders")]
    [InlineData("service=front&tags={\"error\":\"true\"}", "orders")]
    [InlineData("service=front&tags={\"error\":\"true\"}&operation=GET", "")]
    [InlineData("service=front&tags={\"error\":\"false\"}&operation=GET", "orders")]
    [InlineData("service=jobs&tags={\"error\":\"false\"}", "")]
    [InlineData("service=jobs&tags={\"span.kind\":\"internal\"}", "job")]
    [InlineData("service=jobs&tags={\"span.kind\":\"server\"}", "")]
    [InlineData("service=front&tags={\"span.status\":\"error\"}", "orders")]
    [InlineData("service=front&tags={\"scope.name\":\"shop\",\"scope.version\":\"0.9\"}", "orders")]
    [InlineData("service=front&tags={\"scope.team\":\"blue\"}", "orders")]
    [InlineData("service=front&tags={\"host.cpus\":\"4\"}", "orders")]
    [InlineData("service=front&tags={\"resource.host.cpus\":\"4\"}", "orders")]
    [InlineData("service=front&tags={\"resource.http.route\":\"/orders\"}", "")]
    [InlineData("service=front&tags={\"exception.type\":\"TypeError\"}", "orders")]
    [InlineData("service=front&tags={\"why\":\"batch\"}", "orders")]
    [InlineData("service=front&tag=http.route:/other&tags={\"http.route\":\"/orders\"}", "orders")]
    [InlineData("service=front&minDuration=150ms", "orders")]
    [InlineData("service=front&minDuration=151ms", "")]
    [InlineData("service=front&maxDuration=50ms", "orders")]
    [InlineData("service=front&maxDuration=49.9ms", "")]
    [InlineData("service=front&minDuration=0&maxDuration=0", "orders")]
    [InlineData("service=front&minDuration=50ms&maxDuration=50ms", "orders")]
    // The window is inclusive in microseconds and tests the starts of spans: GET begins at 1.010000.
    [InlineData("service=front&operation=GET&start=1767225601010000&end=1767225601010000", "orders")]
    [InlineData("service=front&operation=GET&start=1767225601010001&end=1767225602000000", "")]
    [InlineData("service=front&operation=GET&start=1767225600000000&end=1767225601009999", "")]
    [InlineData("service=front&operation=GET&start=1767225600000&end=1767225602000", "orders")]
    [InlineData("service=front&start=1767000000000000&end=1767225600000000", "")]
    [InlineData("service=front&limit=1", "orders")]
    [InlineData("traceID=" + JaegerSample.Orders, "orders")]
    [InlineData("traceID=abcdef&traceID=" + JaegerSample.Orders, "job orders")]
    [InlineData("traceID=ABCDEF&traceID=abcdef&traceID=0000000000abcdef", "job")]
    public async Task Traces_EveryParameter_FindsTheTraces(string query, string expected)
    {
        await using var host = await JaegerSample.StartAsync();
        var answer = await host.GetJsonAsync($"/jaeger/api/traces?{Escape(query)}");
        Assert.Equal(expected, string.Join(' ', answer["data"]!.AsArray().Select(trace => trace!["traceID"]!.GetValue<string>() switch
        {
            JaegerSample.Orders => "orders",
            "0000000000abcdef" => "job",
            JaegerSample.Lonely => "lonely",
            var other => other,
        })));
        Assert.Equal(0, answer["total"]!.GetValue<int>());
        Assert.Null(answer["errors"]);
    }

    [Fact]
    public async Task Traces_AbsentTraceAmongThem_IsNamedInErrors()
    {
        await using var host = await JaegerSample.StartAsync();
        var answer = await host.GetJsonAsync("/jaeger/api/traces?traceID=abcdef&traceID=123");
        Assert.Equal("0000000000abcdef", Assert.Single(answer["data"]!.AsArray())!["traceID"]!.GetValue<string>());
        Assert.Equal("""[{"msg":"trace not found","traceID":"0000000000000123"}]""", answer["errors"]!.ToJsonString());
    }

    [Fact]
    public async Task Traces_MoreThanTheLimit_NewestFirst()
    {
        await using var host = await QueryHost.StartAsync();
        host.Spans.Append(Batches.Spans(Enumerable.Range(1, 120).Select(i => new SpanRow("s", "o", i, 1) { Trace = (ulong)i, Id = (ulong)i })));
        Assert.Equal(100, (await host.GetJsonAsync("/jaeger/api/traces?service=s"))["data"]!.AsArray().Count);
        var three = (await host.GetJsonAsync("/jaeger/api/traces?service=s&limit=3"))["data"]!.AsArray();
        Assert.Equal(["0000000000000078", "0000000000000077", "0000000000000076"], three.Select(trace => trace!["traceID"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("v1-orders", "traces/" + JaegerSample.Orders)]
    [InlineData("v1-orders", "traces/5B8EFFF798038103D269B633813FC60C?start=1&end=2")]
    [InlineData("v1-orders-raw", "traces/" + JaegerSample.Orders + "?raw=true")]
    [InlineData("v1-job", "traces/abcdef")]
    [InlineData("v1-lonely", "traces?service=missing-service-name")]
    [InlineData("v1-calls", "metrics/calls?service=front&service=stock/eu&step=60000&ratePer=60000&lookback=60000&endTs=1767225660000")]
    [InlineData("v1-calls-operations", "metrics/calls?service=front&spanKind=client&spanKind=server&groupByOperation=true&step=60000&ratePer=60000&lookback=60000&endTs=1767225660000")]
    [InlineData("v1-errors", "metrics/errors?service=front&step=60000&ratePer=60000&lookback=60000&endTs=1767225660000")]
    public async Task Get_Sample_AnswersAsTheGoldenFile(string golden, string path)
    {
        await using var host = await JaegerSample.StartAsync();
        GoldenFile.Equal(golden, await host.GetTextAsync($"/jaeger/api/{path}"));
    }

    [Fact]
    public async Task Latencies_OneSpan_IsItsDurationInMilliseconds()
    {
        await using var host = await JaegerSample.StartAsync();
        var answer = await host.GetJsonAsync("/jaeger/api/metrics/latencies?service=front&quantile=0.95&step=60000&ratePer=60000&lookback=60000&endTs=1767225660000");
        Assert.Equal(("service_latencies", "GAUGE", "0.95th quantile latency, grouped by service"), (answer["name"]!.GetValue<string>(), answer["type"]!.GetValue<string>(), answer["help"]!.GetValue<string>()));
        var points = Assert.Single(answer["metrics"]!.AsArray())!["metricPoints"]!.AsArray();
        // The store's histogram rounds durations by a few per cent.
        Assert.InRange(points[0]!["gaugeValue"]!["doubleValue"]!.GetValue<double>(), 142, 158);
    }

    [Fact]
    public async Task Calls_WindowLongerThanTheStep_IsARateOverTheWindow()
    {
        await using var host = await QueryHost.StartAsync();
        host.Spans.Append(Batches.Spans(Enumerable.Range(0, 60).Select(i => new SpanRow("s", "o", i * 1000, 1) { Trace = (ulong)i + 1, Id = 1, Kind = Telemetry.SpanKind.Server })));
        var answer = await host.GetJsonAsync("/jaeger/api/metrics/calls?service=s&step=5000&ratePer=10000&lookback=20000&endTs=1767225660000");
        var values = Assert.Single(answer["metrics"]!.AsArray())!["metricPoints"]!.AsArray().Select(point => point!["gaugeValue"]!["doubleValue"]!.GetValue<double>()).ToArray();
        Assert.True(values.Length is 4 or 5, $"{values.Length} points");
        Assert.All(values, value => Assert.Equal(1.0, value));
    }

    [Theory]
    [InlineData("operations", 400, "parameter 'service' is required")]
    [InlineData("operations?service=a&spanKind=nonsense", 400, "unable to parse param 'spanKind': 'nonsense' is not one of unspecified, internal, server, client, producer, consumer")]
    [InlineData("traces", 400, "parameter 'service' is required")]
    [InlineData("traces?service=a&limit=0", 400, "invalid parameter: limit must be greater than 0")]
    [InlineData("traces?service=a&limit=-1", 400, "invalid parameter: limit must be greater than 0")]
    [InlineData("traces?service=a&limit=2001", 400, "invalid parameter: limit must be at most 2000")]
    [InlineData("traces?service=a&limit=x", 400, "unable to parse param 'limit': 'x' is not a number")]
    [InlineData("traces?service=a&start=x", 400, "unable to parse param 'start': 'x' is not a Unix time in microseconds")]
    [InlineData("traces?service=a&start=1767225602000000&end=1767225601000000", 400, "invalid parameter: start time must be before end time")]
    [InlineData("traces?service=a&minDuration=10", 400, "unable to parse param 'minDuration': '10' is not a duration such as 1.5ms or 2s")]
    [InlineData("traces?service=a&minDuration=2s&maxDuration=1s", 400, "'maxDuration' should be greater than 'minDuration'")]
    [InlineData("traces?service=a&tag=x", 400, "malformed 'tag' parameter, expecting key:value, received: x")]
    [InlineData("traces?service=a&tags=[]", 400, "malformed 'tags' parameter, cannot unmarshal JSON: an object of strings is expected")]
    [InlineData("traces?service=a&tags={\"a\":[]}", 400, "malformed 'tags' parameter, cannot unmarshal JSON: the value of 'a' is not a string")]
    [InlineData("traces?service=a&raw=maybe", 400, "unable to parse param 'raw': 'maybe' is neither true nor false")]
    [InlineData("traces?traceID=xyz", 400, "unable to parse param 'traceID': 'xyz' is not a trace id of up to 32 hexadecimal digits")]
    [InlineData("traces/xyz", 400, "unable to parse param 'traceID': 'xyz' is not a trace id of up to 32 hexadecimal digits")]
    [InlineData("traces/123", 404, "trace not found")]
    [InlineData("traces/123?start=x", 400, "unable to parse param 'start': 'x' is not a Unix time in microseconds")]
    [InlineData("dependencies?lookback=-1", 400, "unable to parse param 'lookback': '-1' is not a number of milliseconds")]
    [InlineData("dependencies?endTs=x", 400, "unable to parse param 'endTs': 'x' is not a number of milliseconds")]
    [InlineData("metrics/calls", 400, "unable to parse param 'service': please provide at least one service name")]
    [InlineData("metrics/latencies?service=a", 400, "unable to parse param 'quantile': '' is not a number from 0 to 1")]
    [InlineData("metrics/latencies?service=a&quantile=2", 400, "unable to parse param 'quantile': '2' is not a number from 0 to 1")]
    [InlineData("metrics/errors?service=a&step=0", 400, "unable to parse param 'step': too short for the lookback: at most 11000 steps")]
    public async Task Get_WrongOrAbsent_AnswersInJaegersErrorShape(string path, int status, string message)
    {
        await using var host = await JaegerSample.StartAsync();
        var (actual, type, body) = await host.GetAsync($"/jaeger/api/{Escape(path)}");
        Assert.Equal((HttpStatusCode)status, actual);
        Assert.Equal("application/json", type);
        var answer = JsonNode.Parse(body)!;
        var error = Assert.Single(answer["errors"]!.AsArray())!;
        Assert.Equal((status, message), (error["code"]!.GetValue<int>(), error["msg"]!.GetValue<string>()));
        Assert.True(answer.AsObject().ContainsKey("data"));
        Assert.Null(answer["data"]);
        Assert.Equal(0, answer["total"]!.GetValue<int>());
    }

    [Fact]
    public async Task Archive_WithoutAnArchive_Is501()
    {
        await using var host = await JaegerSample.StartAsync();
        using var response = await host.Client.PostAsync($"/jaeger/api/archive/{JaegerSample.Orders}", null);
        Assert.Equal(HttpStatusCode.NotImplemented, response.StatusCode);
        Assert.Equal(501, JsonNode.Parse(await response.Content.ReadAsStringAsync())!["errors"]![0]!["code"]!.GetValue<int>());
    }

    [Fact]
    public async Task Transform_OtlpJson_IsTheSameAsTheStoredTrace()
    {
        await using var host = await JaegerSample.StartAsync();
        using var response = await host.Client.PostAsync("/jaeger/api/transform", new StringContent(JaegerSample.File, Encoding.UTF8, "application/json"));
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(3, answer["data"]!.AsArray().Count);
        var stored = await host.GetJsonAsync($"/jaeger/api/traces/{JaegerSample.Orders}");
        Assert.Equal(stored["data"]![0]!.ToJsonString(), answer["data"]![0]!.ToJsonString());
        Assert.Null(answer["errors"]);
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("[]", 400)]
    [InlineData("{\"resourceSpans\":[", 400)]
    [InlineData("{}", 200)]
    public async Task Transform_NotOtlp_SaysSo(string body, int status)
    {
        await using var host = await JaegerSample.StartAsync();
        using var response = await host.Client.PostAsync("/jaeger/api/transform", new StringContent(body, Encoding.UTF8, "application/json"));
        Assert.Equal((HttpStatusCode)status, response.StatusCode);
    }

    /// <summary>The query with what a URL cannot carry escaped, and what is escaped already kept.</summary>
    internal static string Escape(string query)
    {
        var text = new StringBuilder();
        foreach (var character in query)
        {
            text.Append(character is '{' or '}' or '"' or '[' or ']' or '\\' ? string.Create(CultureInfo.InvariantCulture, $"%{(int)character:X2}") : character.ToString());
        }
        return text.ToString();
    }
}
