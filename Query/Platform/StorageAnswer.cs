using Apm.Query.Json;
using Apm.Storage;
using Apm.Telemetry;

namespace Apm.Query.Platform;

/// <summary>What the store holds, what becomes of it, and what is wrong. Sizes in bytes, lengths of time in seconds.</summary>
/// <param name="DiskBudgetBytes">Bound on the bytes of all parts; null: none.</param>
/// <param name="Damaged">The latest damaged parts that were set aside since the start.</param>
/// <param name="DamagedParts">All of them.</param>
/// <param name="Problems">What somebody should see to, as sentences.</param>
internal sealed record StorageAnswer(
    IReadOnlyList<SignalAnswer> Signals, MergingAnswer Merging, DiskAnswer Disk, long? DiskBudgetBytes,
    IReadOnlyList<DamagedPartAnswer> Damaged, long DamagedParts, IReadOnlyList<string> Problems)
{
    public static StorageAnswer From(StoreStatus status) => new(
        [.. status.Signals.Select(SignalAnswer.From)],
        new MergingAnswer(
            status.Merging.BacklogParts, status.Merging.BacklogBytes, status.Merging.Running, status.Merging.SealedBytes, status.Merging.MergedBytes,
            status.Merging.WriteAmplification is { } factor ? Math.Round(factor, 3) : null, status.Merging.Fault),
        new DiskAnswer(status.Disk.FreeBytes, status.Disk.TotalBytes, status.Disk.WatermarkBytes, status.Disk.Refusal),
        status.DiskBudgetBytes,
        [.. status.Damaged.Select(part => new DamagedPartAnswer(new UnixNano(part.AtUnixNano), part.Signal is { } signal ? SignalAnswer.NameOf(signal) : null, part.File, part.Rows, part.Reason))],
        status.DamagedParts,
        [.. status.Problems()]);
}

/// <param name="Signal">"traces" or "logs".</param>
/// <param name="HeadRows">Rows in memory only, which the buffer holds too.</param>
/// <param name="OldestUnixNano">Earliest row on disk; null: there is none.</param>
/// <param name="Retention">Null: nothing is dropped by age.</param>
/// <param name="LastDrop">Null: nothing was dropped since the start.</param>
internal sealed record SignalAnswer(
    string Signal, long HeadRows, long HeadBytes, long Parts, long Rows, long Bytes, IReadOnlyList<LevelAnswer> Levels, IReadOnlyList<DayAnswer> Days,
    UnixNano? OldestUnixNano, RetentionAnswer? Retention, DropAnswer? LastDrop)
{
    public static SignalAnswer From(SignalStatus status) => new(
        NameOf(status.Signal), status.HeadRows, status.HeadBytes, status.Parts, status.Rows, status.Bytes,
        [.. status.Levels.Select(level => new LevelAnswer(level.Level, level.Parts, level.Rows, level.Bytes))],
        [.. status.Days.Select(day => new DayAnswer(day.Day, day.Parts, day.Rows, day.Bytes))],
        status.OldestUnixNano is { } oldest ? new UnixNano(oldest) : null,
        status.Retention is { } retention
            ? new RetentionAnswer(retention.Default?.TotalSeconds, [.. retention.Services.OrderBy(service => service.Key, StringComparer.Ordinal).Select(service => new ServiceRetentionAnswer(service.Key, service.Value?.TotalSeconds))])
            : null,
        status.LastDrop is { } drop ? new DropAnswer(new UnixNano(drop.AtUnixNano), drop.Reason, drop.Parts, drop.Rows, drop.Bytes) : null);

    public static string NameOf(Signal signal) => signal == Telemetry.Signal.Traces ? "traces" : "logs";
}

/// <param name="Level">How often the rows were merged; 0: sealed from memory.</param>
internal sealed record LevelAnswer(int Level, long Parts, long Rows, long Bytes);

/// <param name="Day">UTC day of the parts' last rows.</param>
internal sealed record DayAnswer(DateOnly Day, long Parts, long Rows, long Bytes);

/// <param name="DefaultSeconds">Of services that are not named; null: kept for ever.</param>
internal sealed record RetentionAnswer(double? DefaultSeconds, IReadOnlyList<ServiceRetentionAnswer> Services);

/// <param name="Seconds">Null: kept for ever.</param>
internal sealed record ServiceRetentionAnswer(string Service, double? Seconds);

/// <param name="Reason">"age" or "disk budget".</param>
internal sealed record DropAnswer(UnixNano AtUnixNano, string Reason, long Parts, long Rows, long Bytes);

/// <param name="WriteAmplification">Bytes written for each byte sealed, over the store's life; null before the first seal.</param>
internal sealed record MergingAnswer(long BacklogParts, long BacklogBytes, int Running, long SealedBytes, long MergedBytes, double? WriteAmplification, string? Fault);

/// <param name="WatermarkBytes">Free bytes below which new data is refused; 0: never.</param>
/// <param name="Refusal">Why new data is refused now; null when it is not.</param>
internal sealed record DiskAnswer(long FreeBytes, long TotalBytes, long WatermarkBytes, string? Refusal);

/// <param name="File">Its name in the folder "damaged" of the store.</param>
internal sealed record DamagedPartAnswer(UnixNano AtUnixNano, string? Signal, string File, long Rows, string Reason);
