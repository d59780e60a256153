namespace Apm.Bench;

/// <summary>What the store says it wrote, read while it runs.</summary>
/// <param name="SealedBytes">Bytes of parts written by sealing; null when the process does not say.</param>
/// <param name="MergedBytes">Bytes of parts written by merging.</param>
internal sealed record DiskFigures(double? SealedRows, double? SealedBytes, double? MergedBytes, double? Merges)
{
    public static async Task<DiskFigures> ReadAsync(Server server) => new(
        await server.MetricAsync("apm.storage.rows.sealed"), await server.MetricAsync("apm.storage.seal.written"),
        await server.MetricAsync("apm.storage.merge.written"), await server.MetricAsync("apm.storage.merges"));

    /// <param name="server">Stopped, so that all it had is in parts.</param>
    /// <param name="gateSealed">Of the bytes an item as sealed.</param>
    /// <param name="gateMerged">Of the bytes an item on disk, once there were merges.</param>
    public void AddTo(Report report, Server server, long items, Gate? gateSealed, Gate? gateMerged)
    {
        if (SealedBytes is { } written && SealedRows > 0)
        {
            report.Add("parts as sealed", written / SealedRows.Value, "B/item", gateSealed);
            report.Add("write amplification (written / sealed)", (written + (MergedBytes ?? 0)) / written, "", Gate.WriteAmplification);
            report.Add("merges", Merges ?? 0, "");
        }
        report.Add("store on disk", (double)server.StoredBytes("store") / items, "B/item", Merges > 0 ? gateMerged : gateSealed);
        report.Add("parts", server.StoredFiles("store", "*.part"), "files");
    }
}
