using System.Net;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>Five queries a second, of the kinds that a team on call asks, while spans come as fast as they are taken: what each costs the other.</summary>
internal static class MixedBench
{
    private static readonly TimeSpan QueryInterval = TimeSpan.FromMilliseconds(200);

    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        await using var server = await Server.StartAsync(arguments);
        var run = LoadRun.Create(server, arguments, Signal.Traces);
        using var stop = new CancellationTokenSource();
        var asking = AskAsync(server, run.Loader, TimeSpan.FromSeconds(arguments.Warmup), stop.Token);
        // The load's threads are its own; this one only waits for them.
        await Task.Factory.StartNew(run.Send, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await stop.CancelAsync();
        var latencies = await asking;
        await server.VisibleAsync();
        await server.IdleAsync();
        var cpu = run.CpuMicrosecondsPerItem;
        run.AddTo(report, arguments, "span", arguments.Harsh || arguments.Rate > 0 ? null : Gate.Ingest(arguments, 0.4, 0.75));
        report.Add("server CPU, queries, sealed and merged", cpu, "µs/span");
        report.Add("queries asked after the warm-up", latencies.Values.Sum(list => list.Count), "queries");
        foreach (var (name, list) in latencies)
        {
            if (name.StartsWith("answered", StringComparison.Ordinal))
            {
                report.Add(name, list.Count, "queries");
                continue;
            }
            list.Sort();
            report.AddLatencies(name, [.. list]);
        }
        report.Add("peak resident memory", server.PeakResidentMiB(), "MiB", Gate.PeakResidentMiB);
        await CountBack.CheckAsync(server, run.Loader, Signal.Traces, report);
    }

    /// <summary>Each query is asked when its time has come, whether the one before has been answered or not.</summary>
    private static async Task<SortedDictionary<string, List<double>>> AskAsync(Server server, Loader loader, TimeSpan warmup, CancellationToken stop)
    {
        var latencies = new SortedDictionary<string, List<double>>(StringComparer.Ordinal);
        var asked = new List<Task>();
        using var timer = new PeriodicTimer(QueryInterval);
        var began = DateTimeOffset.UtcNow;
        IReadOnlyList<StoredQuery>? mix = null;
        for (var i = 0; await NextAsync(timer, stop);)
        {
            mix ??= loader.Recent is { } first ? StoredQueries.ForMix(first).Mix(() => loader.Recent) : null;
            if (mix is null)
            {
                continue;
            }
            var query = mix[i++ % mix.Count];
            var counts = DateTimeOffset.UtcNow - began > warmup;
            asked.Add(MeasureAsync(query.Name, query.Path(), counts));
        }
        await Task.WhenAll(asked);
        return latencies;

        async Task MeasureAsync(string name, string path, bool counts)
        {
            double milliseconds;
            try
            {
                (milliseconds, _) = await QueryBench.AskAsync(server, path);
            }
            catch (HttpRequestException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable)
            {
                // A trace that is not visible yet, or too many queries at once: neither ends the run, both are figures.
                milliseconds = double.NaN;
                name = $"answered {(int)e.StatusCode}";
            }
            if (counts)
            {
                lock (latencies)
                {
                    if (!latencies.TryGetValue(name, out var list))
                    {
                        latencies[name] = list = [];
                    }
                    list.Add(milliseconds);
                }
            }
        }
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken stop)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
