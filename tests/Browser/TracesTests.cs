using System.Text.RegularExpressions;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

public sealed class TracesTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Heatmap_BoxAroundTheSlow_RanksTheCardNetworkAndAddsItToTheFilter()
    {
        await using var open = await fixture.OpenAsync("/traces?from=now-30m");
        var page = open.Page;
        await Expect(page.Locator("main tbody tr a").First).ToBeAttachedAsync();
        await Expect(page.Locator(".hh.waiting")).ToHaveCountAsync(0);
        var heat = (await page.Locator(".heat").BoundingBoxAsync())!;
        // The slow ones are in the uppermost row, in the right half.
        await page.Mouse.MoveAsync(heat.X + (heat.Width * 0.3f), heat.Y + 26);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(heat.X + (heat.Width * 0.7f), heat.Y + 60);
        await page.Mouse.MoveAsync(heat.X + heat.Width - 12, heat.Y + 70);
        await page.Mouse.UpAsync();

        var compare = page.Locator(".card.cmp");
        var network = compare.Locator(".at", new() { HasText = "card.network" });
        await Expect(network).ToContainTextAsync("amex");
        await Expect(network).ToContainTextAsync("100");
        await open.ScreenshotAsync("traces-compare");
        await network.Locator("button").First.ClickAsync();
        await page.WaitForURLAsync(new Regex("q=[^&]*card\\.network[^&]*amex"));
        await Expect(page.Locator(".filter .chip")).ToContainTextAsync("amex");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task List_BySlowest_StartsWithAFailedCheckoutAndKeepsTheOrderInTheUrl()
    {
        await using var open = await fixture.OpenAsync("/traces?from=now-30m");
        var page = open.Page;
        await page.GetByRole(Microsoft.Playwright.AriaRole.Button, new() { Name = "Slowest" }).ClickAsync();
        await Expect(page.Locator("main tbody tr").First).ToContainTextAsync("502");
        await page.ReloadAsync();
        await Expect(page.Locator("main tbody tr").First).ToContainTextAsync("502");
        Assert.Contains("order=slowest", page.Url, StringComparison.Ordinal);
        Assert.Empty(open.Problems);
    }
}
