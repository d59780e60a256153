namespace Apm.Query.Tests.Jaeger;

/// <summary>Expected answers as files beside the tests; with APM_WRITE_GOLDEN=1 they are written anew, to be read before they are kept.</summary>
internal static class GoldenFile
{
    public static void Equal(string name, string actual)
    {
        var path = Path.Combine(Folder(), name + ".json");
        if (Environment.GetEnvironmentVariable("APM_WRITE_GOLDEN") == "1")
        {
            File.WriteAllText(path, actual + "\n");
        }
        Assert.Equal(File.ReadAllText(path).ReplaceLineEndings("\n").TrimEnd('\n'), actual);
    }

    private static string Folder()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Apm.sln")))
            {
                return Path.Combine(directory, "tests", "Query.Tests", "Jaeger", "Golden");
            }
        }
        throw new InvalidOperationException("no Apm.sln above the tests");
    }
}
