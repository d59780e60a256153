using System.Buffers.Binary;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>A growable buffer with the primitive encodings of FORMAT.md: little-endian integers, varints (LEB128), zigzag. Reused by <see cref="Clear"/>.</summary>
internal sealed class ByteWriter
{
    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Byte(byte value)
    {
        if (Length == _bytes.Length)
        {
            Grow(1);
        }
        _bytes[Length++] = value;
    }

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

    public void VarUInt(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }
        Byte((byte)value);
    }

    public void VarInt(long value) => VarUInt(ZigZag(value));

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>Length, then the bytes.</summary>
    public void LengthPrefixed(ReadOnlySpan<byte> value)
    {
        VarUInt((ulong)value.Length);
        Bytes(value);
    }

    /// <summary>The next bytes, to be filled by the caller; their content is undefined before.</summary>
    public Span<byte> Take(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Grow(count);
        }
        var span = _bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }

    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    public static int VarUIntSize(ulong value) => value == 0 ? 1 : (70 - System.Numerics.BitOperations.LeadingZeroCount(value)) / 7;

    private void Grow(int count) => Array.Resize(ref _bytes, (int)Math.Min(Math.Max(_bytes.Length * 2L, Length + (long)count), Array.MaxLength));
}
