using System.Diagnostics;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>
/// Spans of several days. Then the process starts with a retention of an hour for one service: how soon its rows are taken out of the parts that hold others' too,
/// and what that cost. Then with one of a day for all: how soon what is older is gone.
/// </summary>
internal static class RetentionBench
{
    /// <summary>Longest wait for old spans to be dropped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        var directory = Directory.CreateTempSubdirectory("apm-bench-").FullName;
        try
        {
            await using (var server = await Server.StartAsync(arguments, directory, "--Retention:Spans:Default", "365d"))
            {
                var run = LoadRun.Create(server, arguments, Signal.Traces);
                run.Send();
                await server.VisibleAsync();
                await server.IdleAsync();
                await CountBack.CheckAsync(server, run.Loader, Signal.Traces, report);
                await server.StopAsync();
            }
            // A part holds a day and counts as old as its last row; few expired rows of a service wait a day more.
            await MeasureAsync("a service rewritten away", "now-50h", "gateway", "--Retention:Spans:Default", "365d", "--Retention:Spans:Services:gateway", "1h");
            await MeasureAsync("whole days dropped", "now-49h", null, "--Retention:Spans:Default", "1d");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }

        async Task MeasureAsync(string what, string to, string? service, params string[] settings)
        {
            var watch = Stopwatch.StartNew();
            await using var server = await Server.StartAsync(arguments, directory, settings);
            var before = await DiskFigures.ReadAsync(server, Signal.Traces);
            var (cpu, servedAfter) = (server.Cpu(), (TimeSpan?)null);
            DiskFigures after;
            var settled = before;
            var unchangedSince = watch.Elapsed;
            do
            {
                await Task.Delay(Poll);
                after = await DiskFigures.ReadAsync(server, Signal.Traces);
                servedAfter ??= await ExpiredAsync(server, to, service) == 0 ? watch.Elapsed : null;
                if (after.Bytes != settled.Bytes || after.Backlog > 0 || after.IsMerging)
                {
                    (settled, unchangedSince) = (after, watch.Elapsed);
                }
            }
            while (watch.Elapsed < Patience && (servedAfter is null || watch.Elapsed - unchangedSince < TimeSpan.FromSeconds(5)));
            report.Add($"{what}: not served any more after", servedAfter is { } served ? $"{served.TotalSeconds:F1} s, start included" : $"still served after {Patience.TotalSeconds:F0} s");
            report.Add($"{what}: settled after", unchangedSince.TotalSeconds, "s, start included");
            report.Add($"{what}: spans", $"{before.Rows:N0} before, {after.Rows:N0} after");
            report.Add($"{what}: parts on disk", $"{before.Bytes / (double)(1 << 20):N1} MiB before, {after.Bytes / (double)(1 << 20):N1} MiB after");
            report.Add($"{what}: bytes written for it", (after.MergedBytes - before.MergedBytes) / (double)(1 << 20), "MiB");
            report.Add($"{what}: server CPU", (server.Cpu() - cpu).TotalSeconds, "s, polling included");
            if (servedAfter is null)
            {
                throw new InvalidOperationException($"{what}: expired spans are still served");
            }
            await server.StopAsync();
        }
    }

    /// <summary>Spans older than they may be that queries still find: up to a time, of all services or of one.</summary>
    private static async Task<long> ExpiredAsync(Server server, string to, string? service) =>
        await server.CountSpansAsync(service is null ? "{ duration >= 0ns }" : $"{{ resource.service.name = \"{service}\" && duration >= 0ns }}", "now-60d", to);
}
