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

    /// <summary>Adds values as a list has them.</summary>
    /// <param name="bits">The length of the content for types with content.</param>
    /// <param name="content">Of all the values, one after another.</param>
    public void AddAll(ReadOnlySpan<byte> types, ReadOnlySpan<long> bits, ReadOnlySpan<byte> content)
    {
        if (_types.Length < Count + types.Length)
        {
            var capacity = Math.Max(Count + types.Length, _types.Length * 2);
            Array.Resize(ref _types, capacity);
            Array.Resize(ref _bits, capacity);
        }
        var target = _types.AsSpan(Count, types.Length);
        for (var i = 0; i < types.Length; i++)
        {
            target[i] = types[i];
        }
        bits.CopyTo(_bits.AsSpan(Count));
        Count += types.Length;
        _content.Bytes(content);
    }

    /// <summary>Adds the hash of each value as one of the column, for the block's bloom.</summary>
    public void AddHashesTo(HashCollection hashes, ulong columnHash)
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

    /// <summary>Adds each value to a filter of texts; false when one has another text than its content, as only strings and absent values do not.</summary>
    public bool TryAddTexts(TextFilter.Builder filter)
    {
        var content = _content.Written;
        for (var i = 0; i < Count; i++)
        {
            if ((AttributeType)_types[i] == AttributeType.String)
            {
                filter.Add(content[..(int)_bits[i]]);
                content = content[(int)_bits[i]..];
            }
            else if ((AttributeType)_types[i] != AttributeType.Empty)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The lowest and highest value when all are integers.</summary>
    public bool TryGetRange(out long lowest, out long highest)
    {
        (lowest, highest) = (long.MaxValue, long.MinValue);
        if (Count == 0 || _types.AsSpan(0, Count).ContainsAnyExcept((long)AttributeType.Int64))
        {
            return false;
        }
        foreach (var value in _bits.AsSpan(0, Count))
        {
            lowest = Math.Min(lowest, value);
            highest = Math.Max(highest, value);
        }
        return true;
    }

    public void WriteTo(ByteWriter writer)
    {
        IntColumn.Encode(_types.AsSpan(0, Count), writer);
        IntColumn.Encode(_bits.AsSpan(0, Count), writer);
        writer.Bytes(_content.Written);
    }
}
