namespace Apm.DurableBuffer.Embedded;

/// <summary>A batch waiting to become durable. Continuations run on the thread pool, never on the commit thread.</summary>
internal sealed class PendingAppend(Batch batch)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Batch Batch { get; } = batch;

    public long RecordBytes { get; } = RecordHeader.SizeBytes + (long)batch.Body.Length;

    public Task Done => _done.Task;

    public void Succeed() => _done.SetResult();

    public void Fail(BufferFullException failure) => _done.SetException(failure);
}
