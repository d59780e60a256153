using System.Buffers.Binary;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// Reads the primitive encodings from a chunk whose checksum was verified. Whatever the bytes say, reads stay inside them: anything that does not fit
/// throws <see cref="CorruptPartException"/> with the chunk's place in its file.
/// </summary>
internal ref struct ChunkReader
{
    /// <summary>Readable bytes that follow the content in every buffer handed to a reader, so that packed integers can be read 8 bytes at a time.</summary>
    public const int SlackBytes = 8;

    private readonly ReadOnlySpan<byte> _buffer;
    private readonly int _length;
    private readonly string _path;
    private readonly long _fileOffset;
    private int _position;

    /// <param name="buffer">The content and at least <see cref="SlackBytes"/> more.</param>
    public ChunkReader(ReadOnlySpan<byte> buffer, int length, string path, long fileOffset)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length + SlackBytes, buffer.Length);
        _buffer = buffer;
        _length = length;
        _path = path;
        _fileOffset = fileOffset;
    }

    public readonly int Remaining => _length - _position;

    /// <summary>Bytes read so far.</summary>
    public readonly int Position => _position;

    public readonly CorruptPartException Corrupt(string message) => new(_path, _fileOffset, message);

    public byte Byte()
    {
        if (_position >= _length)
        {
            throw Corrupt("the content ends early");
        }
        return _buffer[_position++];
    }

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    public ulong VarUInt()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
        throw Corrupt("a variable-length integer is longer than 10 bytes");
    }

    public long VarInt()
    {
        var value = VarUInt();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>A count or length that is at most <paramref name="maximum"/>.</summary>
    public int Count(long maximum)
    {
        var value = VarUInt();
        if (value > (ulong)maximum)
        {
            throw Corrupt($"a count of {value} is above {maximum}");
        }
        return (int)value;
    }

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > Remaining)
        {
            throw Corrupt($"{count} bytes are wanted and {Remaining} are left");
        }
        var bytes = _buffer.Slice(_position, count);
        _position += count;
        return bytes;
    }

    /// <summary>As <see cref="Bytes"/>, with <see cref="SlackBytes"/> more at the end whose content means nothing.</summary>
    public ReadOnlySpan<byte> BytesAndSlack(int count)
    {
        var start = _position;
        Bytes(count);
        return _buffer.Slice(start, count + SlackBytes);
    }

    public ReadOnlySpan<byte> LengthPrefixed() => Bytes(Count(Remaining));

    public readonly void ExpectEnd()
    {
        if (Remaining != 0)
        {
            throw Corrupt($"{Remaining} bytes follow the content");
        }
    }
}
