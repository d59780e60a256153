namespace Apm.Storage.Embedded;

/// <summary>The background thread: seals frozen heads in their order, one at a time.</summary>
internal sealed partial class EmbeddedEngine
{
    private readonly TaskCompletionSource _sealerEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void RunSealer()
    {
        // Measured, not looked up: a clock that is set back must not put the next try off.
        long? failedAt = null;
        var delay = _options.RetryDelay;
        while (true)
        {
            _wake.Wait();
            // Asked before the heads are: a stop while rollups are made below leaves a head that is yet to be sealed, and wakes this thread once more.
            var last = _stopping;
            while (!_abandoned && NextFrozen() is { } head && (_stopping || failedAt is not { } at || _time.GetElapsedTime(at) >= delay))
            {
                if (TrySeal(head, out var failure))
                {
                    (failedAt, delay) = (null, _options.RetryDelay);
                    continue;
                }
                if (_stopping)
                {
                    head.Sealed.TrySetException(failure);
                    break;
                }
                delay = failedAt is null ? _options.RetryDelay : TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, _options.MaxRetryDelay.Ticks));
                failedAt = _time.GetTimestamp();
            }
            RebuildRollups();
            if (last)
            {
                FailRest();
                _sealerEnded.SetResult();
                return;
            }
        }
    }

    private Head? NextFrozen()
    {
        lock (_lock)
        {
            return _frozen.Count > 0 ? _frozen[0] : null;
        }
    }

    /// <summary>Those behind a head that cannot be sealed at shutdown: the buffer has them.</summary>
    private void FailRest()
    {
        lock (_lock)
        {
            foreach (var head in _frozen)
            {
                head.Opened?.ToList().ForEach(static part => part.Dispose());
                head.Sealed.TrySetException(new IOException("the store stopped before these rows were sealed"));
            }
        }
    }

    private bool TrySeal(Head head, [System.Diagnostics.CodeAnalysis.NotNullWhen(false)] out Exception? failure)
    {
        var start = _time.GetTimestamp();
        try
        {
            head.Written ??= _folder.Write(head, _clock.ToBeRememberedUnixSeconds());
            if (head.Opened is null)
            {
                head.Opened = _folder.OpenWritten(head.Written);
                BuildRollups(head.Opened);
            }
            _folder.Commit(head);
            lock (_lock)
            {
                _folder.PublishLocked(head, head.Opened);
                _frozen.RemoveAt(0);
                PublishLocked();
                _room?.TrySetResult();
                _room = null;
            }
        }
        catch (Exception e)
        {
            // Whatever it is, the rows stay visible in memory and in the buffer, and the next try may succeed.
            failure = e;
            _metrics.SealFailed();
            LogSealFailed(head.Rows, e);
            return false;
        }
        failure = null;
        var took = _time.GetElapsedTime(start);
        _metrics.SealTook(took);
        foreach (var part in head.Written)
        {
            _metrics.Sealed(part.Signal, part.Rows);
            LogSealed(part.FileName, part.Signal, part.Rows, part.Bytes, took.TotalMilliseconds);
        }
        head.Sealed.TrySetResult();
        WakeUpkeep();
        return true;
    }
}
