using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

public sealed class TraceTests(BrowserFixture fixture)
{
    private const int Spans = 36;
    private const int Queries = 30;

    [Fact]
    public async Task Waterfall_Folded_UnfoldsToRepeatedCallsAndToEachOfThem()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        await Expect(page.Locator(".say .rep")).ToContainTextAsync("30 times");
        await ExpectRowsAsync(page, Spans - Queries);
        var reserve = Row(page, "POST /stock/reserve");
        await Expect(reserve.Locator(".badge")).ToHaveTextAsync("+30");
        await reserve.Locator(".tw").ClickAsync();
        await ExpectRowsAsync(page, Spans - Queries + 1);
        var group = Row(page, "SELECT stock");
        await Expect(group.Locator(".badge")).ToHaveTextAsync("×30");
        await group.Locator(".badge").ClickAsync();
        await ExpectRowsAsync(page, Spans);
        await page.Locator(".ln .tw").First.ClickAsync();
        await ExpectRowsAsync(page, 1);
        await page.Locator(".ln .tw").First.ClickAsync();
        await ExpectRowsAsync(page, Spans);
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Find_Text_CountsItsSpansAndMovesOn()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        await page.Keyboard.PressAsync("f");
        await page.Keyboard.TypeAsync("SELECT stock");
        var count = page.Locator(".find [role=status]");
        await Expect(count).ToHaveTextAsync(new Regex("^1/30$"));
        await page.Keyboard.PressAsync("Enter");
        await Expect(count).ToHaveTextAsync(new Regex("^2/30$"));
        await Expect(page).ToHaveURLAsync(new Regex("find=SELECT"));
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Views_EachInTurn_ShowTheSameTrace()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        await page.GetByRole(AriaRole.Tab, new() { Name = "Flame graph" }).ClickAsync();
        await Expect(page.Locator(".flame canvas")).ToBeVisibleAsync();
        await Expect(page).ToHaveURLAsync(new Regex("tab=flame"));
        await open.ScreenshotAsync("trace-flame");

        await page.GetByRole(AriaRole.Tab, new() { Name = "Table" }).ClickAsync();
        await Expect(page.Locator(".trace tbody tr", new() { HasText = "SELECT stock" })).ToContainTextAsync("30");
        await open.ScreenshotAsync("trace-table");

        await page.GetByRole(AriaRole.Tab, new() { Name = "Logs" }).ClickAsync();
        await Expect(page.Locator(".lgl")).ToHaveCountAsync(2);
        await Expect(page.Locator(".lgl").First).ToContainTextAsync("Bank API did not answer within 2500 ms (amex, attempt 1)");
        await open.ScreenshotAsync("trace-logs");
        await Expect(page).ToHaveURLAsync(new Regex("tab=logs"));
        await page.ReloadAsync();
        await Expect(page.Locator(".lgl")).ToHaveCountAsync(2);
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Drawer_OfAFailedCall_HasItsAttributesAndItsLogs()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        await page.Locator(".ln", new() { HasText = "api.bank.example" }).First.Locator("code").ClickAsync();
        var drawer = page.Locator("aside.drawer");
        await Expect(drawer).ToContainTextAsync("server.address");
        await Expect(drawer).ToContainTextAsync("timeout");
        await Expect(drawer).ToContainTextAsync("Bank API did not answer");
        await Expect(page).ToHaveURLAsync(new Regex("span=[0-9a-f]{16}"));
        await open.ScreenshotAsync("trace-drawer");

        await Row(page, "POST /charge").Locator("code").ClickAsync();
        await Expect(drawer).ToContainTextAsync("BankUnavailableException");
        Assert.Empty(open.Problems);
    }

    private async Task<OpenPage> OpenAsync()
    {
        var open = await fixture.OpenAsync($"/traces/{fixture.Traffic?.FailedTraceId}");
        await Expect(open.Page.Locator(".ln").First).ToBeVisibleAsync();
        return open;
    }

    private static ILocator Row(IPage page, string name) => page.Locator(".ln:visible", new() { Has = page.Locator("code", new() { HasTextRegex = new Regex($"^{Regex.Escape(name)}$") }) });

    private static Task ExpectRowsAsync(IPage page, int count) => Expect(page.Locator("[aria-rowcount]")).ToHaveAttributeAsync("aria-rowcount", $"{count}");
}
