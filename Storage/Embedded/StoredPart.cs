using Apm.Storage.Embedded.Merging;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Retention;

namespace Apm.Storage.Embedded;

/// <summary>
/// A part that the store has open, counted by the sets that hold it. What is no longer in the list lives on while a query reads it; the last one that lets
/// go says so. Any number of threads.
/// </summary>
/// <param name="onUnused">Called once, by whoever lets go last: must not block.</param>
internal sealed class StoredPart(ManifestPart entry, PartSource source, Action<StoredPart> onUnused)
{
    private const long NanosecondsPerDay = 86_400_000_000_000;

    public const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>How far ahead of this machine's clock the clocks of senders are believed.</summary>
    private const long MaxAheadNano = NanosecondsPerDay;

    private int _holders;
    private volatile bool _isObsolete;
    private volatile PartExpiry? _expiry;

    public ManifestPart Entry { get; } = entry;

    public PartSource Source { get; } = source;

    /// <summary>No manifest lists it any more: its file is to be deleted when nobody reads it.</summary>
    public bool IsObsolete
    {
        get => _isObsolete;
        set => _isObsolete = value;
    }

    /// <summary>When the rows of its services expire; null until that matters.</summary>
    public PartExpiry? Expiry
    {
        get => _expiry;
        set => _expiry = value;
    }

    /// <summary>
    /// Latest time of a row, for what depends on its age. No row happened after it was sealed: where a sender's clock says so, the time of the seal counts,
    /// unless this machine's own clock was wrong then (it was sealed before all of its rows).
    /// </summary>
    public long LastUnixNano { get; } =
        entry.SealedUnixSeconds is > 0 and var sealedAt && sealedAt < (source.LastTimeUnixNano - MaxAheadNano) / NanosecondsPerSecond && sealedAt >= source.FirstTimeUnixNano / NanosecondsPerSecond
            ? sealedAt * NanosecondsPerSecond
            : source.LastTimeUnixNano;

    /// <summary>UTC day of <see cref="LastUnixNano"/>, in days since the Unix epoch.</summary>
    public int Day => (int)(LastUnixNano / NanosecondsPerDay);

    public MergeCandidate Candidate => new(Entry.Id, Entry.Signal, Entry.Level, Entry.Bytes, Day);

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            onUnused(this);
        }
    }
}
