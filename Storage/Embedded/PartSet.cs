namespace Apm.Storage.Embedded;

/// <summary>
/// The parts that belong to the store between two changes of the list: immutable, and counted as one, so that a query holds thousands of parts by one
/// addition. The engine holds the current one; when the last holder lets go, so does the set of its parts. Any number of threads.
/// </summary>
internal sealed class PartSet
{
    private int _holders = 1;

    public PartSet(StoredPart[] spans, StoredPart[] logs)
    {
        (Spans, Logs) = (spans, logs);
        foreach (var part in spans)
        {
            part.Hold();
        }
        foreach (var part in logs)
        {
            part.Hold();
        }
    }

    public StoredPart[] Spans { get; }

    public StoredPart[] Logs { get; }

    /// <summary>False when all have let go already: a newer set has taken its place.</summary>
    public bool TryHold()
    {
        for (var holders = Volatile.Read(ref _holders); holders > 0;)
        {
            var seen = Interlocked.CompareExchange(ref _holders, holders + 1, holders);
            if (seen == holders)
            {
                return true;
            }
            holders = seen;
        }
        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) > 0)
        {
            return;
        }
        foreach (var part in Spans)
        {
            part.Release();
        }
        foreach (var part in Logs)
        {
            part.Release();
        }
    }
}
