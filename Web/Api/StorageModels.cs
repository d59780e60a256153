namespace Apm.Web.Api;

/// <summary>GET platform/storage. Sizes in bytes, lengths of time in seconds.</summary>
internal sealed record StorageState(
    StoredSignal[] Signals, MergingState Merging, DiskState Disk, long? DiskBudgetBytes, DamagedStorePart[] Damaged, long DamagedParts, string[] Problems)
{
    public long Bytes => Signals.Sum(signal => signal.Bytes);

    public long Rows => Signals.Sum(signal => signal.Rows + signal.HeadRows);
}

/// <param name="Signal">"traces" or "logs".</param>
internal sealed record StoredSignal(
    string Signal, long HeadRows, long HeadBytes, long Parts, long Rows, long Bytes, StoredLevel[] Levels, StoredDay[] Days,
    long? OldestUnixNano, RetentionState? Retention, StorageDrop? LastDrop);

internal sealed record StoredLevel(int Level, long Parts, long Rows, long Bytes);

internal sealed record StoredDay(DateOnly Day, long Parts, long Rows, long Bytes);

/// <param name="DefaultSeconds">Null: kept for ever.</param>
internal sealed record RetentionState(double? DefaultSeconds, ServiceRetention[] Services);

internal sealed record ServiceRetention(string Service, double? Seconds);

/// <param name="Reason">"age" or "disk budget".</param>
internal sealed record StorageDrop(long AtUnixNano, string Reason, long Parts, long Rows, long Bytes);

internal sealed record MergingState(long BacklogParts, long BacklogBytes, int Running, long SealedBytes, long MergedBytes, double? WriteAmplification, string? Fault);

/// <param name="WatermarkBytes">Free bytes below which new data is refused; 0: never.</param>
internal sealed record DiskState(long FreeBytes, long TotalBytes, long WatermarkBytes, string? Refusal);

internal sealed record DamagedStorePart(long AtUnixNano, string? Signal, string File, long Rows, string Reason);

internal sealed partial class QueryClient
{
    public Task<StorageState> StorageAsync(CancellationToken cancellationToken) => GetAsync<StorageState>("platform/storage", new ApiParameters(), cancellationToken);
}
