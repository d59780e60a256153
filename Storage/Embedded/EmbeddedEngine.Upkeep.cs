using Apm.Storage.Embedded.Merging;
using Apm.Storage.Embedded.Parts;

namespace Apm.Storage.Embedded;

/// <summary>
/// The second background thread, below normal priority: drops and merges parts, sets damaged ones aside, deletes files that nobody reads any more. Never holds the lock
/// while it works.
/// </summary>
internal sealed partial class EmbeddedEngine
{
    private readonly Thread _upkeep;
    private readonly SemaphoreSlim _upkeepWake = new(0);
    private readonly TaskCompletionSource _upkeepEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Taken out of the list in memory, and still in the one on disk. Guarded by the lock.</summary>
    private readonly Queue<StoredPart> _damaged = [];

    private volatile MergeChoice? _merging;
    private volatile string? _mergeFault;

    /// <summary>Since when, and for how long, nothing is merged after a failure. Of the thread.</summary>
    private long _mergeFailedAt;
    private TimeSpan _mergeWait;

    private void WakeUpkeep()
    {
        if (_upkeepWake.CurrentCount == 0)
        {
            _upkeepWake.Release();
        }
    }

    private void RunUpkeep()
    {
        BackgroundThread.LowerCurrent();
        while (!_stopping)
        {
            _upkeepWake.Wait();
            do
            {
                _folder.DeleteObsolete();
                SetDamagedAside();
                DropParts();
            }
            while (!_stopping && MergeOnce());
        }
        _folder.DeleteObsolete();
        _upkeepEnded.SetResult();
    }

    /// <summary>Any thread: what is damaged is served no more from now on; the disk follows.</summary>
    internal void OnDamage(CorruptPartException damage)
    {
        _metrics.FoundCorrupt();
        StoredPart? part;
        lock (_lock)
        {
            part = _disposed ? null : _folder.TakeOutLocked(damage);
            if (part is not null)
            {
                _damaged.Enqueue(part);
                PublishLocked();
            }
        }
        if (part is null)
        {
            LogDamagedBlock(damage);
            return;
        }
        LogSetAside(part.Entry.FileName, part.Entry.Rows, damage);
        WakeUpkeep();
    }

    /// <summary>Damaged parts that are served no more, and which the list on the disk still has.</summary>
    internal int DamagedListed
    {
        get
        {
            lock (_lock)
            {
                return _damaged.Count;
            }
        }
    }

    private void SetDamagedAside()
    {
        while (true)
        {
            StoredPart? part;
            lock (_lock)
            {
                if (!_damaged.TryPeek(out part))
                {
                    return;
                }
            }
            if (!TryWriteList(() => _folder.SetAsidePart(part)))
            {
                return;
            }
            lock (_lock)
            {
                _damaged.Dequeue();
            }
        }
    }

    /// <summary>Merges what is most due; false when there is nothing, or it is not the time for it.</summary>
    private bool MergeOnce()
    {
        if (_time.GetElapsedTime(_mergeFailedAt) < _mergeWait)
        {
            return false;
        }
        var parts = HoldParts();
        try
        {
            return RewriteOnce(parts) || (ChooseMerge(parts) is { } choice && Merge(parts, choice));
        }
        finally
        {
            parts.Release();
        }
    }

    private bool Merge(PartSet parts, MergeChoice choice)
    {
        StoredPart[] inputs = [.. choice.Inputs.Select(input => parts.Spans.Concat(parts.Logs).First(part => part.Entry.Id == input.Id))];
        if (!HasRoomFor(choice.Bytes))
        {
            return false;
        }
        _merging = choice;
        try
        {
            return TryReplace(inputs, null, choice.Level);
        }
        finally
        {
            _merging = null;
        }
    }

