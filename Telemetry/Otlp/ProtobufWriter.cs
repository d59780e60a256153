using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Apm.Telemetry.Otlp;

/// <summary>
/// Writes protobuf fields to pooled memory, canonically: shortest varints, nested lengths filled in when a message ends. Used by one thread; disposing
/// returns the memory.
/// </summary>
public sealed class ProtobufWriter : IDisposable
{
    private const int MaxVarintBytes = 10;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(4096);

    public int Length { get; private set; }

    /// <summary>What was written; valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>As <see cref="Written"/>.</summary>
    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

    public void Clear() => Length = 0;

    /// <summary>uint32, uint64, int32, int64, bool or enum (negative numbers sign-extended to 64 bits).</summary>
    public void WriteVarint(int field, ulong value)
    {
        Reserve(2 * MaxVarintBytes);
        PutVarint((uint)field << 3);
        PutVarint(value);
    }

    public void WriteFixed64(int field, ulong value)
    {
        Reserve(MaxVarintBytes + 8);
        PutVarint((uint)field << 3 | 1);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(Length), value);
        Length += 8;
    }

    public void WriteDouble(int field, double value) => WriteFixed64(field, BitConverter.DoubleToUInt64Bits(value));

    public void WriteFixed32(int field, uint value)
    {
        Reserve(MaxVarintBytes + 4);
        PutVarint((uint)field << 3 | 5);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(Length), value);
        Length += 4;
    }

    /// <summary>bytes, string (UTF-8) or an encoded message.</summary>
    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        Reserve(2 * MaxVarintBytes + value.Length);
        PutVarint((uint)field << 3 | 2);
        PutVarint((uint)value.Length);
        value.CopyTo(_buffer.AsSpan(Length));
        Length += value.Length;
    }

    public void WriteString(int field, string value)
    {
        var message = BeginMessage(field);
        Reserve(Encoding.UTF8.GetMaxByteCount(value.Length));
        Length += Encoding.UTF8.GetBytes(value, _buffer.AsSpan(Length));
        EndMessage(message);
    }

    /// <summary>Bytes as they are, inside the open message.</summary>
    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(Length));
        Length += bytes.Length;
    }

    /// <summary>Starts a nested message; every field written until <see cref="EndMessage"/> is in it.</summary>
    /// <returns>What EndMessage wants.</returns>
    public int BeginMessage(int field)
    {
        Reserve(MaxVarintBytes + 1);
        PutVarint((uint)field << 3 | 2);
        return ++Length;
    }

    /// <summary>Ends the innermost open message. One of 128 bytes or more is moved up to make room for its length; frames of a request are few, so that is cheap.</summary>
    public void EndMessage(int message)
    {
        var size = Length - message;
        var extra = 0;
        for (var rest = (uint)size >> 7; rest != 0; rest >>= 7)
        {
            extra++;
        }
        if (extra > 0)
        {
            Reserve(extra);
            _buffer.AsSpan(message, size).CopyTo(_buffer.AsSpan(message + extra));
        }
        Length = message - 1;
        PutVarint((uint)size);
        Length += size;
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        Length = 0;
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void PutVarint(ulong value)
    {
        while (value >= 0x80)
        {
            _buffer[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        _buffer[Length++] = (byte)value;
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Length - Length >= bytes)
        {
            return;
        }
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(2L * _buffer.Length, (long)Length + bytes), Array.MaxLength));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
