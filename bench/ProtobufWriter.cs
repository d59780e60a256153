using System.Buffers.Binary;
using System.Text;

namespace Apm.Bench;

/// <summary>Writes protobuf fields into a growing buffer; nested messages are written to a child first, so that their length is known.</summary>
internal sealed class ProtobufWriter
{
    private byte[] _bytes = new byte[1 << 16];
    private ProtobufWriter? _child;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Varint(ulong value)
    {
        Reserve(10);
        while (value >= 0x80)
        {
            _bytes[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        _bytes[Length++] = (byte)value;
    }

    public void VarintField(int field, ulong value)
    {
        Varint((ulong)field << 3);
        Varint(value);
    }

    public void Fixed64Field(int field, ulong value)
    {
        Varint(((ulong)field << 3) | 1);
        Reserve(8);
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(Length), value);
        Length += 8;
    }

    public void Fixed32Field(int field, uint value)
    {
        Varint(((ulong)field << 3) | 5);
        Reserve(4);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(Length), value);
        Length += 4;
    }

    public void BytesField(int field, ReadOnlySpan<byte> value)
    {
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)value.Length);
        Reserve(value.Length);
        value.CopyTo(_bytes.AsSpan(Length));
        Length += value.Length;
    }

    public void StringField(int field, string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Varint(((ulong)field << 3) | 2);
        Varint((ulong)length);
        Reserve(length);
        Length += Encoding.UTF8.GetBytes(value, _bytes.AsSpan(Length));
    }

    /// <summary>A cleared writer for a nested message; write it with <see cref="EndMessage"/> before the next one begins.</summary>
    public ProtobufWriter BeginMessage()
    {
        _child ??= new ProtobufWriter();
        _child.Clear();
        return _child;
    }

    public void EndMessage(int field) => BytesField(field, _child!.Written);

    /// <summary>A KeyValue with a string value.</summary>
    public void Attribute(int field, string key, string value)
    {
        var keyValue = BeginMessage();
        keyValue.StringField(1, key);
        keyValue.BeginMessage().StringField(1, value);
        keyValue.EndMessage(2);
        EndMessage(field);
    }

    /// <summary>A KeyValue with an integer value.</summary>
    public void Attribute(int field, string key, long value)
    {
        var keyValue = BeginMessage();
        keyValue.StringField(1, key);
        keyValue.BeginMessage().VarintField(3, (ulong)value);
        keyValue.EndMessage(2);
        EndMessage(field);
    }

    private void Reserve(int count)
    {
        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }
    }
}
