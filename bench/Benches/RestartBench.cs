using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>kill -9 while the load is on: how soon the next start is ready, and that everything acknowledged is there, each item once.</summary>
internal static class RestartBench
{
    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        var directory = Directory.CreateTempSubdirectory("apm-bench-").FullName;
        try
        {
            LoadRun run;
            long unsealed;
            await using (var server = await Server.StartAsync(arguments, directory))
            {
                run = LoadRun.Create(server, arguments with { Seconds = int.MaxValue / 1_000, Spans = 0 }, Signal.Traces, mayBreak: true);
                using var killed = new CancellationTokenSource();
                var kill = Task.Run(async () =>
                {
                    await Task.Delay(TimeSpan.FromSeconds(arguments.Warmup + arguments.Seconds), killed.Token);
                    await server.KillAsync();
                });
                run.Send();
                await kill;
                unsealed = server.StoredBytes("buffer");
            }
            report.Add("acknowledged before the kill", run.Loader.Acknowledged, "spans");
            report.Add("ingest", run.ItemsPerSecond, "spans/s");
            report.Add("log on disk at the kill", unsealed / (double)(1 << 20), "MiB");
            await using var again = await Server.StartAsync(arguments, directory);
            report.Add("ready after the kill", again.ReadyAfter.TotalSeconds, "s", Gate.RestartSeconds);
            await CountBack.CheckAsync(again, run.Loader, Signal.Traces, report);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
