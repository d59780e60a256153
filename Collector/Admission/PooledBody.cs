using System.Buffers;
using System.IO.Pipelines;
using Apm.Telemetry.Otlp;

namespace Apm.Collector.Admission;

/// <summary>
/// Bytes in a pooled array, growing as they arrive: a sender that announces much and sends little holds little. Disposed once by its last
/// owner, who may be the buffer; not to be used by several threads at once.
/// </summary>
internal sealed class PooledBody : IBufferWriter<byte>, IDisposable
{
    /// <summary>The first array of a request of unknown or large length. Most requests of an SDK (512 spans) fit, and it is below the large object heap's threshold.</summary>
    public const int FirstArrayBytes = 64 << 10;

    /// <summary>Factor by which the array grows while little has come: a body of the usual size is copied twice at most.</summary>
    private const int GrowthFactor = 4;

    /// <summary>A sender that has sent this much of what it announced is believed the rest.</summary>
    private const int TrustedAfterBytes = 1 << 20;

    private readonly int _expectedBytes;
    private readonly int _limitBytes;
    private readonly Reservation _reservation;
    private byte[]? _array;

    /// <param name="expectedBytes">What the sender announced, or 0.</param>
    /// <param name="limitBytes">More than this throws <see cref="BodyTooLargeException"/>.</param>
    public PooledBody(int expectedBytes, int limitBytes, Reservation reservation)
    {
        _expectedBytes = Math.Min(expectedBytes, limitBytes);
        _limitBytes = limitBytes;
        _reservation = reservation;
        var first = expectedBytes is > 0 and < FirstArrayBytes ? expectedBytes : FirstArrayBytes;
        reservation.Grow(first);
        _array = BodyArrays.Rent(first);
        Reserved = first;
    }

    public int Length { get; private set; }

    /// <summary>What this body has reserved of the in-flight bound.</summary>
    public int Reserved { get; private set; }

    public ReadOnlyMemory<byte> Memory => Array.AsMemory(0, Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(PooledBody));

    public void Append(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.Length > _limitBytes - Length)
        {
            throw new BodyTooLargeException(_limitBytes);
        }
        Ensure((int)bytes.Length);
        bytes.CopyTo(Array.AsSpan(Length));
        Length += (int)bytes.Length;
    }

    /// <summary>Reads the pipe to its end.</summary>
    /// <exception cref="BodyTooLargeException">More than the limit came.</exception>
    /// <exception cref="InFlightFullException">The bound on all requests is hit.</exception>
    public async ValueTask FillAsync(PipeReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            Append(read.Buffer);
            reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Array.Length - Length);
        Length += count;
        if (Length > _limitBytes)
        {
            throw new BodyTooLargeException(_limitBytes);
        }
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(Math.Max(sizeHint, 1));
        return Array.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            BodyArrays.Return(array);
        }
    }

    private void Ensure(int more)
    {
        if (Array.Length - Length >= more)
        {
            return;
        }
        var size = NextSize((long)Length + more);
        _reservation.Grow(size - Reserved);
        Reserved = size;
        var larger = BodyArrays.Rent(size);
        Array.AsSpan(0, Length).CopyTo(larger);
        BodyArrays.Return(Array);
        _array = larger;
    }

    private int NextSize(long neededBytes)
    {
        if (neededBytes > _expectedBytes)
        {
            return (int)Math.Min(Math.Max(2L * Array.Length, neededBytes), System.Array.MaxLength);
        }
        return neededBytes > TrustedAfterBytes ? _expectedBytes : (int)Math.Min(Math.Max((long)GrowthFactor * Array.Length, neededBytes), _expectedBytes);
    }
}
