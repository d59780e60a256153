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
    private readonly AttributeType? _onlyType;
    private readonly long[] _bits;
    private readonly int[] _ends;
    private readonly ReadOnlyMemory<byte> _content;

    private ValueList(int count, in Arrays arrays, AttributeType? onlyType, ReadOnlyMemory<byte> content, bool isOfBlock)
    {
        Count = count;
        IsOfBlock = isOfBlock;
        _types = arrays.Types;
        _bits = arrays.Bits;
        _ends = arrays.Ends;
        _onlyType = onlyType;
        _content = content;
    }

    /// <summary>Where a list keeps its values: each as long as the list or longer.</summary>
    public readonly record struct Arrays(byte[] Types, long[] Bits, int[] Ends);

    public override int Count { get; }

    public override bool IsOfBlock { get; }

    /// <summary>Memory held, for the cache's bound.</summary>
    public long SizeBytes => (13L * Count) + _content.Length;

    public override AttributeType GetType(int code) => _onlyType ?? (AttributeType)_types[code];

    public override long GetBits(int code) => GetType(code).HasContent() ? 0 : _bits[code];

    public override ReadOnlySpan<byte> GetContent(int code)
    {
        var start = code == 0 ? 0 : _ends[code - 1];
        return _content.Span[start.._ends[code]];
    }

    public override bool TryGetStrings(out ReadOnlySpan<byte> contents, out ReadOnlySpan<int> ends)
    {
        contents = _content.Span;
        ends = _ends.AsSpan(0, Count);
        return _onlyType == AttributeType.String;
    }

    /// <summary>Whether all values have one type, which is not <see cref="AttributeType.Empty"/>.</summary>
    public bool IsNowhereEmpty => _onlyType is not null and not AttributeType.Empty;

    /// <summary>A list that keeps its values as long as it lives.</summary>
    public static ValueList Decode(ref ChunkReader reader, int count)
    {
        var arrays = new Arrays(new byte[count], new long[count], new int[count]);
        var onlyType = Decode(ref reader, count, arrays, out var contentBytes);
        return new ValueList(count, arrays, onlyType, reader.Bytes(contentBytes).ToArray(), isOfBlock: false);
    }

    /// <summary>A list that is good for as long as the arrays and the chunk are lent to it.</summary>
    /// <param name="chunk">What <paramref name="reader"/> reads.</param>
    public static ValueList DecodeInPlace(ref ChunkReader reader, int count, in Arrays arrays, ReadOnlyMemory<byte> chunk)
    {
        var onlyType = Decode(ref reader, count, arrays, out var contentBytes);
        var content = chunk.Slice(reader.Position, contentBytes);
        reader.Bytes(contentBytes);
        return new ValueList(count, arrays, onlyType, content, isOfBlock: true);
    }

    /// <returns>The type of all values, when they have one.</returns>
    private static AttributeType? Decode(ref ChunkReader reader, int count, in Arrays arrays, out int contentBytes)
    {
        var types = arrays.Types.AsSpan(0, count);
        var bits = arrays.Bits.AsSpan(0, count);
        IntColumn.Decode(ref reader, types);
        IntColumn.Decode(ref reader, bits);
        AttributeType? onlyType = count > 0 && !types.ContainsAnyExcept(types[0]) ? (AttributeType)types[0] : null;
        var highest = AttributeType.Empty;
        long end = 0;
        for (var code = 0; code < bits.Length; code++)
        {
            var type = (AttributeType)types[code];
            highest = type > highest ? type : highest;
            if (type.HasContent())
            {
                if ((ulong)bits[code] > MaxContentBytes || end > MaxContentBytes)
                {
                    throw reader.Corrupt($"a value of {bits[code]} bytes is above {MaxContentBytes}");
                }
                end += bits[code];
            }
            arrays.Ends[code] = (int)end;
        }
        if (highest > AttributeType.KeyValueList)
        {
            throw reader.Corrupt($"value type {(byte)highest} is unknown");
        }
        if (end > reader.Remaining)
        {
            throw reader.Corrupt("the values' content ends early");
        }
        contentBytes = (int)end;
        return onlyType;
    }
}
