namespace Apm.Storage.Embedded.Encodings;

/// <summary>Different hashes, collected for a bloom; reused by <see cref="Clear"/>.</summary>
internal sealed class HashCollection
{
    private ulong[] _hashes = new ulong[256];

    /// <summary>Hashes at the slot of their lowest bits or behind it, 0 where there is none; a power of two, at most half full.</summary>
    private ulong[] _slots = new ulong[512];
    private bool _hasZero;

    public int Count { get; private set; }

    public ReadOnlySpan<ulong> Values => _hashes.AsSpan(0, Count);

    public void Clear()
    {
        Count = 0;
        _hasZero = false;
        Array.Clear(_slots);
    }

    /// <summary>Adds a hash unless it is there.</summary>
    public void Add(ulong hash)
    {
        if (hash == 0)
        {
            if (!_hasZero)
            {
                _hasZero = true;
                Append(0);
            }
            return;
        }
        var slot = SlotOf(hash);
        while (_slots[slot] != 0)
        {
            if (_slots[slot] == hash)
            {
                return;
            }
            slot = (slot + 1) & (_slots.Length - 1);
        }
        _slots[slot] = hash;
        Append(hash);
        if (Count * 2 > _slots.Length)
        {
            Grow();
        }
    }

    private void Append(ulong hash)
    {
        if (Count == _hashes.Length)
        {
            Array.Resize(ref _hashes, Count * 2);
        }
        _hashes[Count++] = hash;
    }

    private int SlotOf(ulong hash) => (int)hash & (_slots.Length - 1);

    private void Grow()
    {
        _slots = new ulong[_slots.Length * 2];
        foreach (var hash in Values)
        {
            if (hash == 0)
            {
                continue;
            }
            var slot = SlotOf(hash);
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & (_slots.Length - 1);
            }
            _slots[slot] = hash;
        }
    }
}
