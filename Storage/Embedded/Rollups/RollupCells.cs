using System.Numerics;
using System.Runtime.InteropServices;
using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// The cells of one tier: for each group its slots, ascending, each with count, errors and the buckets of its durations. Cells stay packed
/// (FORMAT.md "Rollup"), about 50 bytes each; a reader adds up the ones it wants. Immutable; any number of threads.
/// </summary>
internal sealed class RollupCells
{
    private readonly int[] _groupEnds;
    private readonly int[] _slots;
    private readonly int[] _contentEnds;
    private readonly byte[] _content;

    internal RollupCells(int[] groupEnds, int[] slots, int[] contentEnds, byte[] content)
    {
        _groupEnds = groupEnds;
        _slots = slots;
        _contentEnds = contentEnds;
        _content = content;
        (FirstSlot, LastSlot) = (int.MaxValue, int.MinValue);
        foreach (var slot in slots)
        {
            FirstSlot = Math.Min(FirstSlot, slot);
            LastSlot = Math.Max(LastSlot, slot);
        }
    }

    public static RollupCells Empty { get; } = new([], [], [], []);

    public int GroupCount => _groupEnds.Length;

    public int Count => _slots.Length;

    /// <summary>Above <see cref="LastSlot"/> when there are none.</summary>
    public int FirstSlot { get; }

    public int LastSlot { get; }

    /// <summary>Memory held.</summary>
    public long SizeBytes => _content.Length + (8L * _slots.Length) + (4L * _groupEnds.Length) + 128;

    public int SlotOf(int cell) => _slots[cell];

    /// <summary>All cells of a group.</summary>
    public (int Start, int End) CellsOf(int group) => (group == 0 ? 0 : _groupEnds[group - 1], _groupEnds[group]);

    /// <summary>The cells of a group whose slot is in [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public (int Start, int End) CellsOf(int group, int from, int to)
    {
        var (start, end) = CellsOf(group);
        if (FirstSlot >= from && LastSlot < to)
        {
            return (start, end);
        }
        start = LowerBound(start, end, from);
        return (start, LowerBound(start, end, to));
    }

    /// <summary>Adds a cell to the sum: its durations too, or only count and errors.</summary>
    public void AddTo(CellSum sum, int cell, bool withDurations)
    {
        var content = ContentOf(cell);
        var position = 0;
        sum.Count += Signed(content, ref position);
        sum.Errors += Signed(content, ref position);
        if (!withDurations)
        {
            return;
        }
        sum.SumNano += Signed(content, ref position);
        sum.MaxNano = Math.Max(sum.MaxNano, (long)Unsigned(content, ref position));
        var bucket = -1;
        while (position < content.Length)
        {
            bucket += (int)Math.Min(Unsigned(content, ref position), CellSum.MaxBuckets) + 1;
            var count = Signed(content, ref position);
            if (bucket >= CellSum.MaxBuckets)
            {
                throw new CorruptPartException("", 0, $"the content of cell {cell} of a rollup names a bucket that there is not");
            }
            sum.AddBucket(bucket, count);
        }
    }

    /// <summary>A cell as it is packed, for <see cref="RollupCellsWriter.Copy"/>.</summary>
    public ReadOnlySpan<byte> ContentOf(int cell)
    {
        var start = cell == 0 ? 0 : _contentEnds[cell - 1];
        return _content.AsSpan(start, _contentEnds[cell] - start);
    }

    /// <summary>The cells of all groups whose slot is in [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public RollupCells Slice(int from, int to)
    {
        if (FirstSlot >= from && LastSlot < to)
        {
            return this;
        }
        var writer = new RollupCellsWriter();
        for (var group = 0; group < GroupCount; group++)
        {
            var (cell, end) = CellsOf(group, from, to);
            for (; cell < end; cell++)
            {
                writer.Copy(_slots[cell], ContentOf(cell));
            }
            writer.EndGroup();
        }
        return writer.ToCells();
    }

