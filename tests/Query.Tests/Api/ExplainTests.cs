using System.Net;
using System.Text.Json.Nodes;

namespace Apm.Query.Tests.Api;

public sealed class ExplainTests
{
    public static TheoryData<string> Paths =>
    [
        "traces", "spans/red?step=60s&by=name", "spans/heatmap", "spans/facets", "spans/compare?box=" + "status%20%3D%20error", "services", "operations", "dependencies",
        "logs", "logs/histogram", "logs/facets", "attributes/values?field=name", "traces/00000000000000000000000000000001",
    ];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Get_Explained_SaysWhatWasReadOfEachSource(string path)
    {
        await using var host = await Shop.StartAsync();
        var url = $"/api/v1/{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{Shop.Range}";
        var plain = await host.GetJsonAsync(url);
        Assert.Null(plain["scan"]?["plan"]);

        var plan = (await host.GetJsonAsync(url + "&explain=true"))["scan"]!["plan"]!.AsArray();

        Assert.NotEmpty(plan);
        Assert.All(plan, source =>
        {
            Assert.True(source!["search"]!.GetValue<int>() >= 1);
            Assert.Null(source["id"]);
            Assert.Contains(source["from"]!.GetValue<string>(), new[] { "rows", "rollup", "nothing" });
            Assert.True(source["blocksRead"]!.GetValue<int>() > 0 == (source["from"]!.GetValue<string>() == "rows"));
        });
        Assert.Contains(plan, source => source!["from"]!.GetValue<string>() != "nothing");
    }

    [Fact]
    public async Task Get_ExplainedSearchThatCanMatchNothing_NamesTheIndex()
    {
        await using var host = await Shop.StartAsync();
        var plan = (await host.GetJsonAsync($"/api/v1/traces?{Shop.Range}&explain=true&q=" + Uri.EscapeDataString("duration > 1h")))["scan"]!["plan"]!.AsArray();
        Assert.All(plan, source => Assert.Equal(("nothing", 0), (source!["from"]!.GetValue<string>(), source["blocksRead"]!.GetValue<int>())));
        Assert.All(plan, source => Assert.Equal(["duration"], source!["blocksSkipped"]!.AsObject().Select(skipped => skipped.Key)));
    }

    [Fact]
    public async Task Get_ExplainIsNoFlag_Is400()
    {
        await using var host = await Shop.StartAsync();
        using var response = await host.Client.GetAsync($"/api/v1/traces?{Shop.Range}&explain=maybe", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("explain", JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["parameter"]!.GetValue<string>());
    }

    [Fact]
    public async Task OpenApi_Searches_HaveTheParameter()
    {
        await using var host = await QueryHost.StartAsync();
        var document = await host.GetJsonAsync("/openapi/v1.json");
        foreach (var path in Paths.Select(row => row.Data.Split('?')[0]).Where(path => !path.StartsWith("traces/", StringComparison.Ordinal)).Append("traces/{id}"))
        {
            var parameters = document["paths"]![$"/api/v1/{path}"]!["get"]!["parameters"]!.AsArray();
            Assert.Single(parameters, parameter => parameter!["name"]!.GetValue<string>() == "explain");
        }
    }
}
