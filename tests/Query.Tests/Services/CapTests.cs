using System.Text.Json.Nodes;
using Apm.Telemetry;

namespace Apm.Query.Tests.Services;

/// <summary>More services, operations and calls than an answer tells apart: the rest is counted together, or said to be missing.</summary>
public sealed class CapTests
{
    [Fact]
    public async Task Operations_MoreThanAreToldApart_CountTheRestTogether()
    {
        await using var host = await HostOf(1_100, i => new SpanRow("cart", $"op{i}", i, 5) { Kind = SpanKind.Server, Status = i % 2 == 0 ? StatusCode.Error : StatusCode.Unset });
        var answer = await host.GetJsonAsync($"/api/v1/operations?{Shop.Range}");
        Assert.Equal(1_000, answer["operations"]!.AsArray().Count);
        Assert.Equal((100, 500_000_000), (answer["others"]!["count"]!.GetValue<long>(), answer["others"]!["totalNano"]!.GetValue<long>()));
        Assert.Equal(550, answer["others"]!["errors"]!.GetValue<long>() + answer["operations"]!.AsArray().Sum(operation => operation!["errors"]!.GetValue<long>()));
        Assert.Null((await host.GetJsonAsync($"/api/v1/operations?{Shop.Range}&service=nobody"))["others"]);
    }

    [Fact]
    public async Task Services_MoreThanAreToldApart_CountTheRestTogether()
    {
        await using var host = await HostOf(1_100, i => new SpanRow($"s{i}", "GET", i, 5) { Kind = SpanKind.Server });
        var answer = await host.GetJsonAsync($"/api/v1/services?{Shop.Range}");
        Assert.Equal((100, 1.666667), (answer["others"]!["count"]!.GetValue<long>(), answer["others"]!["rate"]!.GetValue<double>()));
        Assert.False(answer["identitiesTruncated"]!.GetValue<bool>());
    }

    [Fact]
    public async Task Services_MoreInstancesThanAreToldApart_SayThatTheyAreNotAll()
    {
        await using var host = await HostOf(5_100, i => new SpanRow("cart", "GET", i, 5) { Kind = SpanKind.Server, Resource = [("service.instance.id", $"{i}")] });
        var answer = await host.GetJsonAsync($"/api/v1/services?{Shop.Range}");
        Assert.True(answer["identitiesTruncated"]!.GetValue<bool>());
        Assert.Null(answer["others"]);
    }

    [Fact]
    public async Task Dependencies_MoreThanAreToldApart_SayThatSomeAreMissing()
    {
        await using var host = await HostOf(16_500, i => new SpanRow("cart", "SELECT", i, 5) { Kind = SpanKind.Client, Attributes = [("db.system.name", "sqlite"), ("db.namespace", $"db{i}")] });
        var answer = await host.GetJsonAsync($"/api/v1/dependencies?{Shop.Range}");
        Assert.True(answer["truncated"]!.GetValue<bool>());
        Assert.Equal(16_384, answer["edges"]!.AsArray().Count);
        Assert.True((await host.GetJsonAsync($"/api/v1/services?{Shop.Range}"))["peersTruncated"]!.GetValue<bool>());
        await using var shop = await Shop.StartAsync();
        Assert.False((await shop.GetJsonAsync($"/api/v1/dependencies?{Shop.Range}"))["truncated"]!.GetValue<bool>());
    }

    [Fact]
    public async Task JaegerMetrics_MoreOperationsThanAreToldApart_HaveTheRestAsOneSeries()
    {
        await using var host = await HostOf(600, i => new SpanRow("cart", $"op{i}", i, 5) { Kind = SpanKind.Server });
        var answer = await host.GetJsonAsync("/jaeger/api/metrics/calls?service=cart&groupByOperation=true&step=60000&ratePer=60000&lookback=60000&endTs=1767225660000");
        var series = answer["metrics"]!.AsArray();
        Assert.Equal(501, series.Count);
        var others = Assert.Single(series, one => Label(one!, "operation") == "(others)")!;
        Assert.Equal("cart", Label(others, "service_name"));
        Assert.Equal(100 / 60.0, others["metricPoints"]!.AsArray().Max(point => point!["gaugeValue"]!["doubleValue"]!.GetValue<double>()), 6);
    }

    [Fact]
    public async Task Services_ManySteps_TellFewerApart()
    {
        await using var host = await HostOf(40, i => new SpanRow($"s{i}", "GET", i, 5) { Kind = SpanKind.Server });
        var answer = await host.GetJsonAsync("/api/v1/services?from=2026-01-01T00:00:00Z&to=2026-01-01T02:46:40Z&step=1s");
        Assert.Equal((11, 29), (answer["others"]!["count"]!.GetValue<int>(), answer["services"]!.AsArray().Count(service => service!["count"]!.GetValue<long>() > 0)));
    }

    [Fact]
    public async Task JaegerTraces_TogetherMoreSpansThanOneMayHave_AreTruncated()
    {
        await using var host = await QueryHost.StartAsync(options => options.Rows = 1_000);
        host.Spans.Append(Batches.Spans(Enumerable.Range(0, 1_800).Select(i => new SpanRow("cart", "GET", i, 5) { Trace = i < 900 ? 1UL : 2, Id = (ulong)i + 1 })));
        var traces = (await host.GetJsonAsync("/jaeger/api/traces?traceID=1&traceID=2"))["data"]!.AsArray();
        Assert.Equal([900, 100], traces.Select(trace => trace!["spans"]!.AsArray().Count));
    }

    private static string Label(JsonNode series, string name) => series["labels"]!.AsArray().Single(label => label!["name"]!.GetValue<string>() == name)!["value"]!.GetValue<string>();

    /// <summary>Spans in the first minute, of a trace each.</summary>
    private static async Task<QueryHost> HostOf(int spans, Func<int, SpanRow> span)
    {
        var host = await QueryHost.StartAsync();
        host.Spans.Append(Batches.Spans(Enumerable.Range(0, spans).Select(i => span(i) with { StartMs = i % 60_000, Trace = (ulong)i + 1, Id = (ulong)i + 1 })));
        return host;
    }
}
