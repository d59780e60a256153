using Apm.Storage.Embedded.Merging;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>What the engine says of itself.</summary>
internal sealed partial class EmbeddedEngine
{
    /// <summary>The state at this instant. Any thread; in time proportional to the parts.</summary>
    public StoreStatus Status()
    {
        PartSet parts;
        IReadOnlyList<DamagedPart> damaged;
        Head[] heads;
        lock (_lock)
        {
            parts = _folder.Parts;
            damaged = [.. _folder.Damaged.TakeLast(StoreStatus.MaxDamaged)];
            heads = [.. _frozen, _head];
        }
        TryReadRoom(out var room);
        return new StoreStatus(
            [StatusOf(Signal.Traces, parts.Spans, heads), StatusOf(Signal.Logs, parts.Logs, heads)],
            MergingOf(parts),
            new DiskStatus(room.FreeBytes, room.TotalBytes, WatermarkOf(room), Refusal),
            _retention.DiskBudgetBytes,
            damaged,
            _folder.SetAside);
    }

    private MergingStatus MergingOf(PartSet parts)
    {
        var due = MergePolicy.Due(CandidatesOf(parts), _time.GetUtcNow(), _folder.SealedBytes, _folder.MergedBytes);
        return new MergingStatus(due.Count, due.Sum(static part => part.Bytes), _merging?.Inputs.Count ?? 0, _folder.SealedBytes, _folder.MergedBytes, _mergeFault);
    }

    private SignalStatus StatusOf(Signal signal, StoredPart[] parts, Head[] heads)
    {
        var sources = heads.SelectMany(head => signal == Signal.Traces ? head.Spans : head.Logs).ToArray();
        return new SignalStatus(
            signal,
            sources.Sum(source => source.RowCount),
            sources.Sum(source => source.Batch.SizeBytes),
            parts.Length,
            parts.Sum(part => part.Entry.Rows),
            parts.Sum(part => part.Entry.Bytes),
            [.. parts.GroupBy(part => part.Entry.Level).OrderBy(level => level.Key)
                .Select(level => new LevelStatus(level.Key, level.Count(), level.Sum(part => part.Entry.Rows), level.Sum(part => part.Entry.Bytes)))],
            [.. parts.GroupBy(part => part.Day).OrderByDescending(day => day.Key)
                .Select(day => new DayStatus(DateOnly.FromDayNumber(UnixEpochDay + day.Key), day.Count(), day.Sum(part => part.Entry.Rows), day.Sum(part => part.Entry.Bytes)))],
            parts.Length == 0 ? null : parts.Min(part => part.Source.FirstTimeUnixNano),
            StatusOf(RetentionOf(signal)),
            signal == Signal.Traces ? _lastSpanDrop : _lastLogDrop);
    }

    private static readonly int UnixEpochDay = DateOnly.FromDateTime(DateTime.UnixEpoch).DayNumber;
}
