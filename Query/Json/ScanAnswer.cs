using System.Text.Json;
using System.Text.Json.Serialization;
using Apm.Storage;

namespace Apm.Query.Json;

/// <summary>What the searches behind an answer looked at.</summary>
/// <param name="RollupsRead">Of the parts read, those of which whole minutes came from what was added up before.</param>
/// <param name="Plan">With explain=true: what was done with each part, and with each batch in memory.</param>
/// <param name="StoppedBy">time, bytes, rows or limit when they stopped early.</param>
internal sealed record ScanAnswer(
    bool Complete, string? StoppedBy, int PartsRead, int PartsSkipped, int RollupsRead, int BlocksRead, int BlocksSkipped, long RowsScanned, long BytesRead, double ElapsedMs,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<SourcePlanAnswer>? Plan = null)
{
    public static ScanAnswer From(ScanReport report) => new(
        report.Complete, report.StoppedBy, report.PartsRead, report.PartsSkipped, report.RollupsRead, report.BlocksRead, report.BlocksSkipped, report.RowsScanned, report.BytesRead,
        Math.Round(report.Elapsed.TotalMilliseconds, 3), report.Plan is null ? null : [.. report.Plan.Select(SourcePlanAnswer.Of)]);

    public void Write(Utf8JsonWriter writer)
    {
        writer.WritePropertyName("scan"u8);
        JsonSerializer.Serialize(writer, this, AnswerJson.Default.ScanAnswer);
    }
}

/// <param name="Search">Number of the search, from 1, where several are behind the answer.</param>
/// <param name="Id">The part's; null for a batch in memory.</param>
/// <param name="From">rows, rollup, or nothing.</param>
/// <param name="BlocksSkipped">By what, and how many.</param>
internal sealed record SourcePlanAnswer(
    int Search, string? Id, int Level, long Rows, long Bytes, string From, int BlocksRead, IReadOnlyDictionary<string, int> BlocksSkipped, long RowsScanned, long BytesRead, double ElapsedMs)
{
    public static SourcePlanAnswer Of(SourcePlan plan) => new(
        plan.Search, plan.Id, plan.Level, plan.Rows, plan.Bytes, plan.From, plan.BlocksRead, plan.BlocksSkipped, plan.RowsScanned, plan.BytesRead,
        Math.Round(plan.Elapsed.TotalMilliseconds, 3));
}
