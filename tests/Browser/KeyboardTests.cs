using System.Text.RegularExpressions;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>From the list of services into the details of a span that failed, without a mouse.</summary>
public sealed class KeyboardTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Keys_FromServices_ReachDetailsOfAFailedSpan()
    {
        await using var open = await fixture.OpenAsync("/services");
        var page = open.Page;
        var keys = page.Keyboard;
        await Expect(page.Locator("main tbody tr").First).ToBeVisibleAsync();

        await keys.PressAsync("t");
        await page.WaitForURLAsync("**/traces*");
        await Expect(page.Locator("main tbody tr a").First).ToBeAttachedAsync();

        await keys.PressAsync("/");
        var filter = page.Locator(".filter input.text").First;
        await Expect(filter).ToBeFocusedAsync();
        var options = page.Locator("#filter-pop [role=option]");
        await keys.TypeAsync("card.netw", new() { Delay = 60 }); // as fast as people type
        await Expect(options.First).ToContainTextAsync("card.network");
        await keys.PressAsync("ArrowDown");
        await keys.PressAsync("Enter");
        await Expect(filter).ToHaveValueAsync("span.card.network ");
        await keys.TypeAsync("= ");
        var amex = options.Filter(new() { HasText = "amex" });
        await Expect(amex).ToBeVisibleAsync();
        for (var i = 0; i < 3 && await amex.GetAttributeAsync("aria-selected") != "true"; i++)
        {
            await keys.PressAsync("ArrowDown");
        }
        await keys.PressAsync("Enter");
        await keys.PressAsync("Enter");
        await page.WaitForURLAsync(new Regex("q=.*card\\.network.*amex"));
        await Expect(page.Locator(".filter .chip")).ToHaveCountAsync(1);
        await Expect(page.Locator("main tbody tr").First).ToContainTextAsync("POST /checkout");

        await keys.PressAsync("Escape");
        await keys.PressAsync("j");
        await Expect(page.Locator("main tbody tr a").First).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await page.WaitForURLAsync(new Regex("/traces/[0-9a-f]{32}"));
        var drawer = page.Locator("aside.drawer");
        await Expect(drawer).ToContainTextAsync("card.network");

        await keys.PressAsync("Escape");
        await Expect(drawer).ToBeHiddenAsync();
        await keys.PressAsync("e");
        await Expect(page.Locator(".ln.on .er")).ToBeVisibleAsync();
        await keys.PressAsync("Enter");
        await Expect(drawer).ToBeVisibleAsync();
        await keys.PressAsync("Escape");
        await Expect(drawer).ToBeHiddenAsync();
        Assert.Empty(open.Problems);
    }
}
