using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

/// <summary>Every page in both themes on a desk and on a phone: no errors, nothing wider than the screen, no text without a translation.</summary>
public sealed partial class PageTests(BrowserFixture fixture)
{
    /// <summary>Stands for the trace of the newest failed checkout, which is known once the traffic is sent.</summary>
    private const string FailedTrace = "/traces/{failed}";

    /// <summary>A path, and a text that is on the page when all of it is there.</summary>
    private static readonly (string Path, string Text)[] Pages =
    [
        ("/services", "catalog"),
        ("/services/payments", "POST /charge"),
        ("/traces", "POST /checkout"),
        (FailedTrace, "api.bank.example"),
        ("/logs", "Bank API did not answer within 2500 ms"),
        ("/topology", "api.bank.example"),
        ("/settings", "OTLP"),
        ("/settings/storage", "Retention:Spans:Default"),
    ];

    public static TheoryData<string, string, string, int, int> InEveryLook()
    {
        var data = new TheoryData<string, string, string, int, int>();
        foreach (var (path, text) in Pages)
        {
            foreach (var theme in (string[])["dark", "light"])
            {
                data.Add(path, text, theme, 1400, 900);
                data.Add(path, text, theme, 390, 844);
            }
        }
        return data;
    }

    public static TheoryData<string, string> EachOnce() => new(Pages);

    [Theory]
    [MemberData(nameof(InEveryLook))]
    public async Task Page_InEveryLook_IsWholeAndFits(string path, string text, string theme, int width, int height)
    {
        await using var open = await fixture.OpenAsync(PathOf(path), theme, width, height);
        await CheckAsync(open, path, text, $"{theme}-{width}");
        Assert.Equal(theme, await open.Page.Locator("html").GetAttributeAsync("data-theme"));
    }

    [Theory]
    [MemberData(nameof(EachOnce))]
    public async Task Page_InChinese_IsWholeAndFits(string path, string text)
    {
        await using var open = await fixture.OpenAsync(PathOf(path), language: "zh-Hans");
        await CheckAsync(open, path, text, "chinese-1400");
        Assert.Matches(Chinese(), await open.Page.Locator("main").InnerTextAsync());
    }

    private string PathOf(string path) => path == FailedTrace ? $"/traces/{fixture.Traffic?.FailedTraceId}" : path;

    private static async Task CheckAsync(OpenPage open, string path, string text, string look)
    {
        var page = open.Page;
        await Expect(page.Locator("main h1").First).ToBeVisibleAsync();
        await Expect(page.Locator("main").GetByText(text).Locator("visible=true").First).ToBeVisibleAsync();
        await Expect(page.Locator("main .sk:visible")).ToHaveCountAsync(0);
        await Expect(page.Locator("html.js")).ToBeVisibleAsync();
        await open.ScreenshotAsync($"{path.Trim('/').Replace('/', '-').Replace("{failed}", "failed", StringComparison.Ordinal)}-{look}");
        var room = await page.EvaluateAsync<int[]>("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]");
        Assert.True(room[0] <= room[1], $"the document is {room[0]} px wide on a screen of {room[1]} px");
        var said = await page.EvaluateAsync<string>(
            "() => [document.title, document.body.innerText, ...[...document.querySelectorAll('[title], [aria-label], [placeholder]')].flatMap(e => ['title', 'aria-label', 'placeholder'].map(a => e.getAttribute(a) ?? ''))].join('\\n')");
        Assert.DoesNotMatch(ResourceKey(), said);
        Assert.DoesNotMatch(Placeholder(), said);
        Assert.Empty(open.Problems);
    }

    [GeneratedRegex(@"(?<![\w.])(?:Shell|Services?|Traces?|Logs|Topology|Settings)\.[A-Z]\w*")]
    private static partial Regex ResourceKey();

    /// <summary>A text with parts that nobody filled in.</summary>
    [GeneratedRegex(@"\{\d\}|\bNaN\b|\bundefined\b|\[object Object\]")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"\p{IsCJKUnifiedIdeographs}{2,}")]
    private static partial Regex Chinese();
}
