namespace Apm.Storage;

/// <summary>What a query looked at.</summary>
/// <param name="Complete">False when it stopped early: the answer covers only what was read.</param>
/// <param name="StoppedBy">"time", "bytes", "rows" or "limit" when it stopped early, else null.</param>
/// <param name="RollupsRead">Of the parts read, those of which whole minutes came from what was added up before; rows were read only for the ends of the range.</param>
/// <param name="Plan">One for each source, when <see cref="QueryBudget.Explain"/> asks for it.</param>
public sealed record ScanReport(bool Complete, string? StoppedBy, int PartsRead, int PartsSkipped, int BlocksRead, int BlocksSkipped, long RowsScanned, long BytesRead, TimeSpan Elapsed, int RollupsRead = 0,
    IReadOnlyList<SourcePlan>? Plan = null);