    /// <summary>The same cells in pieces of at most so many, in the order of time; those of one slot stay together.</summary>
    public IEnumerable<RollupCells> Split(int maxCells)
    {
        if (Count <= maxCells)
        {
            yield return this;
            yield break;
        }
        var slots = (int[])_slots.Clone();
        Array.Sort(slots);
        for (var start = 0; start < slots.Length;)
        {
            var end = Math.Min(start + maxCells, slots.Length);
            while (end < slots.Length && end > start + 1 && slots[end] == slots[end - 1] && slots[end] != slots[start])
            {
                end--;
            }
            while (end < slots.Length && slots[end] == slots[end - 1])
            {
                end++;
            }
            yield return Slice(slots[start], slots[end - 1] + 1);
            start = end;
        }
    }

    /// <summary>The same cells <paramref name="factor"/> slots wide.</summary>
    public RollupCells Coarsen(int factor)
    {
        var writer = new RollupCellsWriter();
        var sum = new CellSum();
        for (var group = 0; group < GroupCount; group++)
        {
            var (start, end) = CellsOf(group);
            for (var cell = start; cell < end;)
            {
                var slot = RollupTiers.SlotOf(_slots[cell], factor);
                if (cell + 1 == end || RollupTiers.SlotOf(_slots[cell + 1], factor) != slot)
                {
                    writer.Copy(slot, ContentOf(cell++));
                    continue;
                }
                for (; cell < end && RollupTiers.SlotOf(_slots[cell], factor) == slot; cell++)
                {
                    AddTo(sum, cell, withDurations: true);
                }
                writer.Add(slot, sum);
            }
            writer.EndGroup();
        }
        return writer.ToCells();
    }

    public void Encode(ByteWriter chunk)
    {
        var numbers = new long[Math.Max(_groupEnds.Length, _slots.Length)];
        for (var group = 0; group < _groupEnds.Length; group++)
        {
            var (start, end) = CellsOf(group);
            numbers[group] = end - start;
        }
        chunk.VarUInt((ulong)_groupEnds.Length);
        chunk.VarUInt((ulong)_slots.Length);
        IntColumn.Encode(numbers.AsSpan(0, _groupEnds.Length), chunk);
        for (var cell = 0; cell < _slots.Length; cell++)
        {
            numbers[cell] = _slots[cell];
        }
        IntColumn.Encode(numbers.AsSpan(0, _slots.Length), chunk);
        for (var cell = 0; cell < _slots.Length; cell++)
        {
            numbers[cell] = _contentEnds[cell] - (cell == 0 ? 0 : _contentEnds[cell - 1]);
        }
        IntColumn.Encode(numbers.AsSpan(0, _slots.Length), chunk);
        chunk.Bytes(_content);
    }

    /// <param name="groups">Groups that the rollup has.</param>
    public static RollupCells Decode(ref ChunkReader reader, int groups)
    {
        if (reader.Count(groups) != groups)
        {
            throw reader.Corrupt($"the cells are not those of {groups} groups");
        }
        var cells = reader.Count(reader.Remaining * 8L);
        var groupEnds = new int[groups];
        IntColumn.Decode<int>(ref reader, groupEnds);
        Accumulate(ref reader, groupEnds, cells);
        var slots = new int[cells];
        IntColumn.Decode<int>(ref reader, slots);
        var contentEnds = new int[cells];
        IntColumn.Decode<int>(ref reader, contentEnds);
        Accumulate(ref reader, contentEnds, reader.Remaining);
        var result = new RollupCells(groupEnds, slots, contentEnds, reader.Bytes(reader.Remaining).ToArray());
        result.Check(ref reader);
        return result;
    }

