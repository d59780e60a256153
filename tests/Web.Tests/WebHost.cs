using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Web.Tests;

/// <summary>The UI over <see cref="FakeQuery"/> on a loopback port of its own, at a fixed time.</summary>
internal sealed class WebHost : IAsyncDisposable
{
    public static readonly DateTimeOffset StoryTime = new(2026, 11, 20, 3, 18, 0, TimeSpan.Zero);

    private readonly WebApplication _app;

    private WebHost(WebApplication app, FakeQuery query)
    {
        _app = app;
        Query = query;
        Client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(app.Urls.First()) };
    }

    public FakeQuery Query { get; }

    public HttpClient Client { get; }

    public static async Task<WebHost> StartAsync(FakeMode mode = FakeMode.Story, TimeProvider? time = null, int port = 0, Action<WebOptions>? configure = null, string? sourceFolder = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Environment.EnvironmentName = "Production";
        builder.Logging.ClearProviders().AddConsole().SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Services.AddSingleton(time ?? new FakeTimeProvider(StoryTime));
        builder.Services.AddWeb(configure);
        builder.Services.AddProblemDetails();
        var app = builder.Build();
        var query = new FakeQuery(app.Services.GetRequiredService<TimeProvider>()) { Mode = mode };
        if (sourceFolder is not null)
            ServeFrom(app, sourceFolder);
        query.Map(app);
        app.MapWeb();
        await app.StartAsync();
        return new WebHost(app, query);
    }

    /// <summary>The page after all its parts have streamed in.</summary>
    public async Task<(IDocument Page, HttpResponseMessage Response)> GetAsync(string path, string? cookie = null, string? language = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Accept", "text/html");
        if (cookie is not null)
            request.Headers.Add("Cookie", cookie);
        if (language is not null)
            request.Headers.Add("Accept-Language", language);
        var response = await Client.SendAsync(request);
        var html = await response.Content.ReadAsStringAsync();
        return (Settle(await new HtmlParser().ParseDocumentAsync(html)), response);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    /// <summary>Puts streamed parts where the browser's script would put them.</summary>
    private static IDocument Settle(IDocument page)
    {
        foreach (var template in page.QuerySelectorAll("blazor-ssr > template[blazor-component-id]").ToArray())
        {
            var id = template.GetAttribute("blazor-component-id");
            var start = page.Descendants<IComment>().FirstOrDefault(comment => comment.Data == "bl:" + id);
            var end = page.Descendants<IComment>().FirstOrDefault(comment => comment.Data == "/bl:" + id);
            if (start?.Parent is not { } parent || end is null)
                continue;
            while (start.NextSibling is { } next && next != end)
                parent.RemoveChild(next);
            foreach (var node in ((AngleSharp.Html.Dom.IHtmlTemplateElement)template).Content.ChildNodes.ToArray())
                parent.InsertBefore(page.Import(node), end);
        }
        foreach (var element in page.QuerySelectorAll("blazor-ssr").ToArray())
            element.Remove();
        return page;
    }

    /// <summary>For looking at pages while changing styles and modules: wwwroot from the source, never cached.</summary>
    private static void ServeFrom(WebApplication app, string folder) =>
        app.Use(async (context, next) =>
        {
            var parts = (context.Request.Path.Value ?? "").Split('/', 4);
            var file = parts is ["", "assets", _, var path] ? Path.Combine(folder, "wwwroot", path) : null;
            if (file is null || !File.Exists(file))
            {
                await next(context);
                return;
            }
            context.Response.ContentType = Path.GetExtension(file) switch { ".js" => "text/javascript", ".css" => "text/css", ".svg" => "image/svg+xml", _ => "text/plain" };
            await context.Response.SendFileAsync(file);
        });
}
