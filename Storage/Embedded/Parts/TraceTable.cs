using System.Buffers;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Numbers the traces of spans, and knows the first start and the count of spans of each. Holds pooled memory until it is disposed.</summary>
internal sealed class TraceTable : IDisposable
{
    private const int FirstTraces = 4_096;

    private TraceId[] _ids = ArrayPool<TraceId>.Shared.Rent(FirstTraces);
    private long[] _firsts = ArrayPool<long>.Shared.Rent(FirstTraces);
    private int[] _rows = ArrayPool<int>.Shared.Rent(FirstTraces);
    /// <summary>A trace's number plus 1, found by its id; a power of two, at most half full.</summary>
    private int[] _slots = new int[FirstTraces * 2];

    public int Count { get; private set; }

    public int RowsOf(int trace) => _rows[trace];

    /// <summary>Adds spans.</summary>
    /// <param name="traceOf">Gets each one's trace by number.</param>
    public void Add(ReadOnlySpan<TraceId> ids, ReadOnlySpan<long> starts, Span<int> traceOf)
    {
        for (var row = 0; row < ids.Length; row++)
        {
            var trace = row > 0 && ids[row] == ids[row - 1] ? traceOf[row - 1] : Find(ids[row], starts[row]);
            traceOf[row] = trace;
            _rows[trace]++;
            _firsts[trace] = Math.Min(_firsts[trace], starts[row]);
        }
    }

    /// <summary>The traces by first start, then id. Once: the first starts are in another order after it.</summary>
    public int[] Sorted()
    {
        var traces = new int[Count];
        for (var trace = 0; trace < traces.Length; trace++)
        {
            traces[trace] = trace;
        }
        var firsts = _firsts.AsSpan(0, Count);
        firsts.Sort(traces.AsSpan());
        for (var start = 0; start < firsts.Length;)
        {
            var end = start + 1;
            while (end < firsts.Length && firsts[end] == firsts[start])
            {
                end++;
            }
            if (end - start > 1)
            {
                traces.AsSpan(start..end).Sort((left, right) => _ids[left].CompareTo(_ids[right]));
            }
            start = end;
        }
        return traces;
    }

    public void Dispose()
    {
        ArrayPool<TraceId>.Shared.Return(_ids);
        ArrayPool<long>.Shared.Return(_firsts);
        ArrayPool<int>.Shared.Return(_rows);
    }

    private int Find(TraceId id, long start)
    {
        var slot = SlotOf(id);
        while (_slots[slot] != 0)
        {
            if (_ids[_slots[slot] - 1] == id)
            {
                return _slots[slot] - 1;
            }
            slot = (slot + 1) & (_slots.Length - 1);
        }
        if (Count == _slots.Length / 2)
        {
            Grow();
            return Find(id, start);
        }
        _ids[Count] = id;
        _firsts[Count] = start;
        _rows[Count] = 0;
        _slots[slot] = ++Count;
        return Count - 1;
    }

    /// <summary>Ids should be random, but senders decide: all their bits count.</summary>
    private int SlotOf(TraceId id) => (int)(((id.Low ^ (id.High * 0xD6E8FEB86659FD93UL)) * 0x9E3779B97F4A7C15UL) >> 32) & (_slots.Length - 1);

    private void Grow()
    {
        Grow(ref _ids);
        Grow(ref _firsts);
        Grow(ref _rows);
        _slots = new int[_slots.Length * 2];
        for (var trace = 0; trace < Count; trace++)
        {
            var slot = SlotOf(_ids[trace]);
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & (_slots.Length - 1);
            }
            _slots[slot] = trace + 1;
        }
    }

    private void Grow<T>(ref T[] array)
    {
        if (array.Length >= _slots.Length)
        {
            return;
        }
        var larger = ArrayPool<T>.Shared.Rent(_slots.Length);
        array.AsSpan(0, Count).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }
}
