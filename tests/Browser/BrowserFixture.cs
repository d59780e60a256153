using Apm.TestKit.Processes;
using Microsoft.Playwright;

// One page at a time: the browser and the product share the machine, and what is tested is the pages, not how they bear neighbours.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(Apm.Browser.BrowserFixture))]

namespace Apm.Browser;

/// <summary>One started product with <see cref="ShopTraffic"/> in it, and one Chromium.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    public const string ChromiumPath = "/usr/bin/chromium";

    /// <summary>Longest wait for what is to appear: the machine may be busy with other tests.</summary>
    public const int WaitMs = 30_000;

    private static readonly string NodePath = Environment.GetEnvironmentVariable("PLAYWRIGHT_NODEJS_PATH") ?? "/usr/bin/node";

    private StandaloneProcess? _standalone;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Null when there is no browser: opening a page then skips the test.</summary>
    internal ShopTraffic? Traffic { get; private set; }

    internal StandaloneProcess Standalone => _standalone ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(ChromiumPath) || !File.Exists(NodePath))
        {
            return;
        }
        Environment.SetEnvironmentVariable("PLAYWRIGHT_NODEJS_PATH", NodePath);
        Assertions.SetDefaultExpectTimeout(WaitMs);
        _standalone = await StandaloneProcess.StartAsync();
        Traffic = new ShopTraffic(_standalone.Client);
        await Traffic.SendAsync(TimeProvider.System.GetUtcNow());
        await _standalone.EventuallyAsync(client => client.GetAsync($"api/v1/traces/{Traffic.FailedTraceId}"), response => response.IsSuccessStatusCode);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = ChromiumPath,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    internal void SkipWithoutBrowser()
    {
        if (_browser is null)
        {
            Assert.Skip("Chromium or Node.js is not installed: ./test.sh installs them on Debian as root");
        }
    }

    /// <summary>A page in a context of its own. Errors on its console and failed requests are collected in <see cref="OpenPage.Problems"/>.</summary>
    internal async Task<OpenPage> OpenAsync(string path, string theme = "dark", int width = 1400, int height = 900, string language = "en", StandaloneProcess? from = null)
    {
        SkipWithoutBrowser();
        var address = $"http://localhost:{(from ?? Standalone).Port}";
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = height }, BaseURL = address, TimezoneId = "Europe/Berlin", Permissions = ["clipboard-read", "clipboard-write"],
        });
        await context.AddCookiesAsync([
            new Cookie { Name = "apm-theme", Value = theme, Url = address },
            new Cookie { Name = "apm-lang", Value = language, Url = address },
        ]);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(WaitMs);
        var open = new OpenPage(context, page);
        await page.GotoAsync(path);
        return open;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
        _playwright?.Dispose();
        if (_standalone is not null)
        {
            await _standalone.DisposeAsync();
        }
    }
}

/// <summary>A browser page and what went wrong on it.</summary>
internal sealed class OpenPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;

    public OpenPage(IBrowserContext context, IPage page)
    {
        _context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                Problems.Add(message.Text);
            }
        };
        page.PageError += (_, error) => Problems.Add(error);
        page.Dialog += async (_, dialog) =>
        {
            Problems.Add($"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
            {
                Problems.Add($"{response.Status} {response.Url}");
            }
        };
    }

    public IPage Page { get; }

    public List<string> Problems { get; } = [];

    /// <summary>Keeps a picture of the page in the folder named by APM_SCREENSHOTS, if one is named.</summary>
    public async Task ScreenshotAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("APM_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png") });
        }
    }

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
