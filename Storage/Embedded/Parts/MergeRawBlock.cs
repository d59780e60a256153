using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>The values of a raw column in one block, decoded only as far as is needed to copy some of them. Reused.</summary>
internal sealed class MergeRawBlock
{
    private byte[] _types = [];
    private long[] _bits = [];
    private int[] _starts = [];
    private byte[] _content = [];
    private int _count;

    public void Decode(ref ChunkReader reader, int count)
    {
        _count = count;
        var types = MergeInput.Room(ref _types, count);
        var bits = MergeInput.Room(ref _bits, count);
        var starts = MergeInput.Room(ref _starts, count + 1);
        IntColumn.Decode(ref reader, types);
        IntColumn.Decode(ref reader, bits);
        var rest = reader.Remaining;
        starts[0] = 0;
        for (var i = 0; i < count; i++)
        {
            if (types[i] > (byte)AttributeType.KeyValueList)
            {
                throw reader.Corrupt($"value type {types[i]} is unknown");
            }
            var length = ((AttributeType)types[i]).HasContent() ? bits[i] : 0;
            starts[i + 1] = (ulong)length <= (ulong)(rest - starts[i]) ? starts[i] + (int)length : throw reader.Corrupt("the values' content ends early");
        }
        reader.Bytes(starts[count]).CopyTo(MergeInput.Room(ref _content, starts[count]));
        reader.ExpectEnd();
    }

    public void WriteTo(ValueListWriter writer, int first, int count) => writer.AddAll(
        _types.AsSpan(0, _count).Slice(first, count), _bits.AsSpan(first, count), _content.AsSpan(_starts[first].._starts[first + count]));
}
