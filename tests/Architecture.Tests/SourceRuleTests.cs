using System.Text.RegularExpressions;

namespace Apm.Architecture.Tests;

/// <summary>Review remarks turned into failures.</summary>
public sealed partial class SourceRuleTests
{
    /// <summary>Above this a file is more than one concept; a file that is not starts with a comment that says "One file:" and why.</summary>
    private const int MaxLines = 600;

    /// <summary>Folders inside a project: one for the feature, one below it.</summary>
    private const int MaxDepth = 2;

    private static IEnumerable<string> Sources() => Repository.Files("*.cs").Concat(Repository.Files("*.razor")).Concat(Repository.Files("*.js"))
        .Where(file => !file.Contains("/wwwroot/lib/", StringComparison.Ordinal) && !file.Contains("/wwwroot/_framework/", StringComparison.Ordinal));

    [Fact]
    public void File_OverTheLimit_SaysWhy()
    {
        var tooLong = Sources().Select(file => (file, lines: File.ReadAllLines(Path.Combine(Repository.Root, file))))
            .Where(source => source.lines.Length > MaxLines && !source.lines.Take(5).Any(line => line.Contains("One file:", StringComparison.Ordinal)))
            .Select(source => $"{source.file}: {source.lines.Length} lines");
        Assert.Empty(tooLong);
    }

    [Fact]
    public void Folder_DeeperThanTwo_IsRefused()
    {
        var projects = Repository.Files("*.csproj").Select(file => Path.GetDirectoryName(file)!.Replace('\\', '/') + "/").OrderByDescending(folder => folder.Length).ToArray();
        var tooDeep = Repository.Files("*.cs").Where(file =>
        {
            var project = projects.FirstOrDefault(folder => file.StartsWith(folder, StringComparison.Ordinal));
            return project is not null && file[project.Length..].Count(c => c == '/') > MaxDepth;
        });
        Assert.Empty(tooDeep);
    }

    [Fact]
    public void Interface_OfOneImplementation_IsRefused()
    {
        string[] seams = ["IBufferWriter", "IBufferReader", "ITelemetryStore", "ISpanStore", "ILogStore", "IFileSystem", "IFile"];
        var interfaces = Sources().Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && !file.StartsWith("tests/", StringComparison.Ordinal))
            .SelectMany(file => InterfaceDeclaration().Matches(File.ReadAllText(Path.Combine(Repository.Root, file))).Select(match => (file, name: match.Groups[1].Value)))
            .Where(found => !seams.Contains(found.name)).ToArray();
        var all = Sources().Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && !file.StartsWith("tests/", StringComparison.Ordinal))
            .Select(file => File.ReadAllText(Path.Combine(Repository.Root, file))).ToArray();
        foreach (var (file, name) in interfaces)
        {
            var implementations = all.Sum(text => Regex.Count(text, $@"(class|struct|record)\s+\w+[^\{{;]*:\s[^\{{;]*\b{name}\b"));
            Assert.True(implementations >= 2, $"{file}: {name} has {implementations} implementations; a plain class will do.");
        }
    }

    [Fact]
    public void Catch_ThatSwallows_IsRefused()
    {
        var swallowing = Sources().Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && !file.StartsWith("tests/", StringComparison.Ordinal))
            .Where(file => SwallowingCatch().IsMatch(File.ReadAllText(Path.Combine(Repository.Root, file))));
        Assert.Empty(swallowing);
    }

    [GeneratedRegex(@"^\s*(?:public|internal)\s+(?:partial\s+)?interface\s+(I[A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex InterfaceDeclaration();

    [GeneratedRegex(@"catch\s*(\([^)]*\))?\s*(when\s*\([^{]*\))?\s*\{\s*\}")]
    private static partial Regex SwallowingCatch();
}
