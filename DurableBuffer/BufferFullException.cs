namespace Apm.DurableBuffer;

/// <summary>The buffer cannot take a batch now: a bound was hit, or the disk is full. Nothing of the batch was kept.</summary>
public sealed class BufferFullException(string message, TimeSpan retryAfter, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>When the sender should try again.</summary>
    public TimeSpan RetryAfter { get; } = retryAfter;
}
