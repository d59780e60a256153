using System.Globalization;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>Log records: ingest as for spans, then the searches that decide whether a log store is of use.</summary>
internal static class LogsBench
{
    private const int Scans = 50;

    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        await using var server = await Server.StartAsync(arguments);
        var run = LoadRun.Create(server, arguments, Signal.Logs);
        run.Send();
        await server.VisibleAsync();
        await server.IdleAsync();
        var cpu = run.CpuMicrosecondsPerItem;
        run.AddTo(report, arguments, "record", arguments.Rate > 0 ? null : Gate.LogsPerSecond);
        report.Add("server CPU, everything in, sealed and merged", cpu, "µs/record", Gate.CpuPerRecord);
        report.Add("peak resident memory", server.PeakResidentMiB(), "MiB", Gate.PeakResidentMiB);
        await CountBack.CheckAsync(server, run.Loader, Signal.Logs, report);
        await SearchAsync(server, run.Loader, arguments, report);
        report.Add("peak resident memory, searches too", server.PeakResidentMiB(), "MiB");
        (await DiskFigures.ReadAsync(server, Signal.Logs)).AddTo(report, "record", Gate.BytesPerRecord, Gate.BytesPerRecord);
    }

    private static async Task SearchAsync(Server server, Loader loader, BenchArguments arguments, Report report)
    {
        var random = new SeededRandom(5);
        await MeasureAsync("rare phrase, all of them", () => Phrase(LogGenerator.RarePhrase, 1_000), Scans, Gate.RarePhrase);
        await MeasureAsync("a phrase that is not there", () => Phrase("warp core breach", 50), Scans);
        await MeasureAsync("frequent phrase, newest 50", () => Phrase(LogGenerator.FrequentPhrase, 50), int.MaxValue, Gate.FrequentPhrase);
        await MeasureAsync("newest 100, a service and warnings", () => Filter($"{{ resource.service.name = \"{Shop.Services[random.Below(Shop.Services.Count)]}\" && severity >= warn }}"), int.MaxValue);
        await MeasureAsync("an order's id in the text, absent", () => Phrase($"ord-{random.Next() & 0xffffffffffff:x12}", 50), Scans);
        await MeasureAsync("newest 100, a template", () => Filter($"{{ log.template = {random.Below(26)} }}"), int.MaxValue);
        await MeasureAsync("histogram by severity", () => "api/v1/logs/histogram?from=now-1h&to=now%2B1m&step=60s", Scans);
        if (loader.Samples.Count > 0)
        {
            await MeasureAsync("records of a trace", () => TracePath(loader.Samples[random.Below(loader.Samples.Count)]), int.MaxValue);
        }

        async Task MeasureAsync(string name, Func<string> path, int most, Gate? gateP95 = null) =>
            report.AddLatencies(name, await QueryBench.MeasureAsync(server, path, Math.Min(most, arguments.Repeats), report, name), gateP95);
    }

    private static string Phrase(string phrase, int limit) => string.Create(CultureInfo.InvariantCulture, $"api/v1/logs?from=now-30d&to=now%2B1h&limit={limit}&text={Uri.EscapeDataString(phrase)}");

    private static string Filter(string filter) => $"api/v1/logs?from=now-30d&to=now%2B1h&limit=100&q={Uri.EscapeDataString(filter)}";

    private static string TracePath(TraceSample trace) => string.Create(CultureInfo.InvariantCulture, $"api/v1/logs?traceId={trace.High:x16}{trace.Low:x16}");
}