    private bool HasRoomFor(long bytes)
    {
        if (!TryReadRoom(out var room))
        {
            _mergeFault = "Parts are not merged: how much room is free on the disk is not known.";
            WaitToMerge();
            return false;
        }
        if (room.FreeBytes - bytes >= WatermarkOf(room))
        {
            return true;
        }
        _mergeFault = FormattableString.Invariant($"There is no room to merge parts: {bytes} bytes are needed beside the {WatermarkOf(room)} that stay free.");
        LogNoRoomToMerge(bytes, room.FreeBytes);
        WaitToMerge();
        return false;
    }

    private MergeChoice? ChooseMerge(PartSet parts)
    {
        lock (_lock)
        {
            if (_frozen.Count >= _options.WaitingHeads)
            {
                return null;
            }
        }
        return MergePolicy.Next(CandidatesOf(parts), _time.GetUtcNow(), _folder.SealedBytes, _folder.MergedBytes);
    }

    private static List<MergeCandidate> CandidatesOf(PartSet parts) => [.. parts.Spans.Concat(parts.Logs).Select(static part => part.Candidate)];

    /// <summary>
    /// Writes the inputs' rows as one part that takes their place. Whatever fails, the inputs stay, and are served, until the list on the disk has the new part;
    /// false then, and at a shutdown.
    /// </summary>
    private bool TryReplace(StoredPart[] inputs, Func<PartSource, int, bool>? keepResource, int level)
    {
        var start = _time.GetTimestamp();
        PartSource? output;
        try
        {
            output = _folder.WriteMerged(inputs, keepResource, level, out var result, _closing.Token);
            if (output is not null && keepResource is null)
            {
                _folder.Rollups.Merge(output, [.. inputs.Select(static part => part.Source)], anyDuplicates: result.DuplicateRows > 0);
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            return false;
        }
        catch (CorruptPartException damage)
        {
            OnDamage(damage);
            return true;
        }
        catch (Exception failure)
        {
            _metrics.MergeFailed();
            _mergeFault = $"Parts cannot be merged: {failure.Message}";
            WaitToMerge();
            LogMergeFailed(inputs.Length, _mergeWait.TotalSeconds, failure);
            return false;
        }
        if (!TryCommit(output, inputs))
        {
            output?.Dispose();
            return false;
        }
        lock (_lock)
        {
            _folder.ReplaceLocked(output, inputs);
            PublishLocked();
        }
        (_mergeFault, _mergeWait) = (null, TimeSpan.Zero);
        if (output is not null)
        {
            var took = _time.GetElapsedTime(start);
            _metrics.Merged(inputs.Length, took);
            LogMerged(inputs.Length, output.Signal, inputs.Sum(static part => part.Entry.Bytes), output.Entry!.FileName, level, output.RowCount, output.Entry.Bytes, took.TotalMilliseconds);
        }
        if (keepResource is not null)
        {
            var bytes = inputs.Sum(static part => part.Entry.Bytes) - (output?.Entry!.Bytes ?? 0);
            Dropped(inputs[0].Entry.Signal, ByAge, output is null ? inputs.Length : 0, inputs.Sum(static part => part.Entry.Rows) - (output?.RowCount ?? 0), Math.Max(0, bytes));
        }
        return true;
    }

    /// <summary>False at a shutdown only: the list may or may not be changed once this has begun, and nothing else can be done before it is known to be.</summary>
    private bool TryCommit(PartSource? added, StoredPart[] removed)
    {
        while (!TryWriteList(() => _folder.Commit(added, removed)))
        {
            if (_stopping)
            {
                return false;
            }
            _upkeepWake.Wait();
        }
        return true;
    }

    private void WaitToMerge()
    {
        _mergeFailedAt = _time.GetTimestamp();
        _mergeWait = _mergeWait == TimeSpan.Zero ? _options.RetryDelay : TimeSpan.FromTicks(Math.Min(_mergeWait.Ticks * 2, _options.MaxRetryDelay.Ticks));
    }

    private bool TryWriteList(Action write)
    {
        try
        {
            write();
            return true;
        }
        catch (IOException failure)
        {
            LogListFailed(failure);
            return false;
        }
    }
}
