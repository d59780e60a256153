using System.Collections.Concurrent;
using System.Threading.Channels;
using Apm.DurableBuffer;
using Apm.Telemetry;

namespace Apm.Ingester.Tests;

/// <summary>A log in memory, both sides; delivers from a position on, like the real one after a start.</summary>
internal sealed class FakeBuffer : IBufferReader, IBufferWriter
{
    private readonly Channel<Batch> _batches = Channel.CreateUnbounded<Batch>();
    private readonly Channel<long> _commits = Channel.CreateUnbounded<long>();
    private long _appended;
    private long _delivered;
    private int _disposed;

    /// <summary>Thrown by the next reads, one each.</summary>
    public ConcurrentQueue<Exception> ReadFailures { get; } = new();

    /// <summary>Thrown by the next commits, one each.</summary>
    public ConcurrentQueue<Exception> CommitFailures { get; } = new();

    public int Disposed => Volatile.Read(ref _disposed);

    public long Delivered => Interlocked.Read(ref _delivered);

    public BufferStatus Status => new(_appended, _delivered, 0, 0, 0, null);

    public void Add(Signal signal, byte[] body, BatchEncoding encoding = BatchEncoding.Identity) =>
        _batches.Writer.TryWrite(new Batch(signal, 0, 99_000, encoding, body, new Owner(this)) { Position = ++_appended });

    public async Task<long> NextCommitAsync() => await _commits.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public async ValueTask<Batch> ReadAsync(CancellationToken cancellationToken)
    {
        if (ReadFailures.TryDequeue(out var failure))
        {
            throw failure;
        }
        var batch = await _batches.Reader.ReadAsync(cancellationToken);
        Interlocked.Exchange(ref _delivered, batch.Position);
        return batch;
    }

    public Batch? TryRead()
    {
        if (!ReadFailures.IsEmpty || !_batches.Reader.TryRead(out var batch))
        {
            return null;
        }
        Interlocked.Exchange(ref _delivered, batch.Position);
        return batch;
    }

    public ValueTask CommitAsync(long position, CancellationToken cancellationToken)
    {
        if (CommitFailures.TryDequeue(out var failure))
        {
            throw failure;
        }
        _commits.Writer.TryWrite(position);
        return ValueTask.CompletedTask;
    }

    public ValueTask AppendAsync(Batch batch, CancellationToken cancellationToken) => throw new NotSupportedException();

    private sealed class Owner(FakeBuffer buffer) : IDisposable
    {
        public void Dispose() => Interlocked.Increment(ref buffer._disposed);
    }
}
