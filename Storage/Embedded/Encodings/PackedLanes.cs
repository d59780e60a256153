using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// Unpacks integers several at a time, where the processor can spread the bits of a word over lanes (BMI2): 8 of up to 8 bits, 4 of up to 16, 2 of up to 28.
/// </summary>
internal static class PackedLanes
{
    /// <summary>With a shift of up to 7 bits, two of them are within the 8 bytes that are read at once.</summary>
    private const int MaxBits = 28;

    /// <returns>How many values were read, from the first on; the caller reads the others.</returns>
    /// <param name="packed">With 8 bytes behind the last value.</param>
    public static int Read<T>(ReadOnlySpan<byte> packed, long minimum, int bits, Span<T> values)
        where T : unmanaged
    {
        if (!Bmi2.X64.IsSupported || bits > MaxBits)
        {
            return 0;
        }
        if (typeof(T) == typeof(int))
        {
            var ints = MemoryMarshal.Cast<T, int>(values);
            return bits <= 8 ? ReadEights(packed, (int)minimum, bits, ints) : bits <= 16 ? ReadFours(packed, (int)minimum, bits, ints) : ReadTwos(packed, (int)minimum, bits, ints);
        }
        if (typeof(T) == typeof(long))
        {
            var longs = MemoryMarshal.Cast<T, long>(values);
            return bits <= 8 ? ReadEights(packed, minimum, bits, longs) : bits <= 16 ? ReadFours(packed, minimum, bits, longs) : ReadTwos(packed, minimum, bits, longs);
        }
        return typeof(T) == typeof(byte) && bits <= 8 ? ReadEights(packed, (byte)minimum, bits, MemoryMarshal.Cast<T, byte>(values)) : 0;
    }

    private static ulong Lanes8(ReadOnlySpan<byte> packed, int at, ulong mask) => Bmi2.X64.ParallelBitDeposit(BinaryPrimitives.ReadUInt64LittleEndian(packed[at..]), mask);

    private static ulong Lanes(ReadOnlySpan<byte> packed, long bit, ulong mask) =>
        Bmi2.X64.ParallelBitDeposit(BinaryPrimitives.ReadUInt64LittleEndian(packed[(int)(bit >> 3)..]) >> (int)(bit & 7), mask);

    private static int ReadEights(ReadOnlySpan<byte> packed, byte minimum, int bits, Span<byte> values)
    {
        var mask = 0x0101010101010101UL * ((1UL << bits) - 1);
        var low = Vector64.Create(minimum);
        var i = 0;
        for (var at = 0; i + 8 <= values.Length; i += 8, at += bits)
        {
            (Vector64.Create(Lanes8(packed, at, mask)).AsByte() + low).CopyTo(values[i..]);
        }
        return i;
    }

    private static int ReadEights(ReadOnlySpan<byte> packed, int minimum, int bits, Span<int> values)
    {
        var mask = 0x0101010101010101UL * ((1UL << bits) - 1);
        var low = Vector128.Create(minimum);
        var i = 0;
        for (var at = 0; i + 8 <= values.Length; i += 8, at += bits)
        {
            var shorts = Vector128.WidenLower(Vector128.CreateScalar(Lanes8(packed, at, mask)).AsByte());
            var eight = values.Slice(i, 8);
            (Vector128.WidenLower(shorts).AsInt32() + low).CopyTo(eight);
            (Vector128.WidenUpper(shorts).AsInt32() + low).CopyTo(eight[4..]);
        }
        return i;
    }

    private static int ReadEights(ReadOnlySpan<byte> packed, long minimum, int bits, Span<long> values)
    {
        var mask = 0x0101010101010101UL * ((1UL << bits) - 1);
        var low = Vector128.Create(minimum);
        var i = 0;
        for (var at = 0; i + 8 <= values.Length; i += 8, at += bits)
        {
            var shorts = Vector128.WidenLower(Vector128.CreateScalar(Lanes8(packed, at, mask)).AsByte());
            Store(Vector128.WidenLower(shorts), low, values.Slice(i, 4));
            Store(Vector128.WidenUpper(shorts), low, values.Slice(i + 4, 4));
        }
        return i;
    }

    private static int ReadFours(ReadOnlySpan<byte> packed, int minimum, int bits, Span<int> values)
    {
        var mask = 0x0001000100010001UL * ((1UL << bits) - 1);
        var low = Vector128.Create(minimum);
        var i = 0;
        for (long bit = 0; i + 4 <= values.Length; i += 4, bit += 4 * bits)
        {
            (Vector128.WidenLower(Vector128.CreateScalar(Lanes(packed, bit, mask)).AsUInt16()).AsInt32() + low).CopyTo(values[i..]);
        }
        return i;
    }

    private static int ReadFours(ReadOnlySpan<byte> packed, long minimum, int bits, Span<long> values)
    {
        var mask = 0x0001000100010001UL * ((1UL << bits) - 1);
        var low = Vector128.Create(minimum);
        var i = 0;
        for (long bit = 0; i + 4 <= values.Length; i += 4, bit += 4 * bits)
        {
            Store(Vector128.WidenLower(Vector128.CreateScalar(Lanes(packed, bit, mask)).AsUInt16()), low, values.Slice(i, 4));
        }
        return i;
    }

    private static int ReadTwos(ReadOnlySpan<byte> packed, int minimum, int bits, Span<int> values)
    {
        var mask = 0x0000000100000001UL * ((1UL << bits) - 1);
        var low = Vector64.Create(minimum);
        var i = 0;
        for (long bit = 0; i + 2 <= values.Length; i += 2, bit += 2 * bits)
        {
            (Vector64.Create(Lanes(packed, bit, mask)).AsInt32() + low).CopyTo(values[i..]);
        }
        return i;
    }

    private static int ReadTwos(ReadOnlySpan<byte> packed, long minimum, int bits, Span<long> values)
    {
        var mask = 0x0000000100000001UL * ((1UL << bits) - 1);
        var low = Vector128.Create(minimum);
        var i = 0;
        for (long bit = 0; i + 2 <= values.Length; i += 2, bit += 2 * bits)
        {
            (Vector128.WidenLower(Vector128.CreateScalar(Lanes(packed, bit, mask)).AsUInt32()).AsInt64() + low).CopyTo(values[i..]);
        }
        return i;
    }

    private static void Store(Vector128<uint> four, Vector128<long> low, Span<long> values)
    {
        (Vector128.WidenLower(four).AsInt64() + low).CopyTo(values);
        (Vector128.WidenUpper(four).AsInt64() + low).CopyTo(values[2..]);
    }
}
