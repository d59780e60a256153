using System.Diagnostics;
using System.Text.Json;

namespace Apm.EndToEnd;

/// <summary>Runs the real JavaScript exporters from npm.</summary>
internal static class NodeExporters
{
    private static readonly string Folder = Find();

    public static void SkipWithoutThem()
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules", "@opentelemetry")))
        {
            Assert.Skip("the exporters from npm are not installed: ./test.sh installs them");
        }
    }

    public static async Task<JsonElement> SendAsync(string protocol, string compression, string endpoint)
    {
        var start = new ProcessStartInfo("node") { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "send.mjs", protocol, compression, endpoint })
        {
            start.ArgumentList.Add(argument);
        }
        using var node = Process.Start(start)!;
        var output = node.StandardOutput.ReadToEndAsync();
        var error = node.StandardError.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, $"node ended with {node.ExitCode}: {await error}");
        return JsonDocument.Parse(await output).RootElement;
    }

    private static string Find()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Apm.sln")))
            {
                return Path.Combine(directory, "tests", "EndToEnd", "exporters");
            }
        }
        throw new InvalidOperationException("no Apm.sln above the tests");
    }
}
