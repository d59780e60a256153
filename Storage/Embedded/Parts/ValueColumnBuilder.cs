using System.Buffers;
using System.Runtime.CompilerServices;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Values of one column of a head being sealed, added block by block: the different ones, and for each entry which. A column that soon has many different
/// values does not look for equal ones any more. Holds pooled memory until it is disposed.
/// </summary>
internal sealed class ValueColumnBuilder : ContentColumn, IDisposable
{
    private const int FirstEntries = 256;
    private const int FirstValues = 32;

    /// <summary>Entries after which a column of mostly different values is taken to go on like that.</summary>
    private const int JudgedEntries = 4_096;

    private readonly int _id;
    private readonly IReadOnlyList<BatchMap> _maps;
    private readonly List<(int Block, int Start)> _blocks = [];

    /// <summary>Of each entry, the number of its value.</summary>
    private int[] _codes = ArrayPool<int>.Shared.Rent(FirstEntries);
    private int _entries;
    private int _block = -1;

    /// <summary>Of each value: bits, or for types with content <see cref="BatchMap.Pack"/> of the batch and the string code.</summary>
    private long[] _bits = ArrayPool<long>.Shared.Rent(FirstValues);
    private AttributeType[] _types = ArrayPool<AttributeType>.Shared.Rent(FirstValues);
    private uint[] _hashes = ArrayPool<uint>.Shared.Rent(FirstValues);
    private int _values;
    private int _last = -1;
    private long _contentBytes;

    /// <summary>A value's number plus 1, found by its hash; a power of two, at most half full. Empty when equal values are not looked for any more.</summary>
    private int[] _slots = new int[FirstValues * 2];

    /// <param name="id">Of the column among all of the part, from 1.</param>
    public ValueColumnBuilder(int id, ValueScope scope, byte[] key, IReadOnlyList<BatchMap> maps)
        : base(scope, key)
    {
        _id = id;
        _maps = maps;
    }

    public override long Entries => _entries;

    public override int Distinct => _values;

    public override bool IsDictionary => _slots.Length > 0 && HasDictionary(_values, _entries, _contentBytes);

    public override int BlockCount => _blocks.Count;

    public override int BlockNumber(int index) => _blocks[index].Block;

    public override int BlockEntries(int index) => CodesOf(index).Length;

    public override void ReadCodes(int index, Span<int> codes) => CodesOf(index).CopyTo(codes);

    public override void ReadValues(int index, ValueListWriter values)
    {
        foreach (var code in CodesOf(index))
        {
            Write(code, values);
        }
    }

    public override void ReadDictionary(ValueListWriter values)
    {
        for (var code = 0; code < _values; code++)
        {
            Write(code, values);
        }
    }

    /// <param name="block">Not before that of the call before.</param>
    /// <param name="bits">As <see cref="AttributeTable.Bits"/>, of the map's batch.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int block, BatchMap map, AttributeType type, long bits)
    {
        if (_block != block || _entries == _codes.Length)
        {
            Prepare(block);
        }
        if (type == AttributeType.String && map.Values[(int)bits] is var known && BatchMap.IsOf(known, _id))
        {
            _codes[_entries++] = (int)known;
        }
        else
        {
            _codes[_entries++] = Find(map, type, bits);
        }
    }

    /// <summary>Adds the empty string so many times.</summary>
    public void AddEmpty(int block, BatchMap map, int count)
    {
        if (count == 0)
        {
            return;
        }
        Add(block, map, AttributeType.String, 0);
        var code = _codes[_entries - 1];
        for (var left = count - 1; left > 0;)
        {
            if (_entries == _codes.Length)
            {
                Prepare(block);
            }
            var some = Math.Min(left, _codes.Length - _entries);
            _codes.AsSpan(_entries, some).Fill(code);
            _entries += some;
            left -= some;
        }
    }

    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_codes);
        ArrayPool<long>.Shared.Return(_bits);
        ArrayPool<AttributeType>.Shared.Return(_types);
        ArrayPool<uint>.Shared.Return(_hashes);
    }

    private void Prepare(int block)
    {
        if (_block != block)
        {
            _block = block;
            _blocks.Add((block, _entries));
        }
        if (_entries == _codes.Length)
        {
            Grow(ref _codes, _entries);
        }
        if (_entries >= JudgedEntries && _values > _entries / 2)
        {
            _slots = [];
        }
    }

    private static void Grow<T>(ref T[] array, int used)
    {
        var larger = ArrayPool<T>.Shared.Rent(used * 2);
        array.AsSpan(0, used).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }

    private ReadOnlySpan<int> CodesOf(int index)
    {
        var start = _blocks[index].Start;
        var end = index + 1 < _blocks.Count ? _blocks[index + 1].Start : _entries;
        return _codes.AsSpan(start, end - start);
    }

    private void Write(int code, ValueListWriter values)
    {
        if (_types[code].HasContent())
        {
            values.AddContent(_types[code], Content(_bits[code]));
        }
        else
        {
            values.AddBits(_types[code], _bits[code]);
        }
    }

    private ReadOnlySpan<byte> Content(long packed) => _maps[(int)(packed >> 32)].Batch.Strings[(int)packed];

    private int Find(BatchMap map, AttributeType type, long bits)
    {
        if (!type.HasContent())
        {
            if (_last < 0 || _bits[_last] != bits || _types[_last] != type)
            {
                _last = Find(type, bits, HashOf(type, (ulong)bits), default);
            }
            return _last;
        }
        var content = map.Batch.Strings[(int)bits];
        var code = Find(type, (long)BatchMap.Pack(map.Number, (int)bits), HashOf(type, map.Batch.Strings.HashOf((int)bits)), content);
        if (type == AttributeType.String)
        {
            map.Values[(int)bits] = BatchMap.Pack(_id, code);
        }
        return code;
    }

    private static uint HashOf(AttributeType type, ulong value) => (uint)(((value ^ ((ulong)type << 60)) * 0x9E3779B97F4A7C15UL) >> 32);

    private int Find(AttributeType type, long bits, uint hash, ReadOnlySpan<byte> content)
    {
        if (_slots.Length == 0)
        {
            return Append(type, bits, hash, content.Length);
        }
        var mask = _slots.Length - 1;
        var slot = (int)hash & mask;
        while (_slots[slot] != 0)
        {
            var code = _slots[slot] - 1;
            if (_hashes[code] == hash && _types[code] == type && (_bits[code] == bits || (type.HasContent() && Content(_bits[code]).SequenceEqual(content))))
            {
                return code;
            }
            slot = (slot + 1) & mask;
        }
        _slots[slot] = _values + 1;
        var added = Append(type, bits, hash, content.Length);
        if (_values * 2 > _slots.Length)
        {
            Rehash();
        }
        return added;
    }

    private int Append(AttributeType type, long bits, uint hash, int contentBytes)
    {
        if (_values == _bits.Length)
        {
            Grow(ref _bits, _values);
        }
        if (_values == _types.Length)
        {
            Grow(ref _types, _values);
        }
        if (_values == _hashes.Length)
        {
            Grow(ref _hashes, _values);
        }
        _bits[_values] = bits;
        _types[_values] = type;
        _hashes[_values] = hash;
        _contentBytes += contentBytes;
        return _values++;
    }

    private void Rehash()
    {
        _slots = new int[_slots.Length * 4];
        var mask = _slots.Length - 1;
        for (var code = 0; code < _values; code++)
        {
            var slot = (int)_hashes[code] & mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }
            _slots[slot] = code + 1;
        }
    }
}
