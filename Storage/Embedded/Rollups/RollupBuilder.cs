using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Adds up the spans of a source by group and minute. One use, one thread.</summary>
internal sealed class RollupBuilder
{
    /// <summary>Rows taken together: bounds the builder's memory (6 bytes a row); the rollup of a larger source is the sum of several.</summary>
    private const int MaxRows = 1 << 20;

    private readonly StringTable _strings = new();
    private readonly ColumnBatch _owners = new(Signal.Traces);
    private readonly SpanGroups _groups;
    private readonly BatchCopier _resources;
    private readonly int[] _resourceOf;
    private readonly int _maxGroups;
    private ValueDictionary? _named;
    private int[] _nameOf = [];

    // Cells, in the order of first sight.
    private int[] _cellOfRow;
    private ushort[] _bucketOfRow;
    private int _rows;
    private readonly List<int> _cellGroups = [];
    private readonly List<int> _cellSlots = [];
    private readonly Dictionary<(int Group, int Slot), int> _cells = [];
    private Totals[] _totals = new Totals[256];
    private (int Slot, int Cell)[] _last = new (int, int)[256];

    private struct Totals
    {
        public int Count;
        public long SumNano;
        public long MaxNano;
    }

    private RollupBuilder(RowSource source, int maxGroups)
    {
        _groups = new SpanGroups(_owners, _strings);
        _resources = new BatchCopier(source.Owners, _owners, expectedRows: 1);
        _resourceOf = new int[source.Owners.ResourceAttributes.OwnerCount];
        Array.Fill(_resourceOf, -1);
        _maxGroups = maxGroups;
        var rows = (int)Math.Min(source.RowCount, MaxRows);
        _cellOfRow = new int[rows];
        _bucketOfRow = new ushort[rows];
        Array.Fill(_last, (int.MinValue, -1));
    }

    /// <summary>The rollup of a source's spans, without edges.</summary>
    /// <exception cref="CorruptPartException">A block is damaged: a rollup of the others would not say what is missing.</exception>
    public static Rollup Build(RowSource source, int maxGroups = SpanGroups.MaxGroups) => Build(source, new EdgeGroups(new StringTable()), RollupCells.Empty, maxGroups);

    private static Rollup Build(RowSource source, EdgeGroups edgeGroups, RollupCells edges, int maxGroups)
    {
        var done = new List<RollupSource>();
        var builder = new RollupBuilder(source, maxGroups);
        for (var number = 0; number < source.BlockCount; number++)
        {
            using var block = source.OpenBlock(number);
            if (builder._rows > 0 && builder._rows + block.Rows > MaxRows)
            {
                done.Add(builder.ToRollup(new EdgeGroups(new StringTable()), RollupCells.Empty));
                builder = new RollupBuilder(source, maxGroups);
            }
            builder.Add(block);
        }
        var rollup = builder.ToRollup(edgeGroups, edges);
        return done.Count == 0 ? rollup : Rollup.Merge([.. done, rollup]);
    }

