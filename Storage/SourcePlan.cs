namespace Apm.Storage;

/// <summary>What a query did with one part, or with one batch in memory: for those who ask why it took so long.</summary>
/// <param name="Search">Number of the search, from 1, where several are behind one answer.</param>
/// <param name="Id">The part's, as its file is named; null for a batch in memory.</param>
/// <param name="Level">How often its rows were merged.</param>
/// <param name="Bytes">On disk, or in memory.</param>
/// <param name="From">"rows", "rollup", or "nothing".</param>
/// <param name="BlocksSkipped">
/// By what: "time", "duration", "presence" (no row has the attribute), "codes" (of a dictionary), "resources", "values" (kind, status, severity), "range",
/// "bloom", "text", "traceIndex", "filter" (it can match nothing), "limit" (the page was full), "budget".
/// </param>
public sealed record SourcePlan(
    int Search, string? Id, int Level, long Rows, long Bytes, string From, int BlocksRead, IReadOnlyDictionary<string, int> BlocksSkipped, long RowsScanned, long BytesRead, TimeSpan Elapsed);
