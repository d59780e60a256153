namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// Records durations into cells in any order, 7 bytes a record, and makes packed cells of them: cheaper than a histogram for each cell, of which most
/// have few records. One thread.
/// </summary>
internal sealed class CellLog(int capacity)
{
    private readonly List<int> _groups = [];
    private readonly List<int> _slots = [];
    private readonly Dictionary<(int Group, int Slot), int> _cells = [];
    private Totals[] _totals = new Totals[256];

    /// <summary>The cell that a group was last seen with: rows of a group lie close in time.</summary>
    private (int Slot, int Cell)[] _last = [];

    private int[] _cellOf = new int[capacity];
    private ushort[] _bucketOf = new ushort[capacity];
    private sbyte[]? _signOf;

    private struct Totals
    {
        public int Records;
        public int Count;
        public int Errors;
        public long SumNano;
        public long MaxNano;
    }

    /// <summary>Records so far.</summary>
    public int Count { get; private set; }

    public void Record(int group, int slot, long durationNano, bool error)
    {
        var cell = CellOf(group, slot);
        ref var totals = ref _totals[cell];
        var duration = Math.Max(durationNano, 0);
        totals.Records++;
        totals.Count++;
        totals.Errors += error ? 1 : 0;
        totals.SumNano += duration;
        totals.MaxNano = Math.Max(totals.MaxNano, duration);
        Add(cell, duration, 1);
    }

    /// <summary>Takes a record back; the longest duration stays known.</summary>
    public void TakeBack(int group, int slot, long durationNano, bool error)
    {
        var cell = CellOf(group, slot);
        ref var totals = ref _totals[cell];
        var duration = Math.Max(durationNano, 0);
        totals.Records++;
        totals.Count--;
        totals.Errors -= error ? 1 : 0;
        totals.SumNano -= duration;
        Add(cell, duration, -1);
    }

    /// <param name="groups">How many groups there are, at least those recorded.</param>
    public RollupCells ToCells(int groups)
    {
        var cells = _groups.Count;
        var keys = new long[cells];
        var order = new int[cells];
        for (var cell = 0; cell < cells; cell++)
        {
            keys[cell] = ((long)_groups[cell] << 32) | ((uint)_slots[cell] ^ 0x8000_0000u);
            order[cell] = cell;
        }
        Array.Sort(keys, order);

        // The records of each cell together: one pass over them, as their numbers are known.
        var next = new int[cells];
        var start = 0;
        foreach (var cell in order)
        {
            next[cell] = start;
            start += _totals[cell].Records;
        }
        var buckets = new ushort[Count];
        var signs = _signOf is null ? null : new sbyte[Count];
        for (var record = 0; record < Count; record++)
        {
            var place = next[_cellOf[record]]++;
            buckets[place] = _bucketOf[record];
            if (signs is not null)
            {
                signs[place] = _signOf![record];
            }
        }

        var writer = new RollupCellsWriter();
        var sum = new CellSum();
        var group = 0;
        start = 0;
        foreach (var cell in order)
        {
            for (; group < _groups[cell]; group++)
            {
                writer.EndGroup();
            }
            ref readonly var totals = ref _totals[cell];
            (sum.Count, sum.Errors, sum.SumNano, sum.MaxNano) = (totals.Count, totals.Errors, totals.SumNano, totals.MaxNano);
            for (var record = start; record < start + totals.Records; record++)
            {
                sum.AddBucket(buckets[record], signs is null ? 1 : signs[record]);
            }
            start += totals.Records;
            writer.Add(_slots[cell], sum);
        }
        for (; group < groups; group++)
        {
            writer.EndGroup();
        }
        return writer.ToCells();
    }

    private void Add(int cell, long duration, sbyte sign)
    {
        if (Count == _cellOf.Length)
        {
            Array.Resize(ref _cellOf, Math.Max(1024, Count * 2));
            Array.Resize(ref _bucketOf, _cellOf.Length);
            if (_signOf is not null)
            {
                Array.Resize(ref _signOf, _cellOf.Length);
            }
        }
        if (sign < 0 && _signOf is null)
        {
            _signOf = new sbyte[_cellOf.Length];
            Array.Fill(_signOf, (sbyte)1, 0, Count);
        }
        _cellOf[Count] = cell;
        _bucketOf[Count] = (ushort)DurationHistogram.BucketOf(duration);
        if (_signOf is not null)
        {
            _signOf[Count] = sign;
        }
        Count++;
    }

    private int CellOf(int group, int slot)
    {
        if (group < _last.Length && _last[group] is var last && last.Cell >= 0 && last.Slot == slot)
        {
            return last.Cell;
        }
        if (!_cells.TryGetValue((group, slot), out var cell))
        {
            cell = _groups.Count;
            _cells.Add((group, slot), cell);
            _groups.Add(group);
            _slots.Add(slot);
            if (cell == _totals.Length)
            {
                Array.Resize(ref _totals, cell * 2);
            }
        }
        if (group >= _last.Length)
        {
            var length = _last.Length;
            Array.Resize(ref _last, Math.Max(Math.Max(group + 1, length * 2), 256));
            Array.Fill(_last, (0, -1), length, _last.Length - length);
        }
        _last[group] = (slot, cell);
        return cell;
    }
}
