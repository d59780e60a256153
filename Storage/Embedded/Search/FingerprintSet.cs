using System.Numerics;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// A set of ids of which each keeps 32 bits beside its place in a table: about 8 bytes an id, and about one wrong "seen before" in 10^9 ids asked for.
/// What counts distinct ids may be off by that; what lists them uses exact sets.
/// </summary>
internal sealed class FingerprintSet
{
    /// <summary>
    /// Slots of the largest table, 64 MiB. When it is full the tables before it are forgotten and another of the same size begins: duplicates come from a
    /// sender's retry and so lie close in time, and scans go through the store in the order of time. So 8 to 16 million ids are remembered.
    /// </summary>
    private const int MaxSlots = 1 << 24;

    private const int FirstSlots = 1 << 12;

    /// <summary>A full table is kept and one this many times its size begun, since its ids cannot be placed again from 32 bits.</summary>
    private const int Growth = 8;

    private readonly List<uint[]> _full = [];
    private uint[] _open = new uint[FirstSlots];
    private int _openCount;

    /// <summary>64 well-mixed bits of two ids.</summary>
    public static ulong Mix(ulong first, ulong second)
    {
        var hash = (first ^ BitOperations.RotateLeft(second * 0x9E3779B97F4A7C15UL, 31)) * 0xBF58476D1CE4E5B9UL;
        hash ^= hash >> 29;
        hash = (hash + second) * 0x94D049BB133111EBUL;
        return hash ^ (hash >> 32);
    }

    /// <summary>True when the id is new.</summary>
    /// <param name="hash">As <see cref="Mix"/> makes it.</param>
    public bool Add(ulong hash)
    {
        foreach (var table in _full)
        {
            if (table[Find(table, hash)] != 0)
            {
                return false;
            }
        }
        if (_openCount * 2 >= _open.Length)
        {
            OpenTable();
        }
        var slot = Find(_open, hash);
        if (_open[slot] != 0)
        {
            return false;
        }
        _open[slot] = Mark(hash);
        _openCount++;
        return true;
    }

    private static uint Mark(ulong hash) => Math.Max((uint)hash, 1);

    /// <summary>The slot that holds the id, or the empty one where it belongs.</summary>
    private static int Find(uint[] table, ulong hash)
    {
        var mask = table.Length - 1;
        var mark = Mark(hash);
        var slot = (int)(hash >> 32) & mask;
        while (table[slot] != 0 && table[slot] != mark)
        {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void OpenTable()
    {
        if (_open.Length == MaxSlots)
        {
            _full.Clear();
        }
        _full.Add(_open);
        _open = new uint[(int)Math.Min((long)_open.Length * Growth, MaxSlots)];
        _openCount = 0;
    }
}
