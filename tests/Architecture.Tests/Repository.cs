using System.Runtime.CompilerServices;

namespace Apm.Architecture.Tests;

/// <summary>The working copy these tests look at.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        for (var directory = Path.GetDirectoryName(thisFile); directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Apm.sln")))
            {
                return directory;
            }
        }
        throw new InvalidOperationException($"no Apm.sln above {thisFile}");
    }

    /// <summary>Files below the root, '/'-separated and relative to it, without build output and packages.</summary>
    public static IEnumerable<string> Files(string pattern) =>
        Directory.EnumerateFiles(Root, pattern, SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj" or "node_modules" or ".git" or ".test" or "TestResults"));
}
