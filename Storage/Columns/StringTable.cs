using System.Buffers.Binary;
using System.Text;

namespace Apm.Storage.Columns;

/// <summary>
/// The distinct byte strings of one column batch, numbered 0, 1, 2 … in order of first sight; code 0 is always "".
/// One writer; immutable and readable from any thread once the batch is handed on.
/// </summary>
public sealed class StringTable
{
    private byte[] _bytes = new byte[1024];
    private int[] _ends = new int[64];
    private int[] _slots = new int[128];
    private uint[] _hashes = new uint[64];
    private int _expectedCount;
    private int _expectedBytes;

    public StringTable() => Intern([]);

    public int Count { get; private set; }

    /// <summary>Memory held, for bounds on the head.</summary>
    public long SizeBytes => _bytes.Length + 4L * (_ends.Length + _slots.Length + _hashes.Length);

    public ReadOnlySpan<byte> this[int code]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)code, (uint)Count, nameof(code));
            var start = code == 0 ? 0 : _ends[code - 1];
            return _bytes.AsSpan(start, _ends[code] - start);
        }
    }

    /// <summary>A hash of the value, which two equal values have in any table of one process.</summary>
    internal uint HashOf(int code) => _hashes[code];

    public string GetString(int code) => Encoding.UTF8.GetString(this[code]);

    public int Intern(string value)
    {
        var maxBytes = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (maxBytes > 512)
        {
            return Intern(Encoding.UTF8.GetBytes(value));
        }
        Span<byte> utf8 = stackalloc byte[512];
        return Intern(utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
    }

    /// <summary>The value's code, adding it when it is new. A value may be any bytes, not only UTF-8.</summary>
    public int Intern(ReadOnlySpan<byte> value)
    {
        var code = Find(value, out var place);
        return code >= 0 ? code : Add(value, place);
    }

    /// <summary>The value's code, or -1 when it is not in the table.</summary>
    public int Find(ReadOnlySpan<byte> value) => Find(value, out _);

    /// <param name="place">Where to <see cref="Add"/> the value when it is not in the table; valid until the table changes.</param>
    internal int Find(ReadOnlySpan<byte> value, out Place place)
    {
        var hash = Hash(value);
        var slots = _slots;
        var mask = slots.Length - 1;
        var slot = (int)hash & mask;
        for (; slots[slot] != 0; slot = (slot + 1) & mask)
        {
            var code = slots[slot] - 1;
            if (_hashes[code] == hash && this[code].SequenceEqual(value))
            {
                place = default;
                return code;
            }
        }
        place = new Place(hash, slot);
        return -1;
    }

    /// <summary>Adds a value that is not in the table.</summary>
    internal int Add(ReadOnlySpan<byte> value, Place place)
    {
        var code = Count;
        var start = code == 0 ? 0 : _ends[code - 1];
        var end = checked(start + value.Length);
        if (end > _bytes.Length)
        {
            GrowBytes(start, end);
        }
        if (code == _ends.Length)
        {
            ArrayGrowth.Grow(ref _ends, code, _expectedCount);
            ArrayGrowth.Grow(ref _hashes, code, _expectedCount);
        }
        value.CopyTo(_bytes.AsSpan(start));
        _ends[code] = end;
        _hashes[code] = place.Hash;
        _slots[place.Slot] = code + 1;
        Count++;
        if (Count * 2 > _slots.Length)
        {
            GrowSlots();
        }
        return code;
    }

    /// <summary>Takes back the values added last.</summary>
    /// <param name="count">Values that stay.</param>
    internal void Truncate(int count)
    {
        // The other way round than they were added, each leaves the slots as they were before it.
        while (Count > count)
        {
            var mask = _slots.Length - 1;
            var slot = (int)_hashes[Count - 1] & mask;
            while (_slots[slot] != Count)
            {
                slot = (slot + 1) & mask;
            }
            _slots[slot] = 0;
            Count--;
        }
    }

    /// <summary>Says that the table will hold about as much as the other: when it grows, it grows to that.</summary>
    internal void ExpectAsMuchAs(StringTable other)
    {
        _expectedCount = other.Count;
        _expectedBytes = other._ends[other.Count - 1];
    }

    private void GrowBytes(int used, int needed)
    {
        var larger = GC.AllocateUninitializedArray<byte>(Math.Max(needed, ArrayGrowth.Next(_bytes.Length, _expectedBytes)));
        _bytes.AsSpan(0, used).CopyTo(larger);
        _bytes = larger;
    }

    private void GrowSlots()
    {
        var wanted = ArrayGrowth.Next(_slots.Length, _expectedCount * 2);
        _slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)wanted)];
        var mask = _slots.Length - 1;
        for (var code = 0; code < Count; code++)
        {
            var slot = (int)_hashes[code] & mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }
            _slots[slot] = code + 1;
        }
    }

    /// <summary>Mixes 8 bytes at a time, the last of them read again where the length is no multiple; only used in memory, never on disk.</summary>
    private static uint Hash(ReadOnlySpan<byte> value)
    {
        const ulong multiplier = 0x9E3779B97F4A7C15UL;
        var hash = (ulong)value.Length * multiplier;
        if (value.Length >= sizeof(ulong))
        {
            var last = BinaryPrimitives.ReadUInt64LittleEndian(value[^sizeof(ulong)..]);
            while (value.Length > sizeof(ulong))
            {
                hash = (hash ^ BinaryPrimitives.ReadUInt64LittleEndian(value)) * multiplier;
                hash ^= hash >> 29;
                value = value[sizeof(ulong)..];
            }
            hash = (hash ^ last) * multiplier;
        }
        else if (value.Length >= sizeof(uint))
        {
            var both = BinaryPrimitives.ReadUInt32LittleEndian(value) | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(value[^sizeof(uint)..]) << 32);
            hash = (hash ^ both) * multiplier;
        }
        else if (value.Length > 0)
        {
            hash = (hash ^ value[0] ^ ((ulong)value[value.Length >> 1] << 8) ^ ((ulong)value[^1] << 16)) * multiplier;
        }
        return (uint)(hash ^ (hash >> 32));
    }

    /// <summary>Where a value that is not in the table belongs.</summary>
    internal readonly record struct Place(uint Hash, int Slot);
}
