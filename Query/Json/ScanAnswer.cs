using System.Text.Json;
using Apm.Storage;

namespace Apm.Query.Json;

/// <summary>What the searches behind an answer looked at.</summary>
/// <param name="StoppedBy">time, bytes, rows or limit when they stopped early.</param>
internal sealed record ScanAnswer(
    bool Complete, string? StoppedBy, int PartsRead, int PartsSkipped, int BlocksRead, int BlocksSkipped, long RowsScanned, long BytesRead, double ElapsedMs)
{
    public static ScanAnswer From(ScanReport report) => new(
        report.Complete, report.StoppedBy, report.PartsRead, report.PartsSkipped, report.BlocksRead, report.BlocksSkipped, report.RowsScanned, report.BytesRead,
        Math.Round(report.Elapsed.TotalMilliseconds, 3));

    public void Write(Utf8JsonWriter writer)
    {
        writer.WritePropertyName("scan"u8);
        JsonSerializer.Serialize(writer, this, AnswerJson.Default.ScanAnswer);
    }
}
