namespace Apm.Storage.Columns;

/// <summary>
/// How the arrays of a batch grow: by doubling, so that a small batch is small; and from some size on at once to what is expected, so that a batch like the
/// one before it is copied little and has no room to spare.
/// </summary>
internal static class ArrayGrowth
{
    /// <summary>An array of fewer elements doubles, whatever is expected.</summary>
    private const int LeastExpected = 1_024;

    private const int LeastElements = 16;

    /// <summary>Elements of the next array.</summary>
    /// <param name="expected">0: unknown.</param>
    public static int Next(int elements, int expected)
    {
        var room = expected + (expected >> 4);
        return (int)Math.Min(elements >= LeastExpected && room > elements ? room : Math.Max(LeastElements, elements * 2L), Array.MaxLength);
    }

    /// <summary>Replaces a full array by a larger one whose elements from <paramref name="used"/> on mean nothing.</summary>
    public static void Grow<T>(ref T[] array, int used, int expected)
        where T : unmanaged
    {
        var larger = GC.AllocateUninitializedArray<T>(Next(array.Length, expected));
        array.AsSpan(0, used).CopyTo(larger);
        array = larger;
    }
}
