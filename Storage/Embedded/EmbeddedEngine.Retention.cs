using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Retention;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>Drops what has been kept for long enough, and what is beyond the disk budget: by the thread of the upkeep.</summary>
internal sealed partial class EmbeddedEngine
{
    private const string ByAge = "age";

    private const string ByBudget = "disk budget";

    /// <summary>A part is rewritten at once when one in so many of its rows has expired.</summary>
    private const int RewriteShare = 3;

    /// <summary>Fewer expired rows wait this long, so that services that expire one after another cost one rewrite. A day: what any rewritten row may be late by.</summary>
    private static readonly long s_rewriteWaitNano = TimeSpan.FromDays(1).Ticks * TimeSpan.NanosecondsPerTick;

    private readonly RetentionOptions _retention;
    private readonly RetentionClock _clock;
    private volatile DropStatus? _lastSpanDrop;
    private volatile DropStatus? _lastLogDrop;

    private SignalRetention RetentionOf(Signal signal) => signal == Signal.Traces ? _retention.Spans : _retention.Logs;

    private static RetentionStatus? StatusOf(SignalRetention retention) => retention.Longest is null && retention.Shortest is null
        ? null
        : new RetentionStatus(retention.Default, retention.Services);

    /// <summary>The latest seal of a part: this machine's clock was there once.</summary>
    private static DateTimeOffset? LastSeal(PartSet parts) =>
        parts.Spans.Concat(parts.Logs).Select(static part => part.Entry.SealedUnixSeconds).DefaultIfEmpty(0).Max() is > 0 and var seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    /// <summary>No row of the part may be served any more, as far as is known without reading it.</summary>
    private bool HasExpired(StoredPart part, long now) =>
        SignalRetention.EndUnixNano(part.LastUnixNano, RetentionOf(part.Entry.Signal).Longest) <= now || part.Expiry?.LastUnixNano <= now;

    /// <summary>Drops whole parts, all that are due by one edit of the list. Whatever fails, it is tried again.</summary>
    private void DropParts()
    {
        var parts = HoldParts();
        try
        {
            var now = _clock.NowUnixNano;
            StoredPart[] all = [.. parts.Spans, .. parts.Logs];
            foreach (var part in all)
            {
                ReadExpiry(part, now);
            }
            Drop(Array.FindAll(all, part => HasExpired(part, now)), ByAge);
            Drop(BeyondBudget(Array.FindAll(all, part => !HasExpired(part, now))), ByBudget);
        }
        finally
        {
            parts.Release();
        }
    }

    /// <summary>The oldest parts, by their last row, without which the others are within the budget.</summary>
    private StoredPart[] BeyondBudget(StoredPart[] parts)
    {
        if (_retention.DiskBudgetBytes is not { } budget)
        {
            return [];
        }
        var bytes = parts.Sum(static part => part.Entry.Bytes);
        return [.. parts.OrderBy(static part => part.LastUnixNano).ThenBy(static part => part.Entry.Id).TakeWhile(part =>
        {
            var isBeyond = bytes > budget;
            bytes -= part.Entry.Bytes;
            return isBeyond;
        })];
    }

    /// <summary>Once for each part, when it is old enough that some service's rows in it may have expired, and not as old that all have.</summary>
    private void ReadExpiry(StoredPart part, long now)
    {
        var retention = RetentionOf(part.Entry.Signal);
        if (part.Expiry is not null || retention.Services.Count == 0
            || SignalRetention.EndUnixNano(part.LastUnixNano, retention.Shortest) > now || SignalRetention.EndUnixNano(part.LastUnixNano, retention.Longest) <= now)
        {
            return;
        }
        try
        {
            part.Expiry = PartExpiry.Read(part, retention);
        }
        catch (CorruptPartException damage)
        {
            OnDamage(damage);
        }
        catch (IOException failure)
        {
            LogExpiryUnknown(part.Entry.FileName, failure);
        }
    }

    private void Drop(StoredPart[] parts, string reason)
    {
        if (parts.Length == 0 || !TryCommit(null, parts))
        {
            return;
        }
        lock (_lock)
        {
            _folder.ReplaceLocked(null, parts);
            PublishLocked();
        }
        foreach (var signal in parts.GroupBy(static part => part.Entry.Signal))
        {
            Dropped(signal.Key, reason, signal.Count(), signal.Sum(static part => part.Entry.Rows), signal.Sum(static part => part.Entry.Bytes));
        }
    }

    /// <summary>Writes one part anew without the resources whose rows have expired; false when there is none that is due, or it failed.</summary>
    private bool RewriteOnce(PartSet parts)
    {
        var now = _clock.NowUnixNano;
        foreach (var part in parts.Spans.Concat(parts.Logs))
        {
            if (part.Expiry is { } expiry && expiry.LastUnixNano > now && expiry.ExpiredAt(now) is { Rows: > 0 } expired
                && (expired.Rows * RewriteShare >= part.Entry.Rows || now - expired.SinceUnixNano >= s_rewriteWaitNano))
            {
                return HasRoomFor(part.Entry.Bytes) && TryReplace([part], (_, resource) => expiry.Keeps(resource, now), Math.Max(1, part.Entry.Level));
            }
        }
        return false;
    }

    private void Dropped(Signal signal, string reason, int parts, long rows, long bytes)
    {
        var drop = new DropStatus((_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick, reason, parts, rows, bytes);
        if (signal == Signal.Traces)
        {
            _lastSpanDrop = drop;
        }
        else
        {
            _lastLogDrop = drop;
        }
        _metrics.Dropped(signal, reason, parts, rows);
        LogDropped(rows, signal, parts, bytes, reason);
    }
}
