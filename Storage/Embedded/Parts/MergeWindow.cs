namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// One column of the inputs, decoded block by block: of each input the last few blocks asked for. A merge goes through every input from front to back, so
/// that each block is decoded once; only the rows of a reunited trace may be taken from a little further ahead. One thread.
/// </summary>
internal sealed class MergeWindow<T>(int inputs, MergeWindow<T>.Load load)
{
    /// <summary>Blocks of an input kept decoded: the one at hand, the one that it runs into, and one that a reunited trace reaches ahead to.</summary>
    private const int BlocksKept = 3;

    /// <summary>Decodes a block into the array, which it may replace by a larger one; returns how many values it has.</summary>
    public delegate int Load(int input, int block, ref T[] values);

    private readonly Slot[] _slots = new Slot[inputs * BlocksKept];
    private int _uses;

    /// <summary>The block's values, valid until two other blocks of the input were asked for.</summary>
    public ReadOnlySpan<T> Get(int input, int block)
    {
        var slots = _slots.AsSpan(input * BlocksKept, BlocksKept);
        var oldest = 0;
        for (var i = 0; i < slots.Length; i++)
        {
            ref var slot = ref slots[i];
            if (slot.Next == block + 1)
            {
                slot.Used = ++_uses;
                return slot.Values.AsSpan(0, slot.Count);
            }
            oldest = slot.Used < slots[oldest].Used ? i : oldest;
        }
        ref var free = ref slots[oldest];
        free.Next = 0;
        free.Values ??= [];
        free.Count = load(input, block, ref free.Values);
        free.Next = block + 1;
        free.Used = ++_uses;
        return free.Values.AsSpan(0, free.Count);
    }

    /// <summary>Forgets the blocks, not their memory: the next to be asked for are those of another column.</summary>
    public void Clear()
    {
        foreach (ref var slot in _slots.AsSpan())
        {
            slot.Next = 0;
        }
    }

    private struct Slot
    {
        /// <summary>The block and one, so that 0 is none.</summary>
        public int Next;
        public int Count;
        public int Used;
        public T[]? Values;
    }
}
