using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>Spans over OTLP, each request acknowledged after fdatasync; then all of them counted back through the query API. Also with gzip, and with queries beside.</summary>
internal static class IngestBench
{
    public static async Task RunAsync(BenchArguments arguments, Report report)
    {
        var (share, stretch) = arguments.Gzip ? (0.45, 0.8) : (0.5, 0.9);
        await using var server = await Server.StartAsync(arguments);
        var run = LoadRun.Create(server, arguments, Signal.Traces);
        run.Send();
        var visible = await server.VisibleAsync();
        var idle = await server.IdleAsync();
        var cpu = run.CpuMicrosecondsPerItem;
        run.AddTo(report, arguments, "span", arguments.Rate > 0 || arguments.Harsh ? null : Gate.Ingest(arguments, share, stretch), arguments.Rate switch { 0 => Gate.AckAtFullRate, <= 100_000 => Gate.AckAt100K, _ => null });
        report.Add("server CPU, everything in, sealed and merged", cpu, "µs/span", arguments.Harsh ? null : Gate.CpuPerSpan);
        report.Add("all visible after the last acknowledgement", visible.TotalMilliseconds, "ms");
        report.Add("idle after", idle.TotalSeconds, "s");
        report.Add("peak resident memory", server.PeakResidentMiB(), "MiB", Gate.PeakResidentMiB);
        await CountBack.CheckAsync(server, run.Loader, Signal.Traces, report);
        (await DiskFigures.ReadAsync(server, Signal.Traces)).AddTo(report, "span", arguments.Harsh ? null : Gate.BytesPerSpanSealed, arguments.Harsh ? null : Gate.BytesPerSpanMerged);
    }
}
