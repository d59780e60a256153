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

    public static Task CheckAsync(Server server, Loader loader, Signal signal, Report report) =>
        CheckAsync(server, [loader], signal, 0, report);

    /// <param name="before">Items that were stored besides what the loaders sent.</param>
    /// <exception cref="InvalidOperationException">An item is missing, or there more than once.</exception>
    public static async Task CheckAsync(Server server, IReadOnlyList<Loader> loaders, Signal signal, long before, Report report)
    {
        var least = before + loaders.Sum(loader => loader.Acknowledged);
        var unknown = loaders.Sum(loader => loader.Unknown);
        var most = least + unknown;
        var watch = Stopwatch.StartNew();
        var counted = await server.CountRowsAsync(signal);
        var took = watch.Elapsed;
        while (counted < least && watch.Elapsed < Patience + took)
        {
            counted = await server.CountRowsAsync(signal);
        }
        report.Add("counted back, row by row", $"{counted:N0} of {least:N0} acknowledged{(unknown > 0 ? $" and {unknown:N0} unanswered" : "")}, in {took.TotalMilliseconds:N0} ms");
        if (counted < least || counted > most)
        {
            throw new InvalidOperationException(FormattableString.Invariant($"{least} items were acknowledged, {unknown} have no answer, and {counted} were found"));
        }
        if (signal == Signal.Traces)
        {
            await CheckTracesAsync(server, [.. loaders.SelectMany(loader => loader.Samples)], counted, report);
        }
    }

    private static async Task CheckTracesAsync(Server server, IReadOnlyList<TraceSample> samples, long counted, Report report)
    {
        var groups = await server.CountGroupsAsync();
        if (groups != counted)
        {
            throw new InvalidOperationException($"{counted} spans row by row, {groups} as dashboards count them");
        }
        var step = Math.Max(1, samples.Count / Fetched);
        var fetched = 0;
        foreach (var trace in samples.Where((_, i) => i % step == 0).Take(Fetched))
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
