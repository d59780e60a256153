using System.Diagnostics;
using System.Globalization;
using Apm.TestKit.Processes;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Apm.Browser;

public sealed class LargeTraceTests(BrowserFixture fixture)
{
    private const int Spans = 100_000;

    /// <summary>Longest wait for the first rows: a product built for debugging, on a machine busy with other tests. Alone it takes a few seconds.</summary>
    private const int OpenMs = 60_000;

    /// <summary>Scrolls a screen a frame and answers the time of the frame in the middle of all, in milliseconds.</summary>
    private const string Scroll = """
        () => new Promise(done => {
          const times = [];
          let last = performance.now();
          const step = now => {
            times.push(now - last);
            last = now;
            if (times.length > 60) return done(times.sort((a, b) => a - b)[30]);
            scrollBy(0, 300);
            requestAnimationFrame(step);
          };
          requestAnimationFrame(step);
        })
        """;

    [Fact]
    public async Task Trace_OfAHundredThousandSpans_OpensAndScrolls()
    {
        fixture.SkipWithoutBrowser();
        await using var standalone = await StandaloneProcess.StartAsync();
        var traceId = await new ShopTraffic(standalone.Client).SendLargeTraceAsync(TimeProvider.System.GetUtcNow(), Spans);
        await standalone.EventuallyAsync(
            client => client.GetStringAsync($"api/v1/traces?from=now-1h&q=trace:id%20%3D%20%22{traceId}%22&limit=1", TestContext.Current.CancellationToken),
            text => text.Contains("\"spanCount\":100000", StringComparison.Ordinal),
            TimeSpan.FromSeconds(60));
        var watch = Stopwatch.StartNew();
        await using var open = await fixture.OpenAsync($"/traces/{traceId}", from: standalone);
        var page = open.Page;
        await Expect(page.Locator(".ln:visible").First).ToBeVisibleAsync(new() { Timeout = OpenMs });
        var opened = watch.Elapsed;
        await Expect(page.Locator(".head .sub")).ToContainTextAsync("100,000 spans");
        await page.GetByRole(AriaRole.Button, new() { Name = "Expand" }).ClickAsync();
        await Expect(page.Locator($"[aria-rowcount='{Spans}']")).ToBeVisibleAsync();
        var frame = await page.EvaluateAsync<double>(Scroll);
        await page.EvaluateAsync("() => scrollTo(0, document.documentElement.scrollHeight)");
        await Expect(page.Locator($".ln:visible[aria-rowindex='{Spans}']")).ToBeVisibleAsync();
        await open.ScreenshotAsync("trace-large");
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{Spans} spans: first rows after {opened.TotalSeconds:0.0} s, a frame of scrolling takes {frame:0.0} ms"));
        Assert.Empty(open.Problems);
    }
}
