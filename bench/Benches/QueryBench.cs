using System.Diagnostics;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>Latencies of the queries that on-call engineers wait for, over HTTP, one at a time, with <c>--spans</c> spans stored over <c>--spread</c>.</summary>
internal static class QueryBench
{
    /// <summary>Asked with a cold page cache: fewer, as each drops the cache.</summary>
    private const int ColdRepeats = 50;

    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        await using var server = await Server.StartAsync(arguments);
        var run = LoadRun.Create(server, arguments, Signal.Traces);
        run.Send();
        await server.VisibleAsync();
        report.Add("spans stored", run.Loader.Acknowledged, $"spans over {arguments.Spread.TotalHours:0.#} h");
        report.Add("ingest", run.ItemsPerSecond, "spans/s");
        await server.IdleAsync();
        report.Add("server CPU, everything in, sealed and merged", run.CpuMicrosecondsPerItem, "µs/span");
        await CountBack.CheckAsync(server, run.Loader, Signal.Traces, report);
        (await DiskFigures.ReadAsync(server, Signal.Traces)).AddTo(report, "span", Gate.BytesPerSpanSealed, Gate.BytesPerSpanMerged);
        var queries = await StoredQueries.CreateAsync(server, run.Loader.Samples);
        foreach (var query in queries.All(run.Loader.Acknowledged))
        {
            report.AddLatencies(query.Name, await MeasureAsync(server, query.Path, Math.Min(query.Repeats, arguments.Repeats), report, query.Name), query.GateP95, query.GateP99);
        }
        await ColdAsync(server, arguments, queries, report);
        report.Add("resident memory after the queries", server.ResidentMiB(), "MiB");
        report.Add("peak resident memory", server.PeakResidentMiB(), "MiB", Gate.PeakResidentMiB);
    }

    /// <summary>Milliseconds, sorted. One more is asked before, so that none is the first of its kind.</summary>
    public static async Task<double[]> MeasureAsync(Server server, Func<string> path, int repeats, Report report, string name, Action? before = null)
    {
        (await server.Client.GetAsync(path())).EnsureSuccessStatusCode().Dispose();
        var latencies = new double[repeats];
        var cut = 0;
        for (var i = 0; i < repeats; i++)
        {
            before?.Invoke();
            var (milliseconds, isWhole) = await AskAsync(server, path());
            latencies[i] = milliseconds;
            cut += isWhole ? 0 : 1;
        }
        if (cut > 0)
        {
            report.Add($"{name}: answers cut short", cut, "answers");
        }
        Array.Sort(latencies);
        return latencies;
    }

    /// <summary>How long the whole answer took, and whether it was cut short by a bound of the query other than its limit.</summary>
    public static async Task<(double Milliseconds, bool IsWhole)> AskAsync(Server server, string path)
    {
        var began = Stopwatch.GetTimestamp();
        using var response = await server.Client.GetAsync(path);
        var body = await response.Content.ReadAsByteArrayAsync();
        var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        response.EnsureSuccessStatusCode();
        return (took, body.AsSpan().IndexOf("\"complete\":false"u8) < 0 || body.AsSpan().IndexOf("\"stoppedBy\":\"limit\""u8) >= 0);
    }

    private static async Task ColdAsync(Server server, BenchArguments arguments, StoredQueries queries, Report report)
    {
        var store = Path.Combine(server.Process.DataDirectory, "store");
        var query = queries.Trace;
        report.AddLatencies($"{query.Name}, page cache cold", await MeasureAsync(server, query.Path, Math.Min(ColdRepeats, arguments.Repeats), report, query.Name, () => PageCache.Drop(store)), gateP99: Gate.TraceCold);
    }
}
