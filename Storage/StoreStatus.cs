using Apm.Telemetry;

namespace Apm.Storage;

/// <summary>The store at an instant: what it holds, what becomes of it, and what is wrong. Sizes in bytes, times in nanoseconds since the Unix epoch.</summary>
/// <param name="Signals">Traces, then logs.</param>
/// <param name="Merging">How small parts become large ones.</param>
/// <param name="Disk">Room on the disk of the data directory.</param>
/// <param name="DiskBudgetBytes">Bound on the bytes of all parts, beyond which the oldest are dropped; null: none.</param>
/// <param name="Damaged">Parts found damaged and set aside since the start, latest last; at most <see cref="MaxDamaged"/>.</param>
/// <param name="DamagedParts">All of them.</param>
public sealed record StoreStatus(
    IReadOnlyList<SignalStatus> Signals, MergingStatus Merging, DiskStatus Disk, long? DiskBudgetBytes, IReadOnlyList<DamagedPart> Damaged, long DamagedParts)
{
    /// <summary>Damaged parts that are named: enough to see what happened, few enough to read.</summary>
    public const int MaxDamaged = 20;

    /// <summary>What somebody should see to, as sentences; empty when all is well.</summary>
    public IEnumerable<string> Problems()
    {
        if (Disk.Refusal is { } refusal)
        {
            yield return refusal;
        }
        if (Merging.Fault is { } fault)
        {
            yield return fault;
        }
        if (DamagedParts > 0)
        {
            yield return FormattableString.Invariant($"{DamagedParts} damaged parts were set aside since the start; their rows are missing from answers");
        }
    }
}

/// <param name="HeadRows">Rows in memory only, which the buffer holds too.</param>
/// <param name="Parts">On disk.</param>
/// <param name="Levels">The parts by how often their rows were merged, ascending.</param>
/// <param name="Days">The parts by the UTC day of their last row, latest first.</param>
/// <param name="OldestUnixNano">Earliest row in a part; null: there is none.</param>
/// <param name="Retention">What is dropped when; null: nothing is dropped by age.</param>
/// <param name="LastDrop">Null: nothing was dropped since the start.</param>
public sealed record SignalStatus(
    Signal Signal, long HeadRows, long HeadBytes, long Parts, long Rows, long Bytes, IReadOnlyList<LevelStatus> Levels, IReadOnlyList<DayStatus> Days,
    long? OldestUnixNano, RetentionStatus? Retention, DropStatus? LastDrop);

/// <param name="Level">0: sealed from memory.</param>
public sealed record LevelStatus(int Level, long Parts, long Rows, long Bytes);

/// <param name="Day">UTC.</param>
public sealed record DayStatus(DateOnly Day, long Parts, long Rows, long Bytes);

/// <param name="Default">Of services that are not named; null: kept for ever.</param>
/// <param name="Services">By service name; a null value: kept for ever.</param>
public sealed record RetentionStatus(TimeSpan? Default, IReadOnlyDictionary<string, TimeSpan?> Services);

/// <summary>What retention or the disk budget took away last.</summary>
/// <param name="Reason">"age" or "disk budget".</param>
public sealed record DropStatus(long AtUnixNano, string Reason, long Parts, long Rows, long Bytes);

/// <param name="BacklogParts">Parts that are due to be merged now.</param>
/// <param name="Running">Parts being merged.</param>
/// <param name="SealedBytes">Bytes of parts written from memory, over the store's life.</param>
/// <param name="MergedBytes">Bytes of parts written from other parts, over the store's life.</param>
/// <param name="Fault">Why the last merge failed; null when it did not.</param>
public sealed record MergingStatus(long BacklogParts, long BacklogBytes, int Running, long SealedBytes, long MergedBytes, string? Fault)
{
    /// <summary>Bytes written for each byte sealed, the seal included; null before the first seal.</summary>
    public double? WriteAmplification => SealedBytes > 0 ? (double)(SealedBytes + MergedBytes) / SealedBytes : null;
}

/// <param name="WatermarkBytes">Free bytes below which new data is refused; 0: never.</param>
/// <param name="Refusal">Why new data is refused now; null when it is not.</param>
public sealed record DiskStatus(long FreeBytes, long TotalBytes, long WatermarkBytes, string? Refusal);

/// <param name="Signal">Null, as <paramref name="Rows"/> is 0, when nothing lists the part.</param>
/// <param name="File">Its name in the store's folder <c>damaged</c>.</param>
public sealed record DamagedPart(long AtUnixNano, Signal? Signal, string File, long Rows, string Reason);
