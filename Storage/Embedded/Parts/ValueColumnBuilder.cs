using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Values of one column of a part being written: the distinct ones, and for each entry which. Entries come block by block.</summary>
internal sealed class ValueColumnBuilder(ValueScope scope, byte[] key, StringTable strings) : ContentColumn(scope, key)
{
    private long[] _bits = new long[16];
    private AttributeType[] _types = new AttributeType[16];
    private int[] _slots = new int[32];
    private int[] _codes = new int[16];
    private readonly List<(int Block, int Start)> _blocks = [];
    private long _contentBytes;
    private int _last = -1;

    private int _distinct;
    private int _entries;

    public override long Entries => _entries;

    public override int Distinct => _distinct;

    public override bool IsDictionary => HasDictionary(_distinct, _entries, _contentBytes);

    public override int BlockCount => _blocks.Count;

    public override int BlockNumber(int index) => _blocks[index].Block;

    public override int BlockEntries(int index) => CodesOf(index).Length;

    public override void ReadCodes(int index, Span<int> codes) => CodesOf(index).CopyTo(codes);

    public override void ReadValues(int index, ValueListWriter values)
    {
        foreach (var code in CodesOf(index))
        {
            values.Add(_types[code], _bits[code], strings);
        }
    }

    public override void ReadDictionary(ValueListWriter values)
    {
        for (var code = 0; code < _distinct; code++)
        {
            values.Add(_types[code], _bits[code], strings);
        }
    }

    public void Add(int block, AttributeType type, long bits)
    {
        if (_blocks.Count == 0 || _blocks[^1].Block != block)
        {
            _blocks.Add((block, _entries));
        }
        if (_entries == _codes.Length)
        {
            Array.Resize(ref _codes, _entries * 2);
        }
        if (_last < 0 || _bits[_last] != bits || _types[_last] != type)
        {
            _last = CodeOf(type, bits);
        }
        _codes[_entries++] = _last;
    }

    private ReadOnlySpan<int> CodesOf(int index)
    {
        var start = _blocks[index].Start;
        var end = index + 1 < _blocks.Count ? _blocks[index + 1].Start : _entries;
        return _codes.AsSpan(start, end - start);
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
        if (_distinct == _bits.Length)
        {
            Array.Resize(ref _bits, _distinct * 2);
            Array.Resize(ref _types, _distinct * 2);
        }
        _bits[_distinct] = bits;
        _types[_distinct] = type;
        _contentBytes += type.HasContent() ? strings[(int)bits].Length : 0;
        _slots[slot] = ++_distinct;
        if (_distinct * 2 > _slots.Length)
        {
            Rehash();
        }
        return _distinct - 1;
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
        for (var code = 0; code < _distinct; code++)
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
