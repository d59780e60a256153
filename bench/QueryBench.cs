using System.Diagnostics;
using Apm.TestKit.Processes;

namespace Apm.Bench;

/// <summary>Latencies of the queries that on-call engineers wait for, over HTTP, with <c>--spans</c> spans stored.</summary>
internal static class QueryBench
{
    private const int Repeats = 200;

    public static async Task<int> RunAsync(BenchArguments arguments)
    {
        await using var standalone = await StandaloneProcess.StartAsync();
        var report = new Report("query");
        var traceIds = await IngestBench.LoadAsync(standalone, arguments, report);
        var random = new SeededRandom(7);
        await MeasureAsync("trace by id", () => $"api/v1/traces/{traceIds[random.Below(traceIds.Count)]}");
        await MeasureAsync("trace outline", () => $"api/v1/traces/{traceIds[random.Below(traceIds.Count)]}/outline");
        await MeasureAsync("newest 20, everything", () => "api/v1/traces?limit=20&from=now-1d&to=now");
        await MeasureAsync("newest 20, a service and a duration", () => $"api/v1/traces?limit=20&from=now-1d&to=now&q={Uri.EscapeDataString("{ resource.service.name = \"cart\" && duration > 20ms }")}");
        await MeasureAsync("newest 20, errors", () => $"api/v1/traces?limit=20&from=now-1d&to=now&q={Uri.EscapeDataString("{ status = error }")}");
        await MeasureAsync("newest 20, a tenant", () => $"api/v1/traces?limit=20&from=now-1d&to=now&q={Uri.EscapeDataString($"{{ span.app.tenant = \"tenant-{random.Below(200)}\" }}")}");
        await MeasureAsync("an id that is not there", () => $"api/v1/traces?limit=20&from=now-1d&to=now&q={Uri.EscapeDataString($"{{ span.app.order.id = \"ord-{random.Next():x16}\" }}")}");
        await MeasureAsync("services page, one hour in steps of a minute", () => "api/v1/services?from=now-2h&to=now&step=60s", 10);
        await MeasureAsync("heatmap of all", () => "api/v1/spans/heatmap?from=now-2h&to=now&step=60s", 10);
        await MeasureAsync("facets of errors", () => $"api/v1/spans/facets?from=now-2h&to=now&q={Uri.EscapeDataString("{ status = error }")}", 10);
        report.Add("resident memory after the queries", standalone.ResidentMiB(), "MiB");
        report.Print();
        return 0;

        async Task MeasureAsync(string name, Func<string> path, int repeats = Repeats)
        {
            (await standalone.Client.GetAsync(path())).EnsureSuccessStatusCode().Dispose();
            var latencies = new double[repeats];
            for (var i = 0; i < repeats; i++)
            {
                var began = Stopwatch.GetTimestamp();
                using var response = await standalone.Client.GetAsync(path());
                await response.Content.ReadAsByteArrayAsync();
                response.EnsureSuccessStatusCode();
                latencies[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            }
            Array.Sort(latencies);
            report.AddLatencies(name, latencies);
        }
    }
}
