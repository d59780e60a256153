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
        if (Count == _types.Length)
        {
            Array.Resize(ref _types, Count * 2);
            Array.Resize(ref _bits, Count * 2);
        }
        _types[Count] = (long)type;
        if (type.HasContent())
        {
            var content = strings[(int)bits];
            bits = content.Length;
            _content.Bytes(content);
        }
        _bits[Count++] = bits;
    }

    public void WriteTo(ByteWriter writer)
    {
        IntColumn.Encode(_types.AsSpan(0, Count), writer);
        IntColumn.Encode(_bits.AsSpan(0, Count), writer);
        writer.Bytes(_content.Written);
    }
}
