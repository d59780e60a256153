using Apm.TestKit.Processes;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Apm.Browser.BrowserFixture))]

namespace Apm.Browser;

/// <summary>One started product with <see cref="ShopTraffic"/> in it, and one Chromium.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    public const string ChromiumPath = "/usr/bin/chromium";

    private StandaloneProcess? _standalone;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    internal ShopTraffic Traffic { get; private set; } = null!;

    internal StandaloneProcess Standalone => _standalone ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(ChromiumPath) || !File.Exists(Environment.GetEnvironmentVariable("PLAYWRIGHT_NODEJS_PATH") ?? "/usr/bin/node"))
        {
            return;
        }
        _standalone = await StandaloneProcess.StartAsync();
        Traffic = new ShopTraffic(_standalone.Client);
        await Traffic.SendAsync(DateTimeOffset.UtcNow);
        await _standalone.EventuallyAsync(client => client.GetAsync($"api/v1/traces/{Traffic.FailedTraceId}"), response => response.IsSuccessStatusCode);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = ChromiumPath,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    /// <summary>A page in a context of its own. Errors on its console and failed requests are collected in <see cref="OpenPage.Problems"/>.</summary>
    internal async Task<OpenPage> OpenAsync(string path, string theme = "dark", int width = 1400, int height = 900, string language = "en")
    {
        if (_browser is null)
        {
            Assert.Skip("Chromium or Node.js is not installed: ./test.sh installs them on Debian as root");
        }
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = width, Height = height }, BaseURL = $"http://localhost:{Standalone.Port}", TimezoneId = "Europe/Berlin" });
        await context.AddCookiesAsync([
            new Cookie { Name = "apm-theme", Value = theme, Url = $"http://localhost:{Standalone.Port}" },
            new Cookie { Name = "apm-lang", Value = language, Url = $"http://localhost:{Standalone.Port}" },
        ]);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(30_000);
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

    public async ValueTask DisposeAsync() => await _context.DisposeAsync();
}
