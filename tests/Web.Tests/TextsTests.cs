using System.Text.RegularExpressions;

namespace Apm.Web.Tests;

public sealed partial class TextsTests
{
    private static readonly TextCatalog Catalog = new();

    [Fact]
    public void Chinese_HasEveryKey_WithTheSamePlaces()
    {
        var folder = Path.Combine(SourceFolder.Web, "Resources");
        foreach (var path in Directory.EnumerateFiles(folder, "*.resx").Where(path => !path.Contains(".zh-Hans.", StringComparison.Ordinal)))
        {
            var english = Read(path);
            var chinese = Read(path.Replace(".resx", ".zh-Hans.resx", StringComparison.Ordinal));
            Assert.Equal(english.Keys.Order(StringComparer.Ordinal), chinese.Keys.Order(StringComparer.Ordinal));
            Assert.All(english, text => Assert.StartsWith(Path.GetFileNameWithoutExtension(path) + ".", text.Key, StringComparison.Ordinal));
            Assert.All(english, text => Assert.Equal(Places(text.Value), Places(chinese[text.Key])));
        }
    }

    [Fact]
    public void Texts_AreInTheAssembly()
    {
        Assert.True(Catalog.Texts(Language.English).Count > 150);
        Assert.Equal("日志", Catalog.Texts(Language.Chinese)["Shell.Logs"]);
    }

    [Fact]
    public async Task Keys_NamedInSources_Exist()
    {
        var texts = Catalog.Texts(Language.English);
        var sets = texts.Keys.Select(key => key.Split('.')[0]).Distinct().ToArray();
        var missing = new List<string>();
        foreach (var (path, text) in await SourcesAsync())
        {
            foreach (Match match in Key().Matches(text))
            {
                var key = match.Groups[1].Value;
                if (!sets.Contains(key.Split('.')[0]) || key.EndsWith('.') || key.EndsWith(".js", StringComparison.Ordinal))
                    continue;
                if (!texts.ContainsKey(key) && !texts.ContainsKey(key + ".One") && !texts.Keys.Any(other => other.StartsWith(key + ".", StringComparison.Ordinal)))
                    missing.Add($"{Path.GetFileName(path)}: {key}");
            }
        }
        Assert.Empty(missing);
    }

    [Fact]
    public async Task Keys_InResources_AreUsed()
    {
        var all = string.Join('\n', (await SourcesAsync()).Select(source => source.Text));
        var unused = Catalog.Texts(Language.English).Keys.Where(key => !IsUsed(key, all)).Order(StringComparer.Ordinal);
        Assert.Empty(unused);
    }

    [Theory]
    [InlineData(1, "1 service")]
    [InlineData(0, "0 services")]
    [InlineData(1284, "1,284 services")]
    public void Count_OfThings_IsSingularForOne(long count, string expected) =>
        Assert.Equal(expected, new Texts(Catalog.Texts(Language.English)).Count("Services.Count", count));

    /// <summary>A key is used by its name, or by its beginning where the rest is computed ("Shell.Error." + failure).</summary>
    private static bool IsUsed(string key, string sources)
    {
        for (var name = key; ; name = name[..name.LastIndexOf('.')])
        {
            var isWhole = name == key || key == name + ".One" || key == name + ".Other";
            if (isWhole ? Regex.IsMatch(sources, $"[\"'`]{Regex.Escape(name)}[\"'`]") : sources.Contains($"{name}.\"", StringComparison.Ordinal) || sources.Contains($"{name}.$", StringComparison.Ordinal) || sources.Contains($"{name}.' ", StringComparison.Ordinal))
                return true;
            if (!name.Contains('.', StringComparison.Ordinal))
                return sources.Contains($"`{name}.$", StringComparison.Ordinal) && key.Count(c => c == '.') == 1;
        }
    }

    private static async Task<List<(string Path, string Text)>> SourcesAsync()
    {
        var found = new List<(string, string)>();
        foreach (var path in Directory.EnumerateFiles(SourceFolder.Web, "*.*", SearchOption.AllDirectories))
        {
            if (Path.GetExtension(path) is ".razor" or ".js" or ".cs" && !path.Replace('\\', '/').Split('/').Any(part => part is "obj" or "bin" or "node_modules" or "lib"))
                found.Add((path, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)));
        }
        return found;
    }

    private static Dictionary<string, string> Read(string path) =>
        System.Xml.Linq.XDocument.Load(path).Root!.Elements("data").ToDictionary(data => (string)data.Attribute("name")!, data => data.Element("value")!.Value, StringComparer.Ordinal);

    private static IEnumerable<string> Places(string text) => Place().Matches(text).Select(match => match.Value).Distinct().Order(StringComparer.Ordinal);

    [GeneratedRegex("""["'`]([A-Z][A-Za-z]+(?:\.[A-Za-z]+)+)["'`]""")]
    private static partial Regex Key();

    [GeneratedRegex(@"\{\d\}")]
    private static partial Regex Place();
}
