namespace Apm.Bench;

/// <summary>Time from the process's start to "Apm is ready" with an empty data directory, and the memory of an idle process.</summary>
internal static class StartBench
{
    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        await using var server = await Server.StartAsync(arguments);
        report.Add("ready, empty data directory", server.ReadyAfter.TotalSeconds, "s");
        var cpu = server.Cpu();
        await Task.Delay(TimeSpan.FromSeconds(arguments.Seconds));
        report.Add($"resident memory, idle for {arguments.Seconds} s", server.ResidentMiB(), "MiB", Gate.IdleResidentMiB);
        report.Add("CPU while idle", (server.Cpu() - cpu).TotalMilliseconds / arguments.Seconds, "ms/s");
    }
}
