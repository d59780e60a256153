using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>The promise behind every figure: what was acknowledged is there, each item once. A bench that finds otherwise fails.</summary>
internal static class CountBack
{
    /// <summary>Traces fetched whole.</summary>
    private const int Fetched = 200;

    /// <summary>Acknowledged items are visible within a second; the machine may be busy.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <param name="before">Items that were stored before the load.</param>
    /// <exception cref="InvalidOperationException">An item is missing, or there more than once.</exception>
    public static async Task CheckAsync(Server server, Loader loader, Signal signal, Report report, long before = 0)
    {
        var least = before + loader.Acknowledged;
        var most = least + loader.Unknown;
        var watch = Stopwatch.StartNew();
        var counted = await server.CountRowsAsync(signal);
        var took = watch.Elapsed;
        while (counted < least && watch.Elapsed < Patience + took)
        {
            counted = await server.CountRowsAsync(signal);
        }
        report.Add("counted back, row by row", $"{counted:N0} of {least:N0} acknowledged{(loader.Unknown > 0 ? $" and {loader.Unknown:N0} unanswered" : "")}, in {took.TotalMilliseconds:N0} ms");
        if (counted < least || counted > most)
        {
            throw new InvalidOperationException(FormattableString.Invariant($"{least} items were acknowledged, {loader.Unknown} have no answer, and {counted} were found"));
        }
        if (signal == Signal.Traces)
        {
            await CheckTracesAsync(server, loader, counted, report);
        }
    }

    private static async Task CheckTracesAsync(Server server, Loader loader, long counted, Report report)
    {
        var groups = await server.CountGroupsAsync();
        if (groups != counted)
        {
            throw new InvalidOperationException($"{counted} spans row by row, {groups} as dashboards count them");
        }
        var step = Math.Max(1, loader.Samples.Count / Fetched);
        var fetched = 0;
        foreach (var trace in loader.Samples.Where((_, i) => i % step == 0).Take(Fetched))
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"{trace.High:x16}{trace.Low:x16}");
            using var answer = JsonDocument.Parse(await server.Client.GetStringAsync($"api/v1/traces/{id}"));
            var spans = answer.RootElement.GetProperty("spans").GetArrayLength();
            if (spans != trace.Items)
            {
                throw new InvalidOperationException($"trace {id} was sent with {trace.Items} spans and has {spans}");
            }
            fetched++;
        }
        report.Add("traces fetched, whole", fetched, "traces");
    }
}
