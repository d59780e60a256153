using System.Text.RegularExpressions;
using AngleSharp.Html.Dom;

namespace Apm.Web.Tests.Traces;

public sealed partial class TracePagesTests
{
    [Fact]
    public async Task Traces_WithoutAQuery_HandsItsRangeToTheModule()
    {
        await using var host = await WebHost.StartAsync();
        var (page, response) = await host.GetAsync("/traces");
        Assert.Equal(200, (int)response.StatusCode);
        var module = page.QuerySelector("[data-module='js/traces.js']")!;
        Assert.Equal("1795144680000000000", module.GetAttribute("data-to"));
        Assert.Equal("1795142880000000000", module.GetAttribute("data-from"));
        Assert.Equal("Traces", page.QuerySelector("main h1")!.TextContent);
    }

    [Fact]
    public async Task Traces_ForTheEmptyState_KeepsHowToSendData()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/traces");
        var template = (IHtmlTemplateElement)page.QuerySelector("template[data-traces-empty]")!;
        Assert.NotNull(template.Content.QuerySelector(".send"));
        Assert.Equal("traces", template.Content.QuerySelector("[data-module='js/waiting.js']")!.GetAttribute("data-signal"));
    }

    [Theory]
    [InlineData("/traces/7C1E4F0A9B2D4E6F83A1C05D7BE94210", "7c1e4f0a9b2d4e6f83a1c05d7be94210", "Trace 7c1e4f0a · Apm")]
    [InlineData("/traces/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "<script>alert(1)</script>", "Trace <script> · Apm")]
    public async Task Trace_OfAnId_HandsItToTheModuleAsText(string path, string id, string title)
    {
        await using var host = await WebHost.StartAsync();
        var (page, response) = await host.GetAsync(path);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(id, page.QuerySelector("[data-module='js/trace.js']")!.GetAttribute("data-trace"));
        Assert.Equal(title, page.Title);
    }

    [Fact]
    public async Task Trace_InChinese_IsTitledInChinese()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/traces/7c1e4f0a9b2d4e6f83a1c05d7be94210", language: "zh-CN");
        Assert.Equal("链路 7c1e4f0a · Apm", page.Title);
    }

    /// <summary>Every key that the modules name is a text of both languages; keys made of a part that varies are held by their prefix.</summary>
    [Fact]
    public void Texts_OfTheModules_AreInBothLanguages()
    {
        var catalog = new TextCatalog();
        var missing = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(SourceFolder.Web, "wwwroot", "js"), "trace*.js"))
        {
            foreach (Match match in Key().Matches(File.ReadAllText(file)))
            {
                var key = match.Groups["key"].Value;
                foreach (var language in Language.All)
                {
                    var texts = catalog.Texts(language);
                    var found = key.EndsWith('.') ? texts.Keys.Any(one => one.StartsWith(key, StringComparison.Ordinal)) : texts.ContainsKey(key) || texts.ContainsKey(key + ".Other");
                    if (!found)
                        missing.Add($"{Path.GetFileName(file)}: {key} ({language.Tag})");
                }
            }
        }
        Assert.Empty(missing);
    }

    /// <summary>Data is text: no module of these pages parses markup.</summary>
    [Theory]
    [InlineData("innerHTML")]
    [InlineData("outerHTML")]
    [InlineData("insertAdjacentHTML")]
    [InlineData("document.write")]
    public void Modules_OfTracePages_DoNotParseMarkup(string forbidden) =>
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(SourceFolder.Web, "wwwroot", "js"), "trace*.js"), file => File.ReadAllText(file).Contains(forbidden, StringComparison.Ordinal));

    [GeneratedRegex("""["`](?<key>(?:Trace|Traces|Shell)\.[A-Za-z.]+)""")]
    private static partial Regex Key();
}
