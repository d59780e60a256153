using Apm.TestKit.Processes;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>A product that has just been installed.</summary>
public sealed class FirstDataTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Services_WithoutData_ShowHowToSendAndSwitchWhenTheFirstSpanArrives()
    {
        fixture.SkipWithoutBrowser();
        await using var standalone = await StandaloneProcess.StartAsync();
        await using var open = await fixture.OpenAsync("/services", from: standalone);
        var page = open.Page;
        await Expect(page.Locator(".send .pre").First).ToContainTextAsync($"http://localhost:{standalone.GrpcPort}");
        await Expect(page.Locator("[data-module='js/waiting.js']")).ToBeVisibleAsync();
        await open.ScreenshotAsync("services-empty");
        await new ShopTraffic(standalone.Client).SendSpanAsync(TimeProvider.System.GetUtcNow(), "first", "GET /");
        await Expect(page.Locator("main tbody tr", new() { HasText = "first" })).ToBeVisibleAsync();
        await Expect(page.Locator(".send")).ToHaveCountAsync(0);
        Assert.Empty(open.Problems);
    }
}
