using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>What every page has: theme, language, jump, range, link, filter.</summary>
public sealed class ShellTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Theme_Toggled_StaysAfterReload()
    {
        await using var open = await OpenAsync();
        var html = open.Page.Locator("html");
        await open.Page.Locator("[data-action=theme]").ClickAsync();
        await Expect(html).ToHaveAttributeAsync("data-theme", "light");
        await open.Page.ReloadAsync();
        await Expect(html).ToHaveAttributeAsync("data-theme", "light");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Language_Switched_IsChineseAndBack()
    {
        await using var open = await OpenAsync();
        var action = open.Page.Locator("[data-action=language]");
        await action.ClickAsync();
        await Expect(open.Page.Locator("h1")).ToHaveTextAsync("服务");
        await action.ClickAsync();
        await Expect(open.Page.Locator("h1")).ToHaveTextAsync("Services");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Palette_LettersOfAService_JumpsToIt()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        await page.Keyboard.PressAsync("Control+k");
        await Expect(page.Locator("dialog.palette .palette-item", new() { HasText = "payments" }).First).ToBeVisibleAsync();
        await page.Keyboard.TypeAsync("paym");
        await Expect(page.Locator("dialog.palette [aria-selected=true]")).ToContainTextAsync("payments");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**/services/payments*");
        await Expect(page.Locator("h1")).ToHaveTextAsync("payments");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Range_Typed_IsInTheUrlAndNamed()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        await page.Keyboard.PressAsync("d");
        var text = page.Locator("#range-text");
        await text.ClickAsync();
        await page.Keyboard.TypeAsync("past 45m");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**from=now-45m*");
        await Expect(page.Locator("[data-pop=range-pop]")).ToContainTextAsync("45 min");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task CopyLink_OfARelativeRange_HasItsTimesFrozen()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        await page.Locator("[data-action=copy-link]").ClickAsync();
        await Expect(page.Locator("#toasts")).ToContainTextAsync("Link copied");
        Assert.Matches(@"/services\?from=20\d\d-.*&to=20\d\d-", await page.EvaluateAsync<string>("() => navigator.clipboard.readText()"));
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Filter_ThatCannotBeRead_SaysWhere()
    {
        await using var open = await OpenAsync();
        var page = open.Page;
        var filter = page.Locator(".filter input.text").First;
        await filter.ClickAsync();
        await page.Keyboard.TypeAsync("duration > > 1s", new() { Delay = 40 });
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("#filter-pop .err")).ToContainTextAsync("Column 12");
        Assert.DoesNotContain("q=", page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Filter_OfALinkThatCannotBeRead_IsToldOnThePage()
    {
        await using var open = await fixture.OpenAsync("/services?q=duration%20%3E%20%3E%201s");
        await Expect(open.Page.Locator(".banner.bad[role=alert]")).ToContainTextAsync("12");
        await Expect(open.Page.GetByRole(AriaRole.Link, new() { Name = "Clear the filter" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Page_ThatDoesNotExist_SaysSo()
    {
        await using var open = await fixture.OpenAsync("/nowhere");
        await Expect(open.Page.Locator("h1, h2").First).ToBeVisibleAsync();
        Assert.Contains(open.Problems, problem => problem.StartsWith("404 ", StringComparison.Ordinal));
    }

    private async Task<OpenPage> OpenAsync()
    {
        var open = await fixture.OpenAsync("/services");
        await Expect(open.Page.Locator("main tbody tr").First).ToBeVisibleAsync();
        return open;
    }
}
