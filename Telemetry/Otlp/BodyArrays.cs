using System.Buffers;

namespace Apm.Telemetry.Otlp;

/// <summary>
/// Arrays for request bodies. Those of the usual sizes come from the shared pool. That pool would keep dozens of each size for good, so that a minute of large
/// bodies left a gigabyte behind: larger ones are kept here, few, and weakly, so that the next full collection takes what is not in use. Any number of threads.
/// </summary>
public static class BodyArrays
{
    /// <summary>Largest array of the shared pool. 1 MiB holds what an SDK or an agent sends at once (2,000 spans).</summary>
    public const int PooledBytes = 1 << 20;

    /// <summary>Large arrays kept for reuse: more are in use at once only under overload.</summary>
    private const int KeptArrays = 16;

    /// <summary>
    /// Large arrays allocated after which a collection in the background is asked for. The collector's own budget grows with what lives, and so would leave as much
    /// garbage again as all requests in flight; at this rate a collection costs next to nothing, as bodies hold no references.
    /// </summary>
    private const long CollectAfterBytes = 128L << 20;

    /// <summary>Large arrays are multiples of this, so that one body's fits another of about its size.</summary>
    private const int GranuleBytes = 1 << 20;

    private static readonly Lock s_lock = new();
    private static readonly WeakReference<byte[]>?[] s_kept = new WeakReference<byte[]>?[KeptArrays];
    private static long s_allocatedBytes;

    /// <summary>An array of at least this length with any content; given back with <see cref="Return"/> by whoever has it last.</summary>
    public static byte[] Rent(int leastBytes)
    {
        if (leastBytes <= PooledBytes)
        {
            return ArrayPool<byte>.Shared.Rent(leastBytes);
        }
        if (TakeKept(leastBytes) is { } kept)
        {
            return kept;
        }
        var size = (int)Math.Min(((long)leastBytes + GranuleBytes - 1) / GranuleBytes * GranuleBytes, Array.MaxLength);
        if (Interlocked.Add(ref s_allocatedBytes, size) >= CollectAfterBytes && Interlocked.Exchange(ref s_allocatedBytes, 0) >= CollectAfterBytes)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
        return GC.AllocateUninitializedArray<byte>(Math.Max(size, leastBytes));
    }

    public static void Return(byte[] array)
    {
        if (array.Length <= PooledBytes)
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }
        lock (s_lock)
        {
            for (var i = 0; i < s_kept.Length; i++)
            {
                if (s_kept[i] is null || !s_kept[i]!.TryGetTarget(out _))
                {
                    s_kept[i] = new WeakReference<byte[]>(array);
                    return;
                }
            }
        }
    }

    /// <summary>One that fits without wasting half of it.</summary>
    private static byte[]? TakeKept(int leastBytes)
    {
        lock (s_lock)
        {
            for (var i = 0; i < s_kept.Length; i++)
            {
                if (s_kept[i] is { } kept && kept.TryGetTarget(out var array) && array.Length >= leastBytes && array.Length / 2 <= leastBytes)
                {
                    s_kept[i] = null;
                    return array;
                }
            }
        }
        return null;
    }
}
