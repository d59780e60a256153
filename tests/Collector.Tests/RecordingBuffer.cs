using System.Collections.Concurrent;
using Apm.DurableBuffer;
using Apm.Telemetry;

namespace Apm.Collector.Tests;

/// <summary>A buffer that keeps copies, and fails or waits when told to.</summary>
internal sealed class RecordingBuffer : IBufferWriter
{
    private readonly ConcurrentQueue<Appended> _batches = new();

    /// <summary>Thrown instead of appending, when set.</summary>
    public Exception? Failure { get; set; }

    /// <summary>Appends wait for it, when set.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Released once for each append that waits.</summary>
    public SemaphoreSlim Waiting { get; } = new(0);

    public IReadOnlyList<Appended> Batches => [.. _batches];

    public BufferStatus Status => new(_batches.Count, 0, 0, 0, 1000, Failure?.Message);

    public async ValueTask AppendAsync(Batch batch, CancellationToken cancellationToken)
    {
        using (batch)
        {
            if (Gate is { } gate)
            {
                Waiting.Release();
                await gate.Task.WaitAsync(cancellationToken);
            }
            if (Failure is { } failure)
            {
                throw failure;
            }
            _batches.Enqueue(new Appended(batch.Signal, batch.Encoding, batch.Body.ToArray(), batch.ReceivedUnixNano));
        }
    }

    public sealed record Appended(Signal Signal, BatchEncoding Encoding, byte[] Body, long ReceivedUnixNano);
}
