using System.Net;
using System.Text.Json.Nodes;
using Apm.Telemetry;

namespace Apm.Query.Tests.Jaeger;

/// <summary>A storefront that calls stock twice and, through a queue, a notifier; what has no service name; a database that Jaeger does not show.</summary>
public sealed class JaegerDependenciesTests
{
    private const string Links = """[{"parent":"front","child":"missing-service-name","callCount":1},{"parent":"front","child":"stock","callCount":2},{"parent":"stock","child":"front","callCount":1}]""";

    [Theory]
    [InlineData("dependencies?endTs=1767225660000&lookback=60000", Links)]
    [InlineData("dependencies", Links)]
    [InlineData("dependencies?service=missing-service-name", """[{"parent":"front","child":"missing-service-name","callCount":1}]""")]
    [InlineData("dependencies?service=stock", """[{"parent":"front","child":"stock","callCount":2},{"parent":"stock","child":"front","callCount":1}]""")]
    [InlineData("dependencies?endTs=1767225602000&lookback=1000", """[{"parent":"front","child":"stock","callCount":1}]""")]
    [InlineData("dependencies?endTs=1767225660000&lookback=0", "[]")]
    [InlineData("dependencies?service=orders", "[]")]
    public async Task Get_V1_AreLinksOfServices(string path, string links)
    {
        await using var host = await StartAsync();
        Assert.Equal($$"""{"data":{{links}},"total":0,"limit":0,"offset":0,"errors":null}""", (await host.GetJsonAsync($"/jaeger/api/{path}")).ToJsonString());
    }

    [Theory]
    [InlineData("startTime=2026-01-01T00:00:00Z&endTime=2026-01-01T00:01:00Z", """{"dependencies":[{"parent":"front","child":"missing-service-name","callCount":"1"},{"parent":"front","child":"stock","callCount":"2"},{"parent":"stock","child":"front","callCount":"1"}]}""")]
    [InlineData("start_time=2026-01-01T00:00:01Z&end_time=2026-01-01T00:00:02Z", """{"dependencies":[{"parent":"front","child":"stock","callCount":"1"}]}""")]
    [InlineData("startTime=2025-01-01T00:00:00Z&endTime=2025-01-01T00:01:00Z", """{"dependencies":[]}""")]
    public async Task Get_V3_WritesCountsAsStrings(string parameters, string expected)
    {
        await using var host = await StartAsync();
        Assert.Equal(expected, (await host.GetJsonAsync($"/jaeger/api/v3/dependencies?{parameters}")).ToJsonString());
    }

    [Theory]
    [InlineData("", "malformed parameter startTime: it is required")]
    [InlineData("startTime=2026-01-01T00:00:00Z", "malformed parameter endTime: it is required")]
    [InlineData("startTime=soon&endTime=2026-01-01T00:00:00Z", "malformed parameter startTime: 'soon' is not a time in RFC 3339")]
    [InlineData("startTime=2026-01-01T00:00:00Z&endTime=2026-01-01T00:00:00Z", "endTime must be after startTime")]
    public async Task Get_V3Wrong_SaysWhichParameter(string parameters, string message)
    {
        await using var host = await StartAsync();
        var (status, _, body) = await host.GetAsync($"/jaeger/api/v3/dependencies?{parameters}");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(message, JsonNode.Parse(body)!["error"]!["message"]!.GetValue<string>());
    }

    private static async Task<QueryHost> StartAsync()
    {
        var host = await QueryHost.StartAsync();
        host.Spans.Append(Batches.Spans([
            new SpanRow("front", "GET /orders", 0, 100) { Trace = 1, Id = 1, Kind = SpanKind.Server },
            new SpanRow("stock", "GET /stock", 10, 20) { Trace = 1, Id = 2, Parent = 1, Kind = SpanKind.Server },
            new SpanRow("front", "GET /prices", 12, 5) { Trace = 1, Id = 3, Parent = 2, Kind = SpanKind.Server },
            new SpanRow("front", "GET /orders", 1_000, 100) { Trace = 2, Id = 4, Kind = SpanKind.Server },
            new SpanRow("stock", "GET /stock", 1_010, 20) { Trace = 2, Id = 5, Parent = 4, Kind = SpanKind.Server },
            new SpanRow("stock", "SELECT", 1_011, 5) { Trace = 2, Id = 6, Parent = 5, Kind = SpanKind.Client, Attributes = [("db.system.name", "sqlite"), ("db.namespace", "stock")] },
            new SpanRow("front", "publish", 1_050, 5) { Trace = 2, Id = 7, Parent = 4, Kind = SpanKind.Producer, Attributes = [("messaging.system", "kafka"), ("messaging.destination.name", "orders")] },
            new SpanRow("notifier", "process", 2_000, 5) { Trace = 3, Id = 8, Kind = SpanKind.Consumer, Attributes = [("messaging.system", "kafka"), ("messaging.destination.name", "orders")] },
            new SpanRow("front", "GET /old", 3_000, 100) { Trace = 4, Id = 9, Kind = SpanKind.Server },
            new SpanRow("", "GET /legacy", 3_010, 20) { Trace = 4, Id = 10, Parent = 9, Kind = SpanKind.Server },
        ]));
        return host;
    }
}
