using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>The map: who calls whom, what flows there, by mouse and by keys.</summary>
public sealed partial class TopologyTests(BrowserFixture fixture)
{
    [Fact]
    public async Task Map_OfTheShop_HasItsServicesAndPeersAndTheCallThatFails()
    {
        await using var open = await fixture.OpenAsync("/topology");
        var page = open.Page;
        foreach (var name in (string[])["storefront", "catalog", "payments", "api.bank.example"])
        {
            await Expect(Node(page, name)).ToBeVisibleAsync();
        }
        // Those outside, who call the storefront, it and payments: the failure comes up to them.
        await Expect(page.Locator(".topo-svg [data-node='entry:']")).ToContainTextAsync("Outside");
        await Expect(page.Locator(".topo-svg .hd").First).ToHaveTextAsync("Entry");
        await Expect(page.Locator(".topo-svg .ed.bad")).ToHaveCountAsync(3);
        await Expect(page.Locator(".topo-svg .lb.bad").First).ToBeVisibleAsync();
        await Expect(page.Locator(".topo-side tr.hot")).ToHaveCountAsync(3);
        await Expect(page.Locator("main .head .bad")).ToHaveTextAsync("1 failing path");
        await Expect(page.Locator(".topo-edges tbody tr")).ToHaveCountAsync(await page.Locator(".topo-svg .ed").CountAsync());
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Edge_Chosen_SaysWhatFlowsThereAndIsInTheUrl()
    {
        await using var open = await fixture.OpenAsync("/topology");
        var page = open.Page;
        var panel = page.Locator(".topo-side");
        await panel.Locator("tr.hot button").First.ClickAsync();
        await Expect(panel).ToContainTextAsync("The failure begins here");
        await Expect(panel).ToContainTextAsync("card.network");
        await Expect(panel.Locator("tr.hot", new() { HasText = "amex" })).ToBeVisibleAsync();
        await Expect(panel.Locator("canvas")).ToBeVisibleAsync();
        Assert.Matches(Selected(), page.Url);
        await page.ReloadAsync();
        await Expect(panel).ToContainTextAsync("The failure begins here");
        await panel.Locator("[data-ways=traces]").ClickAsync();
        await page.WaitForURLAsync(new Regex("/traces\\?.*api\\.bank\\.example"));
        await Expect(page.Locator("main tbody tr").First).ToContainTextAsync("POST /checkout");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Keys_OnTheMap_MoveOpenAndCloseUp()
    {
        await using var open = await fixture.OpenAsync("/services");
        var page = open.Page;
        var keys = page.Keyboard;
        await Expect(page.Locator("main tbody tr").First).ToBeVisibleAsync();
        await keys.PressAsync("m");
        await page.WaitForURLAsync("**/topology*");
        await Expect(Node(page, "storefront")).ToBeVisibleAsync();
        await Node(page, "storefront").FocusAsync();
        await keys.PressAsync("ArrowRight");
        await Expect(Node(page, "storefront")).Not.ToBeFocusedAsync();
        await keys.PressAsync("ArrowLeft");
        await Expect(Node(page, "storefront")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(page.Locator(".topo-side")).ToContainTextAsync("GET /products/{sku}");
        await keys.PressAsync("n");
        await page.WaitForURLAsync(new Regex("of=service%3Astorefront"));
        await Expect(Node(page, "api.bank.example")).ToHaveCountAsync(0);
        await Expect(page.Locator(".topo-edges tbody tr:visible")).ToHaveCountAsync(await page.Locator(".topo-svg .ed").CountAsync());
        await keys.PressAsync("Escape");
        await Expect(page.Locator(".topo-side h2").First).ToHaveTextAsync("Unhealthy calls");
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Map_RefreshedOrNarrowedAndBack_KeepsItsNodesInPlace()
    {
        await using var open = await fixture.OpenAsync("/topology");
        var page = open.Page;
        await Expect(Node(page, "payments")).ToBeVisibleAsync();
        var before = await PlacesAsync(page);
        var refreshed = page.WaitForResponseAsync(response => response.Url.Contains("/topology", StringComparison.Ordinal));
        await page.Locator("main h1").ClickAsync();
        await page.Keyboard.PressAsync("r");
        await refreshed;
        await Expect(page.Locator("html.refreshing")).ToHaveCountAsync(0);
        Assert.Equal(before, await PlacesAsync(page));
        await page.GetByRole(AriaRole.Link, new() { Name = "Unhealthy 3" }).ClickAsync();
        await Expect(Node(page, "catalog")).ToHaveCountAsync(0);
        Assert.Contains("show=bad", page.Url, StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Link, new() { Name = "All", Exact = true }).ClickAsync();
        await Expect(Node(page, "catalog").First).ToBeVisibleAsync();
        Assert.Equal(before, await PlacesAsync(page));
        Assert.Empty(open.Problems);
    }

    [Fact]
    public async Task Find_LettersOfAName_SelectsTheNode()
    {
        await using var open = await fixture.OpenAsync("/topology");
        var page = open.Page;
        await Expect(Node(page, "payments")).ToBeVisibleAsync();
        await page.Locator(".topo-tools input").FillAsync("bank");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".topo-side")).ToContainTextAsync("Called by");
        await Expect(page.Locator(".topo-side b").First).ToHaveTextAsync("api.bank.example");
        Assert.Empty(open.Problems);
    }

    private static ILocator Node(IPage page, string name) => page.Locator($".topo-svg [data-node$=':{name}']");

    private static Task<string> PlacesAsync(IPage page) =>
        page.EvaluateAsync<string>("() => [...document.querySelectorAll('.topo-svg [data-node]')].map(n => n.dataset.node + ' ' + n.getAttribute('transform')).sort().join('\\n')");

    [GeneratedRegex("sel=service%3Apayments")]
    private static partial Regex Selected();
}
