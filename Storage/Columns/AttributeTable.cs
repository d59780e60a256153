using Apm.Telemetry.Attributes;

namespace Apm.Storage.Columns;

/// <summary>
/// The attributes of a run of owners (resources, spans, events …), flat: owner i has entries <c>Start(i)</c> to <c>Start(i + 1)</c>.
/// Keys, strings and raw values are codes in the batch's <see cref="StringTable"/>. One writer; owners are closed in order.
/// </summary>
public sealed class AttributeTable
{
    private int[] _ends = new int[16];
    private int[] _keys = new int[64];
    private AttributeType[] _types = new AttributeType[64];
    private long[] _bits = new long[64];
    private int _expectedOwners;
    private int _expectedEntries;

    /// <summary>Owners closed so far.</summary>
    public int OwnerCount { get; private set; }

    /// <summary>Entries added so far, over all owners.</summary>
    public int EntryCount { get; private set; }

    public long SizeBytes => 4L * (_ends.Length + _keys.Length) + _types.Length + 8L * _bits.Length;

    /// <summary>The first entry of an owner; of <see cref="OwnerCount"/>: the end of the last.</summary>
    public int Start(int owner) => owner == 0 ? 0 : _ends[owner - 1];

    /// <summary>Per entry: code of the key.</summary>
    public ReadOnlySpan<int> Keys => _keys.AsSpan(0, EntryCount);

    public ReadOnlySpan<AttributeType> Types => _types.AsSpan(0, EntryCount);

    /// <summary>Per entry: Int64, Double (IEEE bits) and Bool (0, 1) themselves; String, Bytes, Array, KeyValueList: code of the content; Empty: 0.</summary>
    public ReadOnlySpan<long> Bits => _bits.AsSpan(0, EntryCount);

    /// <summary>Adds an entry to the open owner.</summary>
    public void Add(int key, AttributeType type, long bits)
    {
        if (EntryCount == _keys.Length)
        {
            ArrayGrowth.Grow(ref _keys, EntryCount, _expectedEntries);
            ArrayGrowth.Grow(ref _types, EntryCount, _expectedEntries);
            ArrayGrowth.Grow(ref _bits, EntryCount, _expectedEntries);
        }
        _keys[EntryCount] = key;
        _types[EntryCount] = type;
        _bits[EntryCount] = bits;
        EntryCount++;
    }

    /// <summary>Closes the open owner, which then has all entries added since the last call.</summary>
    public void EndOwner()
    {
        if (OwnerCount == _ends.Length)
        {
            ArrayGrowth.Grow(ref _ends, OwnerCount, _expectedOwners);
        }
        _ends[OwnerCount++] = EntryCount;
    }

    /// <summary>Drops the entries added since the last <see cref="EndOwner"/>.</summary>
    public void AbandonOwner() => EntryCount = Start(OwnerCount);

    /// <summary>Takes back the owners closed last, with their entries, and the open one.</summary>
    /// <param name="owners">Owners that stay.</param>
    internal void Truncate(int owners)
    {
        OwnerCount = Math.Min(OwnerCount, owners);
        EntryCount = Start(OwnerCount);
    }

    /// <summary>Says that the table will hold about as much as the other: when it grows, it grows to that.</summary>
    internal void ExpectAsMuchAs(AttributeTable other)
    {
        _expectedOwners = other.OwnerCount;
        _expectedEntries = other.EntryCount;
    }

    /// <summary>Takes back the last closed owner with its entries; none may be open.</summary>
    internal void RemoveLastOwner()
    {
        OwnerCount--;
        EntryCount = Start(OwnerCount);
    }

    /// <summary>The entry's value as the edges see it.</summary>
    public AttributeValue GetValue(int entry, StringTable strings) => _types[entry] switch
    {
        AttributeType.Empty or AttributeType.Bool or AttributeType.Int64 or AttributeType.Double => AttributeValue.FromBits(_types[entry], _bits[entry]),
        var type => AttributeValue.FromContent(type, strings[(int)_bits[entry]]),
    };

    /// <summary>The owner's entry with the key, or -1. With duplicates the last one counts (OTLP asks senders for unique keys; this is the rule for those who do not).</summary>
    public int Find(int owner, int key)
    {
        for (var entry = _ends[owner] - 1; entry >= Start(owner); entry--)
        {
            if (_keys[entry] == key)
            {
                return entry;
            }
        }
        return -1;
    }
}
