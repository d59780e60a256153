namespace Apm.Web.Api;

/// <summary>What a query read, and whether a limit ended it.</summary>
/// <param name="StoppedBy">"time", "bytes", "rows", "limit" or null.</param>
internal sealed record ScanInfo(bool Complete, string? StoppedBy, long PartsRead, long PartsSkipped, long RowsScanned, long BytesRead, double ElapsedMs);
