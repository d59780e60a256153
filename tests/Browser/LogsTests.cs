using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

public sealed class LogsTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Record_Opened_HasItsAttributesAndLeadsToItsSpan()
    {
        await using var open = await fixture.OpenAsync("/logs?from=now-30m");
        var page = open.Page;
        await page.Locator(".log .line", new() { HasText = "Bank API did not answer" }).First.ClickAsync();
        var details = page.Locator(".log .more");
        await Expect(details).ToContainTextAsync("Payments.Bank.BankClient");
        await open.ScreenshotAsync("logs-open");
        await details.Locator("a[href*='/traces/']").First.ClickAsync();
        await page.WaitForURLAsync(new Regex("/traces/[0-9a-f]{32}.*span="));
        await Expect(page.Locator("aside.drawer")).ToContainTextAsync("Bank API did not answer");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task SeverityFacet_Error_LeavesOnlyErrors()
    {
        await using var open = await fixture.OpenAsync("/logs?from=now-30m");
        var page = open.Page;
        await Expect(page.Locator(".log .sev", new() { HasText = "INF" }).First).ToBeVisibleAsync();
        await page.Locator("[data-field=severity] label", new() { HasText = "error" }).Locator("input").ClickAsync();
        await page.WaitForURLAsync(new Regex("q=severity.*error"));
        await Expect(page.Locator(".log .sev", new() { HasText = "INF" })).ToHaveCountAsync(0);
        await Expect(page.Locator(".log .sev", new() { HasText = "ERR" }).First).ToBeVisibleAsync();
        await Expect(page.Locator("[data-field=severity] label", new() { HasText = "error" }).Locator("input")).ToBeCheckedAsync();
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task LiveTail_WhileFollowed_ShowsARecordThatArrives()
    {
        await using var open = await fixture.OpenAsync("/logs?from=now-30m");
        var page = open.Page;
        await Expect(page.Locator(".log").First).ToBeVisibleAsync();
        await page.RunAndWaitForResponseAsync(
            () => page.GetByRole(AriaRole.Link, new() { Name = "Live tail" }).ClickAsync(),
            response => response.Url.Contains("/logs/tail", StringComparison.Ordinal));
        await new ShopTraffic(fixture.Standalone.Client).SendLogAsync(TimeProvider.System.GetUtcNow(), "catalog", "Stock was counted");
        await Expect(page.Locator(".log", new() { HasText = "Stock was counted" })).ToBeVisibleAsync();
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task TextSearch_WordOfABody_LeavesRecordsWithIt()
    {
        await using var open = await fixture.OpenAsync("/logs?from=now-30m");
        var page = open.Page;
        await page.Locator(".textsearch input[type=search]").FillAsync("mastercard");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**text=mastercard*");
        await Expect(page.Locator(".log", new() { HasText = "amex" })).ToHaveCountAsync(0);
        await Expect(page.Locator(".log", new() { HasText = "mastercard" }).First).ToBeVisibleAsync();
        Assert.Empty(open.Problems);
    }
}
