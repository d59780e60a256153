using System.Buffers.Binary;
using Apm.Storage.Columns;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Encodings;

/// <summary>
/// Typed values one after another (FORMAT.md "Value list"): a dictionary of distinct values, or the values of a raw column in a block. Immutable.
/// </summary>
internal sealed class ValueList : ValueDictionary
{
    /// <summary>Most bytes of content in one list.</summary>
    public const long MaxContentBytes = 1L << 30;

    private readonly byte[] _types;
    private readonly long[] _bits;
    private readonly int[] _ends;
    private readonly byte[] _content;
    private Dictionary<ulong, int[]>? _codesByHash;

    private ValueList(byte[] types, long[] bits, int[] ends, byte[] content)
    {
        _types = types;
        _bits = bits;
        _ends = ends;
        _content = content;
    }

    public override int Count => _types.Length;

    /// <summary>Memory held, for the cache's bound; counts the index of <see cref="FindCodes"/> as if it were built.</summary>
    public long SizeBytes => _types.Length + (12L * _bits.Length) + _content.Length + (64L * _types.Length);

    public override AttributeType GetType(int code) => (AttributeType)_types[code];

    public override long GetBits(int code) => _bits[code];

    public override ReadOnlySpan<byte> GetContent(int code)
    {
        var start = code == 0 ? 0 : _ends[code - 1];
        return _content.AsSpan(start, _ends[code] - start);
    }

    public static ValueList Decode(ref ChunkReader reader, int count)
    {
        var types = new byte[count];
        var bits = new long[count];
        var ends = new int[count];
        IntColumn.Decode<byte>(ref reader, types);
        IntColumn.Decode<long>(ref reader, bits);
        long end = 0;
        for (var code = 0; code < count; code++)
        {
            if (types[code] > (byte)AttributeType.KeyValueList)
            {
                throw reader.Corrupt($"value type {types[code]} is unknown");
            }
            if (((AttributeType)types[code]).HasContent())
            {
                if (bits[code] < 0 || bits[code] > MaxContentBytes)
                {
                    throw reader.Corrupt($"a value of {bits[code]} bytes is above {MaxContentBytes}");
                }
                end += bits[code];
                bits[code] = 0;
            }
            if (end > reader.Remaining)
            {
                throw reader.Corrupt("the values' content ends early");
            }
            ends[code] = (int)end;
        }
        return new ValueList(types, bits, ends, reader.Bytes((int)end).ToArray());
    }

    /// <summary>Codes of the values with the <see cref="ValueHash"/>; there may be others than the one looked for. The index is built at the first call.</summary>
    public ReadOnlySpan<int> FindCodes(ulong hash) =>
        (_codesByHash ??= BuildIndex()).TryGetValue(hash, out var codes) ? codes : default;

    private Dictionary<ulong, int[]> BuildIndex()
    {
        var index = new Dictionary<ulong, int[]>(Count);
        for (var code = 0; code < Count; code++)
        {
            var hash = ValueHash.Of(GetType(code), GetBits(code), GetContent(code));
            index[hash] = index.TryGetValue(hash, out var codes) ? [.. codes, code] : [code];
        }
        return index;
    }
}
