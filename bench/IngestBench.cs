using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Apm.TestKit.Processes;

namespace Apm.Bench;

/// <summary>Spans over OTLP/HTTP, each request acknowledged after fdatasync; then all of them counted back through the query API.</summary>
internal static class IngestBench
{
    private const int SpansPerRequest = 2000;

    public static async Task<int> RunAsync(BenchArguments arguments)
    {
        await using var standalone = await StandaloneProcess.StartAsync();
        var report = new Report("ingest");
        await LoadAsync(standalone, arguments, report);
        report.Print();
        return 0;
    }

    /// <summary>Returns some of the trace ids sent.</summary>
    public static async Task<List<string>> LoadAsync(StandaloneProcess standalone, BenchArguments arguments, Report report)
    {
        // Two hours back, so that every span lies inside the range that is counted.
        var start = (ulong)(DateTimeOffset.UtcNow.AddHours(-2).ToUnixTimeMilliseconds() * 1_000_000L);
        // Made before the clock starts: the figure is the server's, with only the sending beside it.
        var requests = new List<(ReadOnlyMemory<byte> Body, int Spans)>();
        long wire = 0;
        var generator = new SpanGenerator(1, start, SpansPerRequest, (body, count) =>
        {
            wire += body.Length;
            requests.Add((arguments.Gzip ? Compress(body) : body, count));
        });
        generator.Generate(arguments.Spans);
        var sent = -1;
        var cpuBefore = standalone.Cpu();
        var ownBefore = Process.GetCurrentProcess().TotalProcessorTime;
        var outcome = HttpLoader.Run(standalone.Port, "/v1/traces", arguments.Connections, arguments.Gzip, () => Interlocked.Increment(ref sent) is var i && i < requests.Count ? requests[i] : null);
        var cpu = standalone.Cpu() - cpuBefore;
        var own = Process.GetCurrentProcess().TotalProcessorTime - ownBefore;
        var visible = Stopwatch.StartNew();
        while (true)
        {
            using var response = await standalone.Client.GetAsync($"api/v1/traces/{generator.LastTraceId}");
            if (response.IsSuccessStatusCode || visible.Elapsed > TimeSpan.FromSeconds(60))
            {
                break;
            }
        }
        var lag = visible.Elapsed;
        var counting = Stopwatch.StartNew();
        var counted = await CountAsync(standalone);
        report.Add("spans sent and acknowledged", $"{outcome.Spans:N0} in requests of {SpansPerRequest}, {arguments.Connections} connections{(arguments.Gzip ? ", gzip" : "")}");
        report.Add("statuses", string.Join(", ", outcome.Statuses.Select(pair => $"{pair.Key}: {pair.Value}")));
        report.Add("ingest, acknowledged after fdatasync", outcome.Spans / outcome.Elapsed.TotalSeconds, "spans/s");
        report.Add("wire size", (double)wire / generator.Spans, "B/span");
        report.Add("server CPU", cpu.TotalMicroseconds / outcome.Spans, "µs/span");
        report.Add("loader CPU", own.TotalMicroseconds / outcome.Spans, "µs/span");
        report.AddLatencies("acknowledgement", outcome.Latencies);
        report.Add("last trace visible, after the last acknowledgement", lag.TotalMilliseconds, "ms");
        report.Add("counted back", $"{counted:N0} of {outcome.Spans:N0}, counting took {counting.ElapsedMilliseconds:N0} ms");
        report.Add("peak resident memory", standalone.PeakResidentMiB(), "MiB");
        report.Add("store on disk", (double)standalone.StoredBytes("store") / outcome.Spans, "B/span (sealed so far)");
        if (counted != outcome.Spans)
        {
            throw new InvalidOperationException($"{outcome.Spans} spans were acknowledged and {counted} found");
        }
        return generator.SampleTraceIds;
    }

    public static async Task<long> CountAsync(StandaloneProcess standalone)
    {
        using var answer = JsonDocument.Parse(await standalone.Client.GetStringAsync("api/v1/spans/red?from=now-1d&to=now%2B1d"));
        long count = 0;
        foreach (var group in answer.RootElement.GetProperty("groups").EnumerateArray())
        {
            count += group.GetProperty("count").GetInt64();
        }
        return count;
    }

    private static byte[] Compress(ReadOnlyMemory<byte> body)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(body.Span);
        }
        return compressed.ToArray();
    }
}