    private static void Accumulate(ref ChunkReader reader, int[] lengths, int total)
    {
        long end = 0;
        foreach (ref var length in lengths.AsSpan())
        {
            end += length >= 0 ? length : throw reader.Corrupt("a length is negative");
            length = end <= total ? (int)end : throw reader.Corrupt($"lengths add up to more than {total}");
        }
        if (end != total)
        {
            throw reader.Corrupt($"lengths add up to {end}, expected {total}");
        }
    }

    /// <summary>
    /// What <see cref="AddTo"/> relies on, at a cost far below reading them: slots ascend within a group, and the content of each cell is whole numbers, in pairs.
    /// </summary>
    private void Check(ref ChunkReader reader)
    {
        for (var group = 0; group < GroupCount; group++)
        {
            var (start, end) = CellsOf(group);
            for (var cell = start; cell < end; cell++)
            {
                if (cell > start && _slots[cell] <= _slots[cell - 1])
                {
                    throw reader.Corrupt("the slots of a group do not ascend");
                }
                if (!IsWhole(ContentOf(cell)))
                {
                    throw reader.Corrupt($"the content of cell {cell} is no cell's");
                }
            }
        }
    }

    /// <summary>Four numbers and pairs of numbers; a number ends with its first byte below 128.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty || content[^1] >= 0x80)
        {
            return false;
        }
        var numbers = 0;
        var words = MemoryMarshal.Cast<byte, ulong>(content);
        foreach (var word in words)
        {
            numbers += BitOperations.PopCount(~word & 0x8080_8080_8080_8080);
        }
        foreach (var last in content[(words.Length * 8)..])
        {
            numbers += last < 0x80 ? 1 : 0;
        }
        return numbers >= 4 && (numbers & 1) == 0;
    }

    private int LowerBound(int start, int end, int slot)
    {
        while (start < end)
        {
            var middle = (start + end) >> 1;
            if (_slots[middle] < slot)
            {
                start = middle + 1;
            }
            else
            {
                end = middle;
            }
        }
        return start;
    }

    private static ulong Unsigned(ReadOnlySpan<byte> content, ref int position)
    {
        ulong value = content[position++];
        if (value < 0x80)
        {
            return value;
        }
        value &= 0x7F;
        for (var shift = 7; ; shift += 7)
        {
            var next = content[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static long Signed(ReadOnlySpan<byte> content, ref int position)
    {
        var value = Unsigned(content, ref position);
        return (long)(value >> 1) ^ -(long)(value & 1);
    }
}

/// <summary>Cells in work: groups in order, and the slots of each ascending. One thread.</summary>
internal sealed class RollupCellsWriter
{
    private readonly List<int> _groupEnds = [];
    private readonly List<int> _slots = [];
    private readonly List<int> _contentEnds = [];
    private readonly ByteWriter _content = new();

    /// <summary>Adds a cell to the open group, and clears the sum. A sum that came to nothing is no cell.</summary>
    public void Add(int slot, CellSum sum)
    {
        if (!sum.IsNothing)
        {
            _content.VarInt(sum.Count);
            _content.VarInt(sum.Errors);
            _content.VarInt(sum.SumNano);
            _content.VarUInt((ulong)sum.MaxNano);
            var last = -1;
            for (var bucket = sum.FirstBucket; bucket <= sum.LastBucket; bucket++)
            {
                if (sum.Buckets[bucket] is var count and not 0)
                {
                    _content.VarUInt((ulong)(bucket - last - 1));
                    _content.VarInt(count);
                    last = bucket;
                }
            }
            _slots.Add(slot);
            _contentEnds.Add(_content.Length);
        }
        sum.Clear();
    }

    /// <summary>Adds a cell that needs no adding up, as it is packed.</summary>
    public void Copy(int slot, ReadOnlySpan<byte> content)
    {
        _content.Bytes(content);
        _slots.Add(slot);
        _contentEnds.Add(_content.Length);
    }

    public void EndGroup() => _groupEnds.Add(_slots.Count);

    public RollupCells ToCells() => new([.. _groupEnds], [.. _slots], [.. _contentEnds], _content.Written.ToArray());
}
