using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Apm.Telemetry.Otlp;

/// <summary>
/// Walks the fields of one protobuf message without allocating. Every length is checked against the message's end:
/// bytes that are not a message throw <see cref="MalformedOtlpException"/>, never anything else.
/// </summary>
public ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private readonly ReadOnlySpan<byte> _message = message;
    private int _position;

    public readonly bool End => _position >= _message.Length;

    /// <summary>Bytes read so far, for error messages.</summary>
    public readonly int Position => _position;

    /// <summary>The next field's tag: field number &lt;&lt; 3 | wire type.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint ReadTag()
    {
        var tag = ReadVarint();
        if (tag is < 8 or > uint.MaxValue)
        {
            ThrowInvalidTag(tag);
        }
        return (uint)tag;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong ReadVarint()
    {
        if (_position < _message.Length)
        {
            var first = _message[_position];
            if (first < 0x80)
            {
                _position++;
                return first;
            }
        }
        return ReadLongVarint();
    }

    private ulong ReadLongVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (_position >= _message.Length)
            {
                throw new MalformedOtlpException($"the message ends inside a number at byte {_position}");
            }
            var next = _message[_position++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
        throw new MalformedOtlpException($"a number of more than 10 bytes at byte {_position}");
    }

    public ulong ReadFixed64()
    {
        if (!BinaryPrimitives.TryReadUInt64LittleEndian(_message[_position..], out var value))
        {
            ThrowEndsInValue();
        }
        _position += sizeof(ulong);
        return value;
    }

    public uint ReadFixed32()
    {
        if (!BinaryPrimitives.TryReadUInt32LittleEndian(_message[_position..], out var value))
        {
            ThrowEndsInValue();
        }
        _position += sizeof(uint);
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> ReadBytes()
    {
        var length = ReadVarint();
        if (length > (ulong)(_message.Length - _position))
        {
            ThrowTooLong(length);
        }
        var bytes = _message.Slice(_position, (int)length);
        _position += (int)length;
        return bytes;
    }

    /// <summary>Skips the value of a field whose tag was just read.</summary>
    public void Skip(uint tag)
    {
        switch (tag & 7)
        {
            case 0:
                ReadVarint();
                break;
            case 1:
                Need(8);
                _position += 8;
                break;
            case 2:
                ReadBytes();
                break;
            case 5:
                Need(4);
                _position += 4;
                break;
            default:
                throw new MalformedOtlpException($"unknown wire type {tag & 7} at byte {_position}");
        }
    }

    /// <summary>Skips a field that the caller does not know. One that it does know has come with the wrong wire type, so the bytes are not this message.</summary>
    /// <param name="knownFields">Bit n is set when field n is known.</param>
    public void SkipUnknown(uint tag, ulong knownFields)
    {
        var field = tag >> 3;
        if (field < 64 && (knownFields >> (int)field & 1) != 0)
        {
            throw new MalformedOtlpException($"field {field} cannot have wire type {tag & 7}, at byte {_position} of a message of {_message.Length}");
        }
        Skip(tag);
    }

    private readonly void Need(int bytes)
    {
        if (_message.Length - _position < bytes)
        {
            ThrowEndsInValue();
        }
    }

    // Apart, so that the reads are small enough to be inlined.

    [DoesNotReturn]
    private readonly void ThrowInvalidTag(ulong tag) => throw new MalformedOtlpException($"invalid field tag {tag} at byte {_position}");

    [DoesNotReturn]
    private readonly void ThrowEndsInValue() => throw new MalformedOtlpException($"the message ends inside a value at byte {_position}");

    [DoesNotReturn]
    private readonly void ThrowTooLong(ulong lengthBytes) =>
        throw new MalformedOtlpException($"a field of {lengthBytes} bytes at byte {_position} of a message of {_message.Length}");
}