    private void Add(RowBlock block)
    {
        var times = block.TimeUnixNano;
        var durations = block.DurationNano;
        var kinds = block.Kinds;
        var statuses = block.Statuses;
        var resources = block.Resources;
        var parents = block.ParentSpanIds;
        var names = block.GetColumn(Field.Of(Intrinsic.Name));
        var codes = names is null ? default : names.Codes.Span;
        if (names is not null && !ReferenceEquals(names.Values, _named))
        {
            _named = names.Values;
            _nameOf = new int[names.Values.Count];
            Array.Fill(_nameOf, -1);
        }
        var minute = 0;
        long minuteStart = 0, minuteEnd = 0;
        Reserve(block.Rows);
        for (var row = 0; row < times.Length; row++)
        {
            var time = times[row];
            if (time < minuteStart || time >= minuteEnd)
            {
                minute = RollupTiers.MinuteOf(time);
                minuteStart = minute * RollupTiers.MinuteNano;
                minuteEnd = minuteStart > long.MaxValue - RollupTiers.MinuteNano ? long.MaxValue : minuteStart + RollupTiers.MinuteNano;
            }
            var resource = _resourceOf[resources[row]] is var known and >= 0 ? known : _resourceOf[resources[row]] = _resources.CopyResource(resources[row]);
            var name = names is null ? 0 : _nameOf[codes[row]] is var code and >= 0 ? code : _nameOf[codes[row]] = _strings.Intern(names.Values.GetContent(codes[row]));
            var group = _groups.NumberOf(resource, name, kinds[row], statuses[row], parents[row].IsZero ? (byte)1 : (byte)0, _maxGroups);
            var cell = CellOf(group, minute);
            ref var totals = ref _totals[cell];
            var duration = durations[row];
            totals.Count++;
            totals.SumNano += duration;
            totals.MaxNano = Math.Max(totals.MaxNano, duration);
            _cellOfRow[_rows] = cell;
            _bucketOfRow[_rows++] = (ushort)DurationHistogram.BucketOf(duration);
        }
    }

    private void Reserve(int rows)
    {
        if (_cellOfRow.Length < _rows + rows)
        {
            Array.Resize(ref _cellOfRow, _rows + rows);
            Array.Resize(ref _bucketOfRow, _rows + rows);
        }
    }

    private int CellOf(int group, int minute)
    {
        if (group < _last.Length && _last[group] is var last && last.Cell >= 0 && last.Slot == minute)
        {
            return last.Cell;
        }
        if (!_cells.TryGetValue((group, minute), out var cell))
        {
            cell = _cellGroups.Count;
            _cells.Add((group, minute), cell);
            _cellGroups.Add(group);
            _cellSlots.Add(minute);
            if (cell == _totals.Length)
            {
                Array.Resize(ref _totals, cell * 2);
            }
        }
        if (group >= _last.Length)
        {
            var length = _last.Length;
            Array.Resize(ref _last, Math.Max(group + 1, length * 2));
            Array.Fill(_last, (int.MinValue, -1), length, _last.Length - length);
        }
        _last[group] = (minute, cell);
        return cell;
    }

    private Rollup ToRollup(EdgeGroups edgeGroups, RollupCells edges)
    {
        var cells = _cellGroups.Count;
        var keys = new long[cells];
        var order = new int[cells];
        for (var cell = 0; cell < cells; cell++)
        {
            keys[cell] = ((long)_cellGroups[cell] << 32) | ((uint)_cellSlots[cell] ^ 0x8000_0000u);
            order[cell] = cell;
        }
        Array.Sort(keys, order);

        // The buckets of each cell's rows together: one pass over the rows, as the counts are known.
        var next = new int[cells];
        var start = 0;
        foreach (var cell in order)
        {
            next[cell] = start;
            start += _totals[cell].Count;
        }
        var buckets = new ushort[_rows];
        for (var row = 0; row < _rows; row++)
        {
            buckets[next[_cellOfRow[row]]++] = _bucketOfRow[row];
        }

        var writer = new RollupCellsWriter();
        var sum = new CellSum();
        var group = 0;
        start = 0;
        foreach (var cell in order)
        {
            for (; group < _cellGroups[cell]; group++)
            {
                writer.EndGroup();
            }
            ref readonly var totals = ref _totals[cell];
            sum.Count = totals.Count;
            sum.Errors = _groups.Statuses[group] >= (byte)StatusCode.Error ? totals.Count : 0;
            sum.SumNano = totals.SumNano;
            sum.MaxNano = totals.MaxNano;
            foreach (var bucket in buckets.AsSpan(start, totals.Count))
            {
                sum.AddBucket(bucket, 1);
            }
            start += totals.Count;
            writer.Add(_cellSlots[cell], sum);
        }
        for (; group < _groups.Count; group++)
        {
            writer.EndGroup();
        }
        return new Rollup(_groups, writer.ToCells(), edgeGroups, edges);
    }
}
