using System.Net;
using System.Text.Json.Nodes;

namespace Apm.Query.Tests.Api;

public sealed class WrongParameterTests(EmptyHost empty) : IClassFixture<EmptyHost>
{
    [Theory]
    [InlineData("traces?q=duration%20%3E%20100", "q", "no unit")]
    [InlineData("traces?from=yesterday", "from", "RFC 3339")]
    [InlineData("traces?from=now&to=now-1h", "from", "not before 'to'")]
    [InlineData("traces?to=99999999999999999999", "to", "is no time")]
    [InlineData("traces?from=now-5y", "from", "now-30m")]
    [InlineData("traces?limit=0", "limit", "1 to 1000")]
    [InlineData("traces?limit=1001", "limit", "1 to 1000")]
    [InlineData("traces?limit=ten", "limit", "1 to 1000")]
    [InlineData("traces?order=oldest", "order", "newest or slowest")]
    [InlineData("traces?cursor=x", "cursor", "nextCursor")]
    [InlineData("traces?count=maybe", "count", "neither true nor false")]
    [InlineData("traces/xyz", "id", "hexadecimal")]
    [InlineData("traces/00000000000000000000000000000000", "id", "not all zero")]
    [InlineData("traces/1/spans/xyz", "spanId", "hexadecimal")]
    [InlineData("traces/1/logs?spanId=-", "spanId", "hexadecimal")]
    [InlineData("spans/red?step=1ms", "step", "at most 11000")]
    [InlineData("spans/red?step=fast", "step", "no step")]
    [InlineData("spans/red?by=nonsense", "by", "unknown field")]
    [InlineData("spans/red?by=name&by=kind&by=status&by=.a&by=.b", "by", "at most 4")]
    [InlineData("spans/heatmap?step=0", "step", "at least 1ms")]
    [InlineData("spans/facets?field=body", "field", "spans have no 'body'")]
    [InlineData("spans/compare?box=kind%3D5", "box", "kind is never 5")]
    [InlineData("spans/compare?boxFrom=now-3h&boxTo=now-2h", "boxFrom", "does not overlap")]
    [InlineData("attributes?signal=metrics", "signal", "traces or logs")]
    [InlineData("attributes?scope=parent", "scope", "span or log")]
    [InlineData("attributes/values", "field", "is missing")]
    [InlineData("logs?q=duration%20%3E%201s", "q", "log records have no 'duration'")]
    [InlineData("logs?spanId=1", "traceId", "is missing")]
    [InlineData("logs?order=slowest", "order", "newest or oldest")]
    [InlineData("logs/tail?q=%28", "q", "the filter ends")]
    [InlineData("filter/parse?q=a", "q", "unknown field")]
    [InlineData("filter/complete?q=a&caret=2", "caret", "0 to 1")]
    [InlineData("services?step=-1s", "step", "no step")]
    public async Task Get_WrongParameter_IsAProblemThatNamesIt(string path, string parameter, string says)
    {
        var (status, type, body) = await empty.Host.GetAsync("/api/v1/" + path);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal("application/problem+json", type);
        var problem = JsonNode.Parse(body)!;
        Assert.Equal(parameter, problem["parameter"]!.GetValue<string>());
        Assert.Equal(400, problem["status"]!.GetValue<int>());
        Assert.Contains(says, problem["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_WrongFilter_SaysLineColumnAndExpected()
    {
        var (_, _, body) = await empty.Host.GetAsync("/api/v1/traces?q=" + Uri.EscapeDataString("name = x\n&& duration > fast"));
        var problem = JsonNode.Parse(body)!;
        Assert.Equal((2, 15), (problem["line"]!.GetValue<int>(), problem["column"]!.GetValue<int>()));
        Assert.Contains("a duration", Assert.Single(problem["expected"]!.AsArray())!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("q: fast is no duration", problem["detail"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("traces/1")]
    [InlineData("traces/1/outline")]
    [InlineData("traces/1/spans/2")]
    public async Task Get_AbsentTrace_Is404(string path)
    {
        var (status, type, _) = await empty.Host.GetAsync("/api/v1/" + path);
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (status, type));
    }
}
