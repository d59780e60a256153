namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// What is acknowledged is to be visible soon, so senders must not run far ahead of the reader: while more than <see cref="EmbeddedBufferOptions.PaceBytes"/> that
/// are durable wait for it, an acknowledgement is held back until it has come nearer, for <see cref="MaxHold"/> at most. A reader that stands still (storage is
/// full, say) so slows senders down and does not stop them: the log then grows to its bound.
/// </summary>
public sealed partial class EmbeddedBuffer
{
    /// <summary>Longest an acknowledgement is held back: the promise of how soon data is visible, and far below any sender's timeout.</summary>
    private static readonly TimeSpan MaxHold = TimeSpan.FromSeconds(1);

    /// <summary>How far OTLP shrinks under gzip, measured: the reader's work is in what comes out.</summary>
    private const int GzipRatio = 7;

    /// <summary>Weight of batches that are durable and were not read; set right whenever the reader has everything.</summary>
    private long _unreadBytes;

    private TaskCompletionSource? _readerNear;

    private async ValueTask AcknowledgeAsync(Task durable, CancellationToken cancellationToken)
    {
        await durable.WaitAsync(cancellationToken);
        Task readerNear;
        lock (_gate)
        {
            if (_unreadBytes <= _options.PaceBytes || _stopping)
            {
                return;
            }
            _readerNear ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            readerNear = _readerNear.Task;
        }
        _metrics.HeldBack();
        await Task.WhenAny(readerNear, Task.Delay(MaxHold, _time, cancellationToken));
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>What a batch weighs while it is not read: its bytes when decompressed, about.</summary>
    private static long Weight(Batch batch) => batch.Encoding == BatchEncoding.Gzip ? batch.Body.Length * GzipRatio : batch.Body.Length;

    private void ReadLocked(Batch batch)
    {
        _unreadBytes = Math.Max(0, _unreadBytes - Weight(batch));
        if (_unreadBytes <= _options.PaceBytes)
        {
            ReleaseHeldLocked();
        }
    }

    private void EverythingReadLocked()
    {
        _unreadBytes = 0;
        ReleaseHeldLocked();
    }

    private void ReleaseHeldLocked()
    {
        _readerNear?.SetResult(); // its continuations run on the thread pool
        _readerNear = null;
    }
}
