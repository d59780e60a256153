using Apm.TestKit.Processes;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>What a service sends is text: a name that is markup is shown, not run.</summary>
public sealed class HostileNamesTests(BrowserFixture fixture)
{
    private const string Name = "<img src=x onerror=alert(1)>";

    [Fact]
    public async Task MarkupInNames_OnEveryPage_IsText()
    {
        fixture.SkipWithoutBrowser();
        await using var standalone = await StandaloneProcess.StartAsync();
        var traceId = await new ShopTraffic(standalone.Client).SendSpanAsync(TimeProvider.System.GetUtcNow(), Name, Name);
        await standalone.EventuallyAsync(client => client.GetAsync($"api/v1/traces/{traceId}", TestContext.Current.CancellationToken), response => response.IsSuccessStatusCode);
        await using var open = await fixture.OpenAsync("/services", from: standalone);
        var page = open.Page;
        foreach (var path in (string[])["/services", $"/services/{Uri.EscapeDataString(Name)}", "/traces", $"/traces/{traceId}", "/logs"])
        {
            await page.GotoAsync(path);
            await Expect(page.Locator("main").GetByText(Name).Locator("visible=true").First).ToBeVisibleAsync();
            await Expect(page.Locator("img")).ToHaveCountAsync(0);
        }
        await page.GotoAsync($"/traces/{traceId}");
        await page.Locator(".ln code").First.ClickAsync();
        await Expect(page.Locator("aside.drawer")).ToContainTextAsync("a hostile key");
        await page.GotoAsync("/logs");
        await page.Locator(".log .line").First.ClickAsync();
        await Expect(page.Locator(".log .more")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Control+k");
        await Expect(page.Locator(".palette-item", new() { HasText = Name }).First).ToBeVisibleAsync();
        await Expect(page.Locator("img")).ToHaveCountAsync(0);
        Assert.Empty(open.Problems);
    }
}
