using System.Net;
using System.Text.RegularExpressions;
using AngleSharp.Dom;

namespace Apm.Web.Tests;

/// <summary>Each page in each of its states, as a browser gets it.</summary>
public sealed partial class PagesTests
{
    public static readonly string[] Pages = ["/services", "/services/payments", "/logs", "/topology", "/settings", "/settings/storage"];

    public static TheoryData<string> All => [.. Pages];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Page_OfTheStory_HasHeadingsNamesAndNoMissingText(string path)
    {
        await using var host = await WebHost.StartAsync();
        var (page, response) = await host.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Single(page.QuerySelectorAll("main h1"));
        Assert.EndsWith("· Apm", page.Title);
        Assert.Empty(page.QuerySelectorAll("main .banner[role=alert]"));
        foreach (var code in page.QuerySelectorAll("pre, script, [data-copy]").ToArray())
            code.Remove();
        Assert.DoesNotMatch(MissingText(), page.Body!.TextContent);
        Assert.All(page.QuerySelectorAll("button, a"), control => Assert.False(
            control.TextContent.Trim().Length == 0 && control.GetAttribute("aria-label") is null, control.OuterHtml));
        Assert.All(page.QuerySelectorAll("main input"), input => Assert.True(
            input.GetAttribute("type") == "hidden" || input.HasAttribute("aria-label") || input.Closest("label") is not null || page.QuerySelector($"label[for='{input.Id}']") is not null, input.OuterHtml));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Page_WhileItsQueriesRun_ShowsSkeletons(string path)
    {
        await using var host = await WebHost.StartAsync();
        var html = await host.Client.GetStringAsync(path, TestContext.Current.CancellationToken);
        var first = html[..html.IndexOf("<blazor-ssr>", StringComparison.Ordinal)];
        Assert.Contains("class=\"skeleton\"", first, StringComparison.Ordinal);
        Assert.Contains("<h1", first, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/services", "No service sent spans")]
    [InlineData("/services/payments", "No requests to payments")]
    [InlineData("/logs", "No logs in this range")]
    [InlineData("/topology", "No service sent spans")]
    [InlineData("/settings", "Nothing has come in yet")]
    [InlineData("/settings", "New data is refused. The disk of the data directory has 4.2 GB free")]
    [InlineData("/settings/storage", "Nothing is stored yet")]
    [InlineData("/settings/storage", "New data is refused. The disk of the data directory has 4.2 GB free")]
    public async Task Page_WithoutData_SaysWhatToDoNext(string path, string expected)
    {
        await using var host = await WebHost.StartAsync(FakeMode.Empty);
        var (page, _) = await host.GetAsync(path);
        Assert.Contains(expected, page.QuerySelector("main")!.TextContent, StringComparison.Ordinal);
        if (path is "/services" or "/logs" or "/topology")
        {
            Assert.Contains("http://127.0.0.1:4318", page.QuerySelector(".send")!.TextContent, StringComparison.Ordinal);
            Assert.NotNull(page.QuerySelector("[data-module='js/waiting.js']"));
        }
    }

    [Theory]
    [InlineData("/services", "4,321 requests to services beyond the 8 with the most|There are more versions|missing among the peers")]
    [InlineData("/services?env=production", "There are more versions")]
    [InlineData("/services/payments", "4,321 spans of operations beyond the 3|what is beyond these 5 is missing")]
    [InlineData("/topology", "what is beyond these 5 is missing|4,321 requests to services")]
    public async Task Page_MoreThanIsToldApart_SaysWhatIsNotListed(string path, string expected)
    {
        await using var host = await WebHost.StartAsync(FakeMode.Capped);
        var (page, _) = await host.GetAsync(path);
        var notice = string.Concat(page.QuerySelectorAll("main .banner[role=status]").Select(banner => banner.TextContent));
        Assert.All(expected.Split('|'), text => Assert.Contains(text, notice, StringComparison.Ordinal));
        var (chinese, _) = await host.GetAsync(path, language: "zh-CN,zh;q=0.9");
        Assert.Contains("缩短时间范围或添加过滤条件即可区分", string.Concat(chinese.QuerySelectorAll("main .banner[role=status]").Select(banner => banner.TextContent)), StringComparison.Ordinal);
        await using var whole = await WebHost.StartAsync();
        Assert.DoesNotContain((await whole.GetAsync(path)).Page.QuerySelectorAll("main .banner[role=status]"), banner => banner.TextContent.Contains("tells them apart", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(FakeMode.Starting, "The store is starting", "opening 12 parts")]
    [InlineData(FakeMode.BadFilter, "could not be read", "column 12")]
    [InlineData(FakeMode.Failing, "The query failed", "HTTP 500")]
    [InlineData(FakeMode.Garbage, "The query failed", "/api/v1/")]
    public async Task Page_WhoseQueryFails_SaysWhatFailedAndOffersRetry(FakeMode mode, string title, string detail)
    {
        await using var host = await WebHost.StartAsync(mode);
        foreach (var path in Pages)
        {
            var (page, _) = await host.GetAsync(path + "?env=production");
            var alert = page.QuerySelector("main [role=alert]");
            Assert.NotNull(alert);
            Assert.Contains(title, alert.TextContent, StringComparison.Ordinal);
            Assert.Contains(detail, alert.TextContent, StringComparison.Ordinal);
            Assert.Contains(alert.QuerySelectorAll("a"), link => link.GetAttribute("href") == path + "?env=production");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Page_InChinese_HasNoEnglishText(string path)
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync(path, language: "zh-CN,zh;q=0.9");
        Assert.Equal("zh-Hans", page.DocumentElement.GetAttribute("lang"));
        var english = new TextCatalog().Texts(Language.English);
        var chinese = new TextCatalog().Texts(Language.Chinese);
        var translated = english.Where(text => chinese[text.Key] != text.Value && text.Value.Length > 8 && !text.Value.Contains('{')).Select(text => text.Value).ToHashSet();
        var shown = page.Body!.Descendants<IText>().Where(text => text.ParentElement is not { LocalName: "script" or "pre" }).Select(text => text.Data.Trim());
        Assert.DoesNotContain(shown, translated.Contains);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Page_OfHostileNames_ShowsThemAsText(string path)
    {
        await using var host = await WebHost.StartAsync(FakeMode.Hostile);
        var (page, _) = await host.GetAsync(path);
        Assert.Empty(page.QuerySelectorAll("img"));
        Assert.All(page.QuerySelectorAll("*"), element => Assert.DoesNotContain(element.Attributes, attribute => attribute.Name.StartsWith("on", StringComparison.OrdinalIgnoreCase)));
        foreach (var data in page.QuerySelectorAll("script[type='application/json']"))
            using (System.Text.Json.JsonDocument.Parse(data.TextContent))
            {
            }
        if (path is "/services" or "/logs" or "/topology")
            Assert.Contains(FakeQuery.Hostile, page.Body!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Page_OfAHostileUrl_ShowsItAsText()
    {
        await using var host = await WebHost.StartAsync();
        var hostile = Uri.EscapeDataString(FakeQuery.Hostile);
        foreach (var path in new[] { $"/services/{hostile}", $"/logs?q={hostile}&text={hostile}&env={hostile}&trace={hostile}", $"/services?from={hostile}&sort={hostile}&lang={hostile}&theme={hostile}", $"/nothing/{hostile}" })
        {
            var (page, _) = await host.GetAsync(path);
            Assert.Empty(page.QuerySelectorAll("img"));
            Assert.NotNull(page.GetElementById("page-state"));
        }
    }

    [Fact]
    public async Task Services_WithOneFailing_SaysWhyInOneSentence()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/services");
        var sentence = Regex.Replace(page.QuerySelector(".banner.bad")!.QuerySelector(".grow")!.TextContent, @"\s+", " ").Trim();
        Assert.Equal(
            "payments now fails 18.2 % of its requests (was 0.4 %). v2.14.0 was deployed 6 min ago. 31.0 % of its calls to bank API fail with System.TimeoutException, "
            + "mostly for card.network = \"amex\" (100 % of the failing spans, 7.0 % of the others).", sentence);
        Assert.Equal("payments", page.QuerySelector("table[data-export=services] tbody tr td b, table[data-export=services] tbody tr td a")!.TextContent);
        var link = page.QuerySelector(".banner.bad a")!.GetAttribute("href")!;
        Assert.Contains("span.card.network = \"amex\"", Uri.UnescapeDataString(link), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_UnderAnEnvironment_AsksForItsSpansOnly()
    {
        await using var host = await WebHost.StartAsync();
        await host.GetAsync("/services?env=staging");
        Assert.Contains(host.Query.Requests, request => request.StartsWith("/api/v1/spans/red", StringComparison.Ordinal)
            && Uri.UnescapeDataString(request).Contains("resource.deployment.environment.name = \"staging\" && (kind = server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Logs_WithACheckedFacet_KeepsItsOtherValues()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/logs?q=" + Uri.EscapeDataString("(severity = error || severity = warn) && log.card.network = \"amex\""));
        Assert.Equal(["error", "warn", "amex"], page.QuerySelectorAll(".facets input[checked]").Select(input => input.GetAttribute("value")));
        Assert.Contains(host.Query.Requests, request => Uri.UnescapeDataString(request) is var text && text.StartsWith("/api/v1/logs/facets", StringComparison.Ordinal)
            && text.Contains("q=log.card.network = \"amex\"&", StringComparison.Ordinal) && text.EndsWith("field=severity", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Storage_OfTheStory_SaysWhatIsKeptAndWhatIsDamaged()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/settings/storage");
        string[] Rows(string table) => [.. page.QuerySelectorAll($"table[data-export={table}] tbody tr").Select(row => Regex.Replace(string.Join(" | ", row.Children.Select(cell => cell.TextContent.Trim())), @"\s+", " "))];
        Assert.Equal(["spans | in memory | – | 480,000 | 95MiB | 208.3", "spans | 0 | 6 | 4,800,000 | 212MiB | 46.3", "spans | 1 | 3 | 43,200,000 | 1.7GiB | 41.2"], Rows("levels")[..3]);
        Assert.Equal(["spans | all others Retention:Spans:Default | 7 days", "spans | payments | 30 days", "spans | audit | for ever"], Rows("retention")[..3]);
        Assert.Equal(("2026-11-20 | 11M | 458MiB", 5), (Rows("days")[0], Rows("days").Length));
        Assert.Equal(["damaged/00000000000000a4.part | spans | 131,072 | 2 h ago | block 3 at 81920: the checksum does not match"], Rows("damaged"));
        Assert.Contains("2.43×", page.QuerySelector(".store")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("restore the days from a backup", page.QuerySelector("main")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Storage_BeforeTheFirstPart_SaysThatRowsAreInMemory()
    {
        await using var host = await WebHost.StartAsync(FakeMode.Young);
        var (page, _) = await host.GetAsync("/settings/storage");
        var main = Regex.Replace(page.QuerySelector("main")!.TextContent, @"\s+", " ");
        Assert.Contains("all 570,000 rows are in memory, and safe in the journal", main, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing is stored yet", main, StringComparison.Ordinal);
        Assert.DoesNotContain("×", main, StringComparison.Ordinal);
        // Nobody has a time of their own: there are no others.
        Assert.Equal(["spans | all services Retention:Spans:Default | 36 h", "log records | all services Retention:Logs:Default | 36 h"],
            page.QuerySelectorAll("table[data-export=retention] tbody tr").Select(row => Regex.Replace(string.Join(" | ", row.Children.Select(cell => cell.TextContent.Trim())), @"\s+", " ")));
    }

    [Fact]
    public async Task Topology_OfTheStory_ShowsWhereRequestsComeIn()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/topology");
        var entry = page.QuerySelector(".topo-edges tr[data-edge^='entry:']")!;
        Assert.Contains("Outside", entry.TextContent, StringComparison.Ordinal);
        Assert.Contains("8 services, 4 peers", page.QuerySelector("main .sub")!.TextContent, StringComparison.Ordinal);
        Assert.Contains(host.Query.Requests, request => Uri.UnescapeDataString(request).Contains("/spans/red?", StringComparison.Ordinal) && Uri.UnescapeDataString(request).Contains("q=kind = server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_WhoseQueryWasCut_SaysSoAndLeadsToItsPlan()
    {
        await using var host = await WebHost.StartAsync(FakeMode.Cut);
        var (page, _) = await host.GetAsync("/topology?from=now-1h");
        var banner = page.QuerySelector("main .banner.warn")!;
        Assert.Contains("stopped by its limit of time", banner.TextContent, StringComparison.Ordinal);
        Assert.Equal("dependencies?from=1795141080000000000&to=1795144680000000000", banner.QuerySelector("[data-action=plan]")!.GetAttribute("data-query"));
    }

    [Fact]
    public async Task Links_BetweenPages_KeepRangeAndEnvironment()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/services?from=now-3h&env=staging&sort=rate");
        Assert.Equal("/logs?from=now-3h&env=staging", page.QuerySelectorAll(".rail a").Single(link => link.TextContent == "Logs").GetAttribute("href"));
        Assert.Contains("sort=rate", page.QuerySelector(".times .quick a")!.GetAttribute("href"), StringComparison.Ordinal);
        Assert.Equal("/services?from=2026-11-20T00%3A18%3A00.000Z&env=staging&sort=rate&to=2026-11-20T03%3A18%3A00.000Z", page.QuerySelector("[data-action=copy-link]")!.GetAttribute("href"));
    }

    [Fact]
    public async Task Page_OfAWrongRange_SaysSoAndShowsTheDefault()
    {
        await using var host = await WebHost.StartAsync();
        var (page, _) = await host.GetAsync("/services?from=tomorrow-ish");
        Assert.Contains("could not be read", page.QuerySelector("main .banner.warn")!.TextContent, StringComparison.Ordinal);
        Assert.NotEmpty(page.QuerySelectorAll("table[data-export=services] tbody tr"));
    }

    [Fact]
    public async Task Theme_AndLanguage_AreRenderedAndRememberedWithoutScript()
    {
        await using var host = await WebHost.StartAsync();
        var (page, response) = await host.GetAsync("/settings?theme=light&lang=zh");
        Assert.Equal("light", page.DocumentElement.GetAttribute("data-theme"));
        Assert.Equal("zh-Hans", page.DocumentElement.GetAttribute("lang"));
        Assert.Equal(2, response.Headers.GetValues("Set-Cookie").Count());
        var (later, _) = await host.GetAsync("/settings", cookie: "apm-theme=light; apm-lang=zh-Hans; apm-zone=Europe%2FBerlin");
        Assert.Equal("light", later.DocumentElement.GetAttribute("data-theme"));
        Assert.Equal("接收器", later.QuerySelectorAll("h2").Select(heading => heading.TextContent).ElementAt(1));
        Assert.Contains("03:48", later.QuerySelector(".range")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Responses_Always_AllowOwnScriptsOnly()
    {
        await using var host = await WebHost.StartAsync();
        var (page, response) = await host.GetAsync("/services");
        Assert.Contains("script-src 'self';", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.All(page.QuerySelectorAll("script"), script => Assert.True(script.HasAttribute("src") || script.GetAttribute("type") == "application/json", script.OuterHtml));
        Assert.False(response.Headers.Contains("Set-Cookie"));
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
    }

    [Theory]
    [InlineData("GET", "/no/such/page", "text/html")]
    [InlineData("GET", "/api/v1/nothing", "application/problem+json")]
    [InlineData("GET", "/jaeger/api/nothing", "application/problem+json")]
    [InlineData("POST", "/v1/trace", "application/problem+json")]
    public async Task UnknownPath_ByKind_IsAPageOrAProblem(string method, string path, string type)
    {
        await using var host = await WebHost.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType!.MediaType);
    }

    /// <summary>A key where its text should be.</summary>
    [GeneratedRegex(@"\b(Shell|Services|Service|Logs|Topology|Settings)\.[A-Z]\w+")]
    private static partial Regex MissingText();
}
