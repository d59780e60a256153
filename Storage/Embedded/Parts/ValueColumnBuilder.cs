using Apm.Storage.Columns;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Values of one column of a part being written: the distinct ones, and for each entry which. Entries come block by block.</summary>
internal sealed class ValueColumnBuilder(ValueScope scope, byte[] key, StringTable strings)
{
    private long[] _bits = new long[16];
    private AttributeType[] _types = new AttributeType[16];
    private int[] _slots = new int[32];
    private int[] _codes = new int[16];
    private readonly List<(int Block, int Start)> _blocks = [];
    private long _contentBytes;
    private int _last = -1;

    public ValueScope Scope { get; } = scope;

    /// <summary>UTF-8, or whatever bytes were sent.</summary>
    public byte[] Key { get; } = key;

    public int Distinct { get; private set; }

    public int Entries { get; private set; }

    /// <summary>Blocks that have entries.</summary>
    public int BlockCount => _blocks.Count;

    public bool IsDictionary =>
        (Distinct <= PartFormat.SmallDictionaryValues || Entries >= (long)Distinct * PartFormat.MinUsesPerDictionaryValue) && _contentBytes <= PartFormat.MaxDictionaryBytes;

    public int BlockNumber(int index) => _blocks[index].Block;

    /// <summary>Codes of the entries in the index-th block that has any.</summary>
    public ReadOnlySpan<int> BlockCodes(int index)
    {
        var start = _blocks[index].Start;
        var end = index + 1 < _blocks.Count ? _blocks[index + 1].Start : Entries;
        return _codes.AsSpan(start, end - start);
    }

    public (AttributeType Type, long Bits) Value(int code) => (_types[code], _bits[code]);

    public void Add(int block, AttributeType type, long bits)
    {
        if (_blocks.Count == 0 || _blocks[^1].Block != block)
        {
            _blocks.Add((block, Entries));
        }
        if (Entries == _codes.Length)
        {
            Array.Resize(ref _codes, Entries * 2);
        }
        if (_last < 0 || _bits[_last] != bits || _types[_last] != type)
        {
            _last = CodeOf(type, bits);
        }
        _codes[Entries++] = _last;
    }

    private int CodeOf(AttributeType type, long bits)
    {
        var mask = _slots.Length - 1;
        var slot = SlotOf(type, bits, mask);
        while (_slots[slot] != 0)
        {
            var code = _slots[slot] - 1;
            if (_bits[code] == bits && _types[code] == type)
            {
                return code;
            }
            slot = (slot + 1) & mask;
        }
        if (Distinct == _bits.Length)
        {
            Array.Resize(ref _bits, Distinct * 2);
            Array.Resize(ref _types, Distinct * 2);
        }
        _bits[Distinct] = bits;
        _types[Distinct] = type;
        _contentBytes += type.HasContent() ? strings[(int)bits].Length : 0;
        _slots[slot] = ++Distinct;
        if (Distinct * 2 > _slots.Length)
        {
            Rehash();
        }
        return Distinct - 1;
    }

    private static int SlotOf(AttributeType type, long bits, int mask)
    {
        var hash = ((ulong)bits ^ ((ulong)type << 60)) * 0x9E3779B97F4A7C15UL;
        return (int)(hash >> 32) & mask;
    }

    private void Rehash()
    {
        _slots = new int[_slots.Length * 4];
        var mask = _slots.Length - 1;
        for (var code = 0; code < Distinct; code++)
        {
            var slot = SlotOf(_types[code], _bits[code], mask);
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }
            _slots[slot] = code + 1;
        }
    }
}
