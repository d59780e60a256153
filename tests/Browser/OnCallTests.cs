using System.Text.RegularExpressions;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>The way of who is woken at night: from the list of services to the cause, without typing.</summary>
public sealed class OnCallTests(BrowserFixture fixture)
{
    [Fact]
    public async Task FailingService_ByTwoPresses_LeadsToTraceThatNamesTheBank()
    {
        await using var open = await fixture.OpenAsync("/services?from=now-30m");
        var page = open.Page;
        var banner = page.Locator(".banner.bad").First;
        await Expect(banner).ToContainTextAsync("payments");
        await Expect(banner).ToContainTextAsync("api.bank.example");

        await banner.Locator("a.btn").ClickAsync();
        await page.WaitForURLAsync("**/traces?*");
        var trace = page.Locator("main tbody tr", new() { HasText = "POST /checkout" }).First;
        await Expect(trace).ToContainTextAsync("502");

        await trace.Locator(".rt").ClickAsync();
        await page.WaitForURLAsync(new Regex("/traces/[0-9a-f]{32}"));
        await Expect(page.Locator(".say")).ToContainTextAsync("api.bank.example");
        await Expect(page.Locator(".say")).ToContainTextAsync("payments");
        Assert.Empty(open.Problems);
    }
}
