using Apm.Storage.Columns;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>Collects typed values and writes them as a value list; reused by <see cref="Clear"/>.</summary>
internal sealed class ValueListWriter
{
    private readonly ByteWriter _content = new();
    private long[] _types = new long[64];
    private long[] _bits = new long[64];

    public int Count { get; private set; }

    public void Clear()
    {
        Count = 0;
        _content.Clear();
    }

    /// <param name="bits">As <see cref="AttributeTable.Bits"/>: a code in <paramref name="strings"/> for types with content.</param>
    public void Add(AttributeType type, long bits, StringTable strings)
    {
        if (type.HasContent())
        {
            AddContent(type, strings[(int)bits]);
        }
        else
        {
            AddBits(type, bits);
        }
    }

    /// <param name="type">One with content.</param>
    public void AddContent(AttributeType type, ReadOnlySpan<byte> content)
    {
        AddBits(type, content.Length);
        _content.Bytes(content);
    }

    /// <param name="type">One without content.</param>
    public void AddBits(AttributeType type, long bits)
    {
        if (Count == _types.Length)
        {
            Array.Resize(ref _types, Count * 2);
            Array.Resize(ref _bits, Count * 2);
        }
        _types[Count] = (long)type;
        _bits[Count++] = bits;
    }

    /// <summary>Adds the hash of each value as one of the column, for the block's bloom.</summary>
    public void AddHashesTo(HashSet<ulong> hashes, ulong columnHash)
    {
        var content = _content.Written;
        for (var i = 0; i < Count; i++)
        {
            var type = (AttributeType)_types[i];
            var length = type.HasContent() ? (int)_bits[i] : 0;
            hashes.Add(ValueHash.InColumn(columnHash, ValueHash.Of(type, _bits[i], content[..length])));
            content = content[length..];
        }
    }

    public void WriteTo(ByteWriter writer)
    {
        IntColumn.Encode(_types.AsSpan(0, Count), writer);
        IntColumn.Encode(_bits.AsSpan(0, Count), writer);
        writer.Bytes(_content.Written);
    }
}
