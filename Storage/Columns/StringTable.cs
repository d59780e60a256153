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
        var hash = Hash(value);
        var mask = _slots.Length - 1;
        var slot = (int)hash & mask;
        while (_slots[slot] != 0)
        {
            var code = _slots[slot] - 1;
            if (_hashes[code] == hash && this[code].SequenceEqual(value))
            {
                return code;
            }
            slot = (slot + 1) & mask;
        }
        return Add(value, hash, slot);
    }

    /// <summary>The value's code, or -1 when it is not in the table.</summary>
    public int Find(ReadOnlySpan<byte> value)
    {
        var hash = Hash(value);
        var mask = _slots.Length - 1;
        for (var slot = (int)hash & mask; _slots[slot] != 0; slot = (slot + 1) & mask)
        {
            var code = _slots[slot] - 1;
            if (_hashes[code] == hash && this[code].SequenceEqual(value))
            {
                return code;
            }
        }
        return -1;
    }

    private int Add(ReadOnlySpan<byte> value, uint hash, int slot)
    {
        var code = Count;
        var start = code == 0 ? 0 : _ends[code - 1];
        var end = checked(start + value.Length);
        if (end > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Math.Max((long)_bytes.Length * 2, end), Array.MaxLength));
        }
        if (code == _ends.Length)
        {
            Array.Resize(ref _ends, code * 2);
            Array.Resize(ref _hashes, code * 2);
        }
        value.CopyTo(_bytes.AsSpan(start));
        _ends[code] = end;
        _hashes[code] = hash;
        _slots[slot] = code + 1;
        Count++;
        if (Count * 2 > _slots.Length)
        {
            Grow();
        }
        return code;
    }

    private void Grow()
    {
        _slots = new int[_slots.Length * 2];
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

    /// <summary>XxHash-like mixing over 8 bytes at a time; only used in memory, never on disk.</summary>
    private static uint Hash(ReadOnlySpan<byte> value)
    {
        const ulong multiplier = 0x9E3779B97F4A7C15UL;
        var hash = (ulong)value.Length * multiplier;
        while (value.Length >= 8)
        {
            hash = (hash ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(value)) * multiplier;
            hash ^= hash >> 29;
            value = value[8..];
        }
        ulong tail = 0;
        for (var i = 0; i < value.Length; i++)
        {
            tail |= (ulong)value[i] << (8 * i);
        }
        hash = (hash ^ tail) * multiplier;
        hash ^= hash >> 32;
        return (uint)hash;
    }
}
