namespace Apm.Storage;

/// <summary>What one query may cost. A query that hits a bound returns what it has and says so (<see cref="ScanReport"/>); it does not fail.</summary>
/// <param name="Time">Wall time from the call.</param>
/// <param name="ScannedBytes">Bytes read and decoded.</param>
/// <param name="Rows">Rows materialised for the answer.</param>
/// <param name="Explain">Say in <see cref="ScanReport.Plan"/> what was done with each source.</param>
public sealed record QueryBudget(TimeSpan Time, long ScannedBytes, long Rows, bool Explain = false)
{
    public static readonly QueryBudget Default = new(TimeSpan.FromSeconds(10), 4L << 30, 1_000_000);
}
