namespace Apm.DurableBuffer;

/// <summary>The Ingester's side of the log: batches in the order of their positions, each at least once. Used by one consumer at a time.</summary>
public interface IBufferReader
{
    /// <summary>Waits for the next batch; the caller disposes it.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<Batch> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The next batch if one is there now, else null; lets the consumer join what is waiting into one append.</summary>
    Batch? TryRead();

    /// <summary>Storage holds every batch up to and including the position durably: the buffer may forget them and will not deliver them again.</summary>
    ValueTask CommitAsync(long position, CancellationToken cancellationToken);
}
