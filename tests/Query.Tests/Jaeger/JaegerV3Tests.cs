using System.Net;
using System.Text.Json.Nodes;

namespace Apm.Query.Tests.Jaeger;

public sealed class JaegerV3Tests
{
    private const string Window = "query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:01:00Z";

    [Theory]
    [InlineData("services", """{"services":["front","jobs","missing-service-name","stock/eu"]}""")]
    [InlineData("operations?service=front", """{"operations":[{"name":"GET","spanKind":"client"},{"name":"GET /orders","spanKind":"server"}]}""")]
    [InlineData("operations?service=front&spanKind=client", """{"operations":[{"name":"GET","spanKind":"client"}]}""")]
    [InlineData("operations?service=front&span_kind=client", """{"operations":[{"name":"GET","spanKind":"client"}]}""")]
    [InlineData("operations?service=jobs", """{"operations":[{"name":"nightly","spanKind":"internal"},{"name":"step","spanKind":"internal"}]}""")]
    [InlineData("operations?service=unknown", """{"operations":[]}""")]
    [InlineData("trace-summaries?query.serviceName=unknown&" + Window, """{"summaries":[]}""")]
    public async Task Get_Names_Answers(string path, string expected)
    {
        await using var host = await JaegerSample.StartAsync();
        Assert.Equal(expected, (await host.GetJsonAsync($"/jaeger/api/v3/{path}")).ToJsonString());
    }

    [Theory]
    [InlineData("v3-orders", "traces/" + JaegerSample.Orders)]
    [InlineData("v3-orders", "traces/" + JaegerSample.Orders + "?start_time=2020-01-01T00:00:00Z&end_time=2020-01-01T00:00:00%2B02:00&raw_traces=true")]
    [InlineData("v3-orders", "traces?query.serviceName=front&" + Window)]
    [InlineData("v3-orders", "traces?query.service_name=front&query.operation_name=GET&query.start_time_min=2026-01-01T00:00:01.01Z&query.start_time_max=2026-01-01T00:00:01.010000001Z&query.duration_min=50ms&query.duration_max=50ms&query.search_depth=1&query.raw_traces=false")]
    [InlineData("v3-orders", "traces?query.attributes={\"http.route\":\"/orders\"}&query.numTraces=1&" + Window)]
    [InlineData("v3-summaries", "trace-summaries?" + Window)]
    public async Task Get_Sample_AnswersAsTheGoldenFile(string golden, string path)
    {
        await using var host = await JaegerSample.StartAsync();
        GoldenFile.Equal(golden, await host.GetTextAsync($"/jaeger/api/v3/{JaegerV1Tests.Escape(path)}"));
    }

    [Theory]
    [InlineData("traces/123", 404, "No traces found")]
    [InlineData("traces/xyz", 400, "malformed parameter trace_id: 'xyz' is not a trace id of up to 32 hexadecimal digits")]
    [InlineData("traces/123?startTime=x", 400, "malformed parameter startTime: 'x' is not a time in RFC 3339")]
    [InlineData("traces?query.serviceName=unknown&" + Window, 404, "No traces found")]
    [InlineData("traces?query.serviceName=front&query.durationMin=2s&query.durationMax=1s&" + Window, 404, "No traces found")]
    [InlineData("traces?query.serviceName=front", 400, "query.startTimeMin and query.startTimeMax are required")]
    [InlineData("traces?query.startTimeMin=2026-01-01T00:00:00Z&query.startTimeMax=2026-01-01T00:00:00Z", 400, "query.startTimeMin must be before query.startTimeMax")]
    [InlineData("traces?query.startTimeMin=yesterday&query.startTimeMax=2026-01-01T00:00:00Z", 400, "malformed parameter query.startTimeMin: 'yesterday' is not a time in RFC 3339")]
    [InlineData("traces?query.searchDepth=0&" + Window, 400, "invalid parameter: query.searchDepth must be greater than 0")]
    [InlineData("traces?query.attributes=[]&" + Window, 400, "malformed parameter query.attributes: an object of strings is expected")]
    [InlineData("traces?query.rawTraces=maybe&" + Window, 400, "malformed parameter query.rawTraces: 'maybe' is neither true nor false")]
    [InlineData("trace-summaries?query.durationMin=x&" + Window, 400, "malformed parameter query.durationMin: 'x' is not a duration such as 1.5ms or 2s")]
    public async Task Get_WrongOrAbsent_AnswersInV3sErrorShape(string path, int status, string message)
    {
        await using var host = await JaegerSample.StartAsync();
        var (actual, type, body) = await host.GetAsync($"/jaeger/api/v3/{JaegerV1Tests.Escape(path)}");
        Assert.Equal((HttpStatusCode)status, actual);
        Assert.Equal("application/json", type);
        Assert.Equal((status, message), (JsonNode.Parse(body)!["error"]!["httpCode"]!.GetValue<int>(), JsonNode.Parse(body)!["error"]!["message"]!.GetValue<string>()));
    }
}
