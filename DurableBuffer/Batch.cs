using Apm.Telemetry;

namespace Apm.DurableBuffer;

/// <summary>How a batch's bytes are compressed, as received. The numbers are on disk: never renumber.</summary>
public enum BatchEncoding : byte
{
    Identity = 0,
    Gzip = 1,
}

/// <summary>
/// One export request on its way to storage: an OTLP protobuf Export…ServiceRequest, perhaps gzip-compressed, and a small header.
/// The body may lie in pooled memory: whoever holds the batch last disposes it, once; after that the body must not be read.
/// </summary>
public sealed class Batch(Signal signal, ushort tenant, long receivedUnixNano, BatchEncoding encoding, ReadOnlyMemory<byte> body, IDisposable? owner = null) : IDisposable
{
    private IDisposable? _owner = owner;

    public Signal Signal { get; } = signal;

    /// <summary>0 is the only tenant until tenants exist.</summary>
    public ushort Tenant { get; } = tenant;

    public long ReceivedUnixNano { get; } = receivedUnixNano;

    public BatchEncoding Encoding { get; } = encoding;

    public ReadOnlyMemory<byte> Body { get; } = body;

    /// <summary>The batch's place in its partition: 1, 2, 3 … without gaps; 0 before it was appended.</summary>
    public long Position { get; init; }

    /// <summary>The same batch at its place in the log; the body's ownership passes to the result.</summary>
    internal Batch At(long position) => new(Signal, Tenant, ReceivedUnixNano, Encoding, Body, Interlocked.Exchange(ref _owner, null)) { Position = position };

    public void Dispose() => Interlocked.Exchange(ref _owner, null)?.Dispose();
}
