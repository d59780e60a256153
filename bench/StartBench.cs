using Apm.TestKit.Processes;

namespace Apm.Bench;

/// <summary>Time from the process's start to "Apm is ready", empty and after a kill -9, and the memory of an idle process.</summary>
internal static class StartBench
{
    public static async Task<int> RunAsync(BenchArguments arguments)
    {
        var report = new Report("start");
        var directory = Directory.CreateTempSubdirectory("apm-bench-").FullName;
        try
        {
            await using (var empty = await StandaloneProcess.StartAsync(directory))
            {
                report.Add("ready, empty data directory", empty.ReadyAfter.TotalSeconds, "s");
                await Task.Delay(TimeSpan.FromSeconds(20));
                report.Add("resident memory, idle for 20 s", empty.ResidentMiB(), "MiB");
                await IngestBench.LoadAsync(empty, arguments, new Report("load"));
                await empty.KillAsync();
            }
            await using var again = await StandaloneProcess.StartAsync(directory);
            report.Add($"ready after kill -9 with {arguments.Spans:N0} spans", again.ReadyAfter.TotalSeconds, "s");
            report.Add("spans there after kill -9", $"{await IngestBench.CountAsync(again):N0}");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        report.Print();
        return 0;
    }
}
