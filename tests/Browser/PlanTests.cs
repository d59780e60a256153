using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>"How it was read": the plan of a query that was cut short.</summary>
public sealed class PlanTests(BrowserFixture fixture)
{
    private static readonly Regex s_list = new(@"/api/v1/traces\?(?!.*explain)");

    [Fact]
    public async Task Plan_OfASearchThatWasCut_SaysWhatWasReadAndClosesByKey()
    {
        await using var open = await fixture.OpenAsync("/services");
        var page = open.Page;
        await page.RouteAsync(s_list, CutAsync);
        await page.GotoAsync("/traces?from=now-30m&q=status%20%3D%20error");
        var banner = page.Locator("main .banner.warn");
        await Expect(banner).ToContainTextAsync("stopped at its time limit");
        var explained = page.WaitForRequestAsync(new Regex(@"/api/v1/traces\?.*explain=true"));
        await banner.GetByRole(AriaRole.Button, new() { Name = "How it was read" }).ClickAsync();
        Assert.Contains("q=status+%3D+error", (await explained).Url, StringComparison.Ordinal);

        var dialog = page.Locator("dialog.plan");
        await Expect(dialog.Locator("thead th")).ToHaveTextAsync(["Part", "Level", "Rows", "Read", "Blocks", "Skipped by", "Bytes read", "Time"]);
        // The shop's spans are a few thousand: all of them are in memory still.
        await Expect(dialog.Locator("tbody tr").First).ToContainTextAsync("in memory");
        await Expect(dialog.Locator("tbody tr td:nth-child(3)").First).ToHaveTextAsync(new Regex(@"^[1-9][\d,]*$"));
        await open.ScreenshotAsync("plan");
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToHaveCountAsync(0);
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Plan_ThatCannotBeHad_SaysWhyAndIsAskedAgain()
    {
        await using var open = await fixture.OpenAsync("/services");
        var page = open.Page;
        await page.RouteAsync(s_list, CutAsync);
        var refused = 0;
        await page.RouteAsync(new Regex(@"/api/v1/traces\?.*explain=true"), route => Interlocked.Increment(ref refused) == 1
            ? route.FulfillAsync(new RouteFulfillOptions { Status = 503, ContentType = "application/problem+json", Body = """{"title":"Starting","detail":"The store is opening 12 parts.","status":503}""" })
            : route.ContinueAsync());
        await page.GotoAsync("/traces?from=now-30m");
        await page.Locator("main .banner.warn [data-action=plan]").ClickAsync();
        var dialog = page.Locator("dialog.plan");
        await Expect(dialog.Locator(".banner.bad")).ToContainTextAsync("The store is opening 12 parts.");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(dialog.Locator("tbody tr").First).ToBeVisibleAsync();
        await Expect(dialog.Locator(".banner")).ToHaveCountAsync(0);
    }

    /// <summary>The server's own answer, with the word that its time was up.</summary>
    private static async Task CutAsync(IRoute route)
    {
        var answer = await route.FetchAsync();
        var body = JsonNode.Parse(await answer.TextAsync())!;
        body["scan"]!["complete"] = false;
        body["scan"]!["stoppedBy"] = "time";
        await route.FulfillAsync(new RouteFulfillOptions { Response = answer, Body = body.ToJsonString() });
    }
}
