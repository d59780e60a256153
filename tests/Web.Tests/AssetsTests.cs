using System.Net;
using System.Text.RegularExpressions;

namespace Apm.Web.Tests;

public sealed partial class AssetsTests
{
    [Fact]
    public async Task Asset_ByItsFingerprint_IsKeptForGoodAndAnswers304()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/settings");
        var url = page.QuerySelector("script[type=module]")!.GetAttribute("src")!;
        var cancellation = TestContext.Current.CancellationToken;
        using var first = await host.Client.GetAsync(url, cancellation);
        Assert.Equal("text/javascript", first.Content.Headers.ContentType!.MediaType);
        Assert.Contains("immutable", first.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        using var again = new HttpRequestMessage(HttpMethod.Get, url);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await host.Client.SendAsync(again, cancellation);
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        using var old = await host.Client.GetAsync("/assets/0000000000000000/js/shell.js", cancellation);
        Assert.Equal("no-cache", old.Headers.CacheControl!.ToString());
        using var missing = await host.Client.GetAsync(url.Replace("shell.js", "none.js", StringComparison.Ordinal), cancellation);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Asset_ForABrowserWithBrotli_IsCompressed()
    {
        await using var host = await WebHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/assets/x/css/app.css");
        request.Headers.Add("Accept-Encoding", "gzip, br");
        using var response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(["br"], response.Content.Headers.ContentEncoding);
        using var plain = await host.Client.GetAsync("/assets/x/css/app.css", TestContext.Current.CancellationToken);
        Assert.True(response.Content.Headers.ContentLength < plain.Content.Headers.ContentLength / 2);
    }

    /// <summary>Every file that pages, modules and sheets name is there.</summary>
    [Fact]
    public async Task References_InMarkupAndModules_LeadToFiles()
    {
        var files = new Assets(new TextCatalog()).Paths.ToHashSet(StringComparer.Ordinal);
        var wrong = new List<string>();
        var symbols = Symbol().Matches(await File.ReadAllTextAsync(Path.Combine(SourceFolder.Web, "wwwroot", "icons.svg"), TestContext.Current.CancellationToken)).Select(match => match.Groups[1].Value).ToHashSet();
        foreach (var path in Directory.EnumerateFiles(SourceFolder.Web, "*.*", SearchOption.AllDirectories).Where(IsOurs))
        {
            var text = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
            wrong.AddRange(Reference().Matches(text).Select(match => match.Groups[1].Value).Where(name => !files.Contains(name)).Select(name => $"{path}: {name}"));
            wrong.AddRange(Import().Matches(text).Select(match => match.Groups[1].Value).Where(name => !files.Contains("js/" + name)).Select(name => $"{path}: {name}"));
            wrong.AddRange(IconName().Matches(text).Select(match => match.Groups[1].Value).Where(name => !symbols.Contains(name)).Select(name => $"{path}: icon {name}"));
        }
        Assert.Empty(wrong);
    }

    private static bool IsOurs(string path) =>
        Path.GetExtension(path) is ".razor" or ".js" or ".cs" && !path.Replace('\\', '/').Split('/').Any(part => part is "obj" or "bin" or "node_modules" or "lib");

    [GeneratedRegex("""(?:data-module="|Asset\("|")((?:js|css|lib)/[\w.-]+\.(?:js|css))""")]
    private static partial Regex Reference();

    [GeneratedRegex("""from ["']\./([\w.-]+\.js)["']""")]
    private static partial Regex Import();

    [GeneratedRegex("""<symbol id="([\w-]+)" """)]
    private static partial Regex Symbol();

    [GeneratedRegex("""(?:<Icon Name="|\bicon\(["'])([a-z-]+)["']""")]
    private static partial Regex IconName();
}
