using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Plans a merge of log records: by resource of the output, then time; of records of one moment those of the input named first come first. One use.</summary>
internal sealed class MergeRecords
{
    private readonly MergeInput[] _inputs;
    private readonly MergePlan.Builder _plan;
    private readonly MergeWindow<long> _times;
    private readonly MergeWindow<TraceId> _traces;
    private readonly List<Range>[] _ranges;
    private TraceId[] _ids = [];
    private TraceId _lastId;

    private MergeRecords(MergeInput[] inputs, MergeFilter filter, int[][] resources, int resourceCount, int blockRows, CancellationToken cancellation)
    {
        _plan = new MergePlan.Builder(blockRows);
        _inputs = inputs;
        _times = new MergeWindow<long>(inputs.Length, (int input, int block, ref long[] values) =>
        {
            inputs[input].ReadTimes(block, MergeInput.Room(ref values, inputs[input].RowsOf(block)));
            return inputs[input].RowsOf(block);
        });
        _traces = new MergeWindow<TraceId>(inputs.Length, ReadTraceIds);
        _ranges = new List<Range>[resourceCount];
        foreach (ref var ranges in _ranges.AsSpan())
        {
            ranges = [];
        }
        for (var input = 0; input < inputs.Length; input++)
        {
            FindRanges(input, filter, resources[input], cancellation);
        }
    }

    /// <param name="resources">Per input: the output's number of each of its resources.</param>
    public static MergePlan Plan(MergeInput[] inputs, MergeFilter filter, int[][] resources, int resourceCount, int blockRows, CancellationToken cancellation)
    {
        var records = new MergeRecords(inputs, filter, resources, resourceCount, blockRows, cancellation);
        foreach (var ranges in records._ranges)
        {
            records.AddResource(ranges, cancellation);
        }
        return records._plan.Build();
    }

    private void FindRanges(int input, MergeFilter filter, int[] resources, CancellationToken cancellation)
    {
        var part = _inputs[input];
        int[] values = [];
        for (var block = 0; block < part.Blocks; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            var chunk = part.Directory.Plain(PlainColumn.Resource, block);
            var rows = MergeInput.Room(ref values, part.RowsOf(block));
            part.ReadInts(chunk, rows);
            for (var row = 0; row < rows.Length;)
            {
                var resource = rows[row];
                if ((uint)resource >= (uint)resources.Length)
                {
                    throw part.Corrupt(chunk, $"resource {resource} of {resources.Length} is unknown");
                }
                var end = row + 1;
                while (end < rows.Length && rows[end] == resource)
                {
                    end++;
                }
                if (filter.Keeps(input, resource))
                {
                    _ranges[resources[resource]].Add(new Range(input, resource, block, row, end));
                }
                else
                {
                    _plan.RejectedRows += end - row;
                }
                row = end;
            }
        }
    }

    private void AddResource(List<Range> ranges, CancellationToken cancellation)
    {
        var cursors = new List<Cursor>();
        foreach (var range in ranges)
        {
            // The inputs come one after another, and two of one's resources that are alike each have their own order.
            var cursor = cursors.Find(cursor => cursor.Ranges[0].Input == range.Input && cursor.Ranges[0].Resource == range.Resource);
            if (cursor is null)
            {
                cursors.Add(new Cursor([range]));
            }
            else
            {
                cursor.Ranges.Add(range);
            }
        }
        foreach (var cursor in cursors)
        {
            cursor.Time = TimeAt(cursor);
        }
        while (cursors.Count > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            var (first, limit) = (0, -1);
            for (var i = 1; i < cursors.Count; i++)
            {
                if (cursors[i].Time < cursors[first].Time)
                {
                    (first, limit) = (i, first);
                }
                else if (limit < 0 || cursors[i].Time < cursors[limit].Time)
                {
                    limit = i;
                }
            }
            // Of equal times the cursor that comes first goes first.
            var end = limit < 0 ? long.MaxValue : first < limit ? cursors[limit].Time : cursors[limit].Time - 1;
            AddUntil(cursors[first], end);
            if (cursors[first].AtEnd)
            {
                cursors.RemoveAt(first);
            }
        }
    }

    /// <summary>Adds the cursor's rows up to the last time given, at least one.</summary>
    private void AddUntil(Cursor cursor, long lastTime)
    {
        do
        {
            var range = cursor.Ranges[cursor.Index];
            var times = _times.Get(range.Input, range.Block);
            var row = cursor.Row + 1;
            while (row < range.End && times[row] <= lastTime)
            {
                row++;
            }
            AddRows(range.Input, range.Block, cursor.Row, row);
            cursor.MoveTo(row);
            if (!cursor.AtEnd)
            {
                cursor.Time = TimeAt(cursor);
            }
        }
        while (!cursor.AtEnd && cursor.Time <= lastTime);
    }

    private void AddRows(int input, int block, int row, int end)
    {
        if (_inputs[input].Directory.Plain(PlainColumn.TraceId, block).IsAbsent)
        {
            StartRunOf(default);
            _plan.Add(input, block, row, end - row);
            return;
        }
        var ids = _traces.Get(input, block);
        while (row < end)
        {
            var next = row + 1;
            while (next < end && ids[next] == ids[row])
            {
                next++;
            }
            StartRunOf(ids[row]);
            _plan.Add(input, block, row, next - row);
            row = next;
        }
    }

    private void StartRunOf(TraceId id)
    {
        if (id != _lastId)
        {
            _plan.StartRun(0);
            _lastId = id;
        }
    }

    private long TimeAt(Cursor cursor) => _times.Get(cursor.Ranges[cursor.Index].Input, cursor.Ranges[cursor.Index].Block)[cursor.Row];

    private int ReadTraceIds(int input, int block, ref TraceId[] values) => _inputs[input].ReadRowTraceIds(block, ref values, ref _ids);

    /// <summary>Rows of one resource in one block.</summary>
    /// <param name="Resource">Of the input.</param>
    private readonly record struct Range(int Input, int Resource, int Block, int Row, int End);

    private sealed class Cursor(List<Range> ranges)
    {
        public List<Range> Ranges { get; } = ranges;

        public int Index { get; private set; }

        /// <summary>In the block of the range at hand.</summary>
        public int Row { get; private set; } = ranges[0].Row;

        public long Time { get; set; }

        public bool AtEnd => Index >= Ranges.Count;

        public void MoveTo(int row)
        {
            Row = row;
            if (row >= Ranges[Index].End && ++Index < Ranges.Count)
            {
                Row = Ranges[Index].Row;
            }
        }
    }
}
