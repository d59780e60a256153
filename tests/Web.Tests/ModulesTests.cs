namespace Apm.Web.Tests;

/// <summary>Modules without a document, in Node.</summary>
public sealed class ModulesTests
{
    [Fact]
    public async Task ParseRange_OfWhatPeopleType_IsUnderstood()
    {
        var script = $$"""
            import { parseRange, ticks } from 'file://{{SourceFolder.Web}}/wwwroot/js/time.js';
            const now = Date.UTC(2026, 10, 20, 3, 18);
            for (const [text, zone] of [['past 45m', 'UTC'], ['2 h', 'UTC'], ['last 3 days', 'UTC'], ['30分钟', 'UTC'], ['today', 'UTC'], ['yesterday', 'Europe/Berlin'], ['03:00 – 03:10', 'UTC'], ['10:00-11:30', 'Asia/Shanghai'],
              ['2026-01-31 08:00 to 09:00', 'UTC'], ['2026-01-31', 'UTC'], ['2026-03-29', 'Europe/Berlin'], ['09:00 – 08:00', 'UTC'], ['soon', 'UTC'], ['', 'UTC'], ['25:00 – 26:00', 'UTC']]) {
              const range = parseRange(text, zone, now);
              console.log(`${text} | ${range ? `${range.from} ${range.to}` : 'no'}`);
            }
            console.log(ticks(0, 3600, 6, 'UTC').join(','));
            """;
        Assert.Equal(
            """
            past 45m | now-45m now
            2 h | now-2h now
            last 3 days | now-3d now
            30分钟 | now-30m now
            today | 2026-11-20T00:00:00.000Z now
            yesterday | 2026-11-18T23:00:00.000Z 2026-11-19T23:00:00.000Z
            03:00 – 03:10 | 2026-11-20T03:00:00.000Z 2026-11-20T03:10:00.000Z
            10:00-11:30 | 2026-11-20T02:00:00.000Z 2026-11-20T03:30:00.000Z
            2026-01-31 08:00 to 09:00 | 2026-01-31T08:00:00.000Z 2026-01-31T09:00:00.000Z
            2026-01-31 | 2026-01-31T00:00:00.000Z 2026-02-01T00:00:00.000Z
            2026-03-29 | 2026-03-28T23:00:00.000Z 2026-03-29T22:00:00.000Z
            09:00 – 08:00 | no
            soon | no
             | no
            25:00 – 26:00 | no
            0,600,1200,1800,2400,3000,3600
            """, await Node.RunAsync(script));
    }

    [Fact]
    public async Task ColorHash_InTheBrowser_IsTheServers()
    {
        string[] names = ["payments", "storefront", "结账", ""];
        var script = $"import {{ hash }} from 'file://{SourceFolder.Web}/wwwroot/js/colors.js'; console.log({System.Text.Json.JsonSerializer.Serialize(names)}.map(hash).join(','))";
        Assert.Equal(string.Join(',', names.Select(ServiceColors.Hash)), await Node.RunAsync(script));
    }

    [Fact]
    public void Colors_OfTwelveServices_AreAllDifferentAndStay()
    {
        var colors = new ServiceColors();
        var first = Enumerable.Range(0, 12).Select(i => colors[$"service-{i}"]).ToArray();
        Assert.Equal(12, first.Distinct().Count());
        Assert.Equal(first, Enumerable.Range(0, 12).Select(i => colors[$"service-{i}"]));
        Assert.InRange(colors["one more"], 1, 12);
    }
}
