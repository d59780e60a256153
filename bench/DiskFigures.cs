using System.Text.Json;
using Apm.Telemetry;

namespace Apm.Bench;

/// <summary>What the store says of the parts of a signal, read while it runs.</summary>
/// <param name="SealedBytes">Bytes of all parts ever sealed, of either signal.</param>
/// <param name="MergedBytes">Bytes of all parts ever written from others.</param>
/// <param name="Backlog">Parts that wait to be merged.</param>
internal sealed record DiskFigures(long Parts, long Rows, long Bytes, IReadOnlyList<(int Level, long Parts, long Rows, long Bytes)> Levels, long SealedBytes, long MergedBytes, long Backlog, bool IsMerging)
{
    public static async Task<DiskFigures> ReadAsync(Server server, Signal signal)
    {
        using var answer = JsonDocument.Parse(await server.Client.GetStringAsync("api/v1/platform/storage"));
        var merging = answer.RootElement.GetProperty("merging");
        var name = signal == Signal.Traces ? "traces" : "logs";
        var of = answer.RootElement.GetProperty("signals").EnumerateArray().Single(element => element.GetProperty("signal").GetString() == name);
        return new DiskFigures(
            Long(of, "parts"), Long(of, "rows"), Long(of, "bytes"),
            [.. of.GetProperty("levels").EnumerateArray().Select(level => (level.GetProperty("level").GetInt32(), Long(level, "parts"), Long(level, "rows"), Long(level, "bytes")))],
            Long(merging, "sealedBytes"), Long(merging, "mergedBytes"), Long(merging, "backlogParts"), merging.GetProperty("running").GetInt32() > 0);
    }

    /// <param name="item">span or record.</param>
    /// <param name="gateSealed">Of the bytes an item in a part as sealed.</param>
    /// <param name="gateMerged">Of the bytes an item in a part that was merged.</param>
    public void AddTo(Report report, string item, Gate? gateSealed, Gate? gateMerged)
    {
        report.Add("parts", string.Join(", ", Levels.Select(level => $"{level.Parts:N0} at level {level.Level}")));
        foreach (var level in Levels.Where(level => level.Rows > 0))
        {
            report.Add($"parts at level {level.Level}", (double)level.Bytes / level.Rows, $"B/{item}", level.Level == 0 ? gateSealed : gateMerged);
        }
        report.Add("all parts", (double)Bytes / Math.Max(1, Rows), $"B/{item}");
        report.Add("write amplification (written / sealed)", (double)(SealedBytes + MergedBytes) / Math.Max(1, SealedBytes), "", Gate.WriteAmplification);
        report.Add("parts that wait to be merged", Backlog, "");
    }

    private static long Long(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
