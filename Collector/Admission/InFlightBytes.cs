namespace Apm.Collector.Admission;

/// <summary>The bound on memory held by requests that are being received. Any number of threads.</summary>
internal sealed class InFlightBytes(long limitBytes)
{
    private long _bytes;

    public long LimitBytes { get; } = limitBytes;

    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>False: over the limit, and nothing was reserved.</summary>
    public bool TryReserve(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= LimitBytes)
        {
            return true;
        }
        Interlocked.Add(ref _bytes, -bytes);
        return false;
    }

    public void Release(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}

/// <summary>What one request has reserved; released whole by <see cref="Dispose"/>. Used by one thread at a time.</summary>
internal sealed class Reservation(InFlightBytes inFlight) : IDisposable
{
    private long _bytes;

    /// <exception cref="InFlightFullException">The bound is hit.</exception>
    public void Grow(long bytes)
    {
        if (!inFlight.TryReserve(bytes))
        {
            throw new InFlightFullException(inFlight.LimitBytes);
        }
        _bytes += bytes;
    }

    public void Shrink(long bytes)
    {
        inFlight.Release(bytes);
        _bytes -= bytes;
    }

    public void Dispose()
    {
        inFlight.Release(_bytes);
        _bytes = 0;
    }
}

/// <summary>Requests that are being received hold all the memory they may: the sender should retry.</summary>
internal sealed class InFlightFullException(long limitBytes)
    : Exception(FormattableString.Invariant($"requests being received hold the {limitBytes} bytes they may (Collector:MaxInFlightBytes)"));
