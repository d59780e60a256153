namespace Apm.DurableBuffer;

/// <summary>The Collector's side of the log. Called from many threads.</summary>
public interface IBufferWriter
{
    /// <summary>
    /// Completes when the batch is durable. The batch's body may be read until it completes, also after cancellation of the caller's wait, so ownership
    /// passes to the buffer: the buffer disposes the batch, also on failure.
    /// </summary>
    /// <exception cref="BufferFullException">A bound is hit or the disk is full: nothing was kept, the sender should retry after the delay.</exception>
    ValueTask AppendAsync(Batch batch, CancellationToken cancellationToken);

    BufferStatus Status { get; }
}
