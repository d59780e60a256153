using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>A reader quicker than the page's scripts and their answers: what is pressed while they are on their way is not lost.</summary>
public sealed class EarlyKeysTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Key_BeforeTheShell_GoesToItsPage()
    {
        await using var open = await fixture.OpenAsync("/settings");
        var page = open.Page;
        var script = await HoldAsync(page, "**/js/shell.js");
        await page.GotoAsync("/services", new() { WaitUntil = WaitUntilState.Commit });
        await Expect(page.Locator("main h1")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("t");
        script.SetResult();
        await page.WaitForURLAsync("**/traces*");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Slash_BeforeTheFilterBar_CompletesWhatIsTyped()
    {
        await using var open = await fixture.OpenAsync("/settings");
        var page = open.Page;
        var script = await HoldAsync(page, "**/js/filter.js");
        await page.GotoAsync("/services", new() { WaitUntil = WaitUntilState.Commit });
        await Expect(page.Locator("main h1")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("card.netw");
        await Expect(page.Locator(".filter input.text")).ToHaveValueAsync("card.netw");
        script.SetResult();
        await Expect(page.Locator("#filter-pop [role=option]").First).ToContainTextAsync("card.network");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Key_BeforeThePagesModule_IsHeardByIt()
    {
        await using var open = await fixture.OpenAsync("/settings");
        var page = open.Page;
        var script = await HoldAsync(page, "**/js/topology.js");
        await page.GotoAsync("/topology?sel=service%3Apayments", new() { WaitUntil = WaitUntilState.Commit });
        await Expect(page.Locator("html.js")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("n");
        script.SetResult();
        await page.WaitForURLAsync("**of=service%3Apayments*");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task FilterBar_AfterNavigation_RunsOnce()
    {
        await using var open = await fixture.OpenAsync("/services");
        var page = open.Page;
        await Expect(page.Locator("main tbody tr").First).ToBeVisibleAsync();
        foreach (var key in (string[])["t", "l", "t"])
        {
            await page.Keyboard.PressAsync(key);
            await page.WaitForURLAsync(key == "t" ? "**/traces*" : "**/logs*");
        }
        var asked = 0;
        page.Request += (_, request) => asked += request.Url.Contains("filter/parse", StringComparison.Ordinal) ? 1 : 0;
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator(".filter input.text")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("duration > 1s", new() { Delay = 30 });
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".filter .chip")).ToHaveCountAsync(1);
        Assert.Equal(1, asked);
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Arrow_BeforeTheLastAnswer_StaysOnItsItem()
    {
        await using var open = await fixture.OpenAsync("/traces");
        var page = open.Page;
        await Expect(page.Locator("main tbody tr").First).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator(".filter input.text")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("card.net");
        var first = page.Locator("#filter-pop [role=option]").First;
        await Expect(first).ToContainTextAsync("card.network");
        var late = page.WaitForRequestAsync("**/filter/complete?q=card.netw&**");
        var answer = await HoldAsync(page, "**/filter/complete?q=card.netw&**");
        await page.Keyboard.TypeAsync("w");
        var request = await late;
        await page.Keyboard.PressAsync("ArrowDown");
        await Expect(first).ToHaveAttributeAsync("aria-selected", "true");
        await first.EvaluateAsync("item => item.dataset.old = 'yes'");
        answer.SetResult();
        await request.ResponseAsync();
        await Expect(first).Not.ToHaveAttributeAsync("data-old", "yes");
        await Expect(first).ToHaveAttributeAsync("aria-selected", "true");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".filter input.text")).ToHaveValueAsync("span.card.network ");
        Assert.Empty(open.Problems);
    }

    /// <summary>What is asked for arrives when the result is set.</summary>
    private static async Task<TaskCompletionSource> HoldAsync(IPage page, string address)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await page.RouteAsync(address, async route =>
        {
            await held.Task;
            await route.ContinueAsync();
        });
        return held;
    }
}
