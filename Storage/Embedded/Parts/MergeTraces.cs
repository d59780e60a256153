using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Plans a merge of spans: traces by first start, then id; a trace that is split over the inputs is put together, its spans by start, then id, and of two spans
/// that are the same the first stays. Blocks of an input before which nothing of another comes are taken whole, so that their bytes can be. One use.
/// </summary>
internal sealed class MergeTraces
{
    /// <summary>So many whole blocks are worth ending a block early with fewer rows.</summary>
    private const int BlocksWorthAShortOne = 4;

    private readonly MergeInput[] _inputs;
    private readonly MergeFilter _filter;
    private readonly MergeReunion _reunion;
    private readonly MergeTraceCursor[] _cursors;
    private readonly MergePlan.Builder _plan;
    /// <summary>A block is ended early for the sake of taking an input's block whole only when it has this many rows: short blocks cost space and time.</summary>
    private readonly int _minShortRows;
    private readonly List<MergeReunion.Fragment> _fragments = [];
    private readonly MergeTraceRows _rows;

    private MergeTraces(MergeInput[] inputs, MergeFilter filter, int blockRows, CancellationToken cancellation)
    {
        _plan = new MergePlan.Builder(blockRows);
        _minShortRows = blockRows / 2;
        _inputs = inputs;
        _filter = filter;
        _reunion = new MergeReunion(inputs, cancellation);
        _cursors = [.. inputs.Select(input => new MergeTraceCursor(input))];
        _rows = new MergeTraceRows(inputs, filter, _plan);
    }

    public static MergePlan Plan(MergeInput[] inputs, MergeFilter filter, int blockRows, CancellationToken cancellation)
    {
        var traces = new MergeTraces(inputs, filter, blockRows, cancellation);
        while (traces.FindFirst() is { } input)
        {
            cancellation.ThrowIfCancellationRequested();
            traces.AddWhileFirst(input);
        }
        return traces._plan.Build();
    }

    /// <summary>Where the input's traces stop being before those of the others.</summary>
    private (long First, TraceId Id, int Input) _limit;

    private int? FindFirst()
    {
        var first = -1;
        _limit = (long.MaxValue, default, int.MaxValue);
        for (var input = 0; input < _cursors.Length; input++)
        {
            if (_cursors[input].AtEnd)
            {
                continue;
            }
            if (first < 0)
            {
                first = input;
            }
            else if (IsBefore(input, _cursors[first].First, _cursors[first].Id, first))
            {
                _limit = (_cursors[first].First, _cursors[first].Id, first);
                first = input;
            }
            else if (IsBefore(input, _limit.First, _limit.Id, _limit.Input))
            {
                _limit = (_cursors[input].First, _cursors[input].Id, input);
            }
        }
        return first < 0 ? null : first;
    }

    private bool IsBefore(int input, long first, TraceId id, int other) => IsBefore(_cursors[input].First, _cursors[input].Id, input, first, id, other);

    private static bool IsBefore(long first, TraceId id, int input, long otherFirst, TraceId otherId, int other)
    {
        if (first != otherFirst)
        {
            return first < otherFirst;
        }
        var order = id.CompareTo(otherId);
        return order != 0 ? order < 0 : input < other;
    }

    private void AddWhileFirst(int input)
    {
        var cursor = _cursors[input];
        do
        {
            if (cursor.AtBlockStart && TryAddBlock(input, cursor))
            {
                cursor.MoveToNextBlock();
            }
            else
            {
                AddTrace(input, cursor);
            }
        }
        while (!cursor.AtEnd && IsBefore(input, _limit.First, _limit.Id, _limit.Input));
    }

    private void AddTrace(int input, MergeTraceCursor cursor)
    {
        var id = cursor.Id;
        var adds = !_reunion.MayContain(id);
        if (!adds && !_reunion.IsTaken(id))
        {
            if (_reunion.TryTake(id, _fragments))
            {
                _rows.Add(_fragments);
            }
            else
            {
                adds = true;
            }
        }
        if (adds)
        {
            _plan.StartRun(cursor.GoesOn ? _plan.BlockRows + 1 : cursor.RowsInBlock);
        }
        bool goesOn;
        do
        {
            goesOn = cursor.GoesOn;
            if (adds)
            {
                _filter.Add(_plan, input, cursor.Block, cursor.Row, cursor.RowsInBlock);
            }
            cursor.MoveNext();
        }
        while (goesOn);
    }

    /// <summary>Adds the block that the cursor is at the start of as a block of the output, when it can be and that pays.</summary>
    private bool TryAddBlock(int input, MergeTraceCursor cursor)
    {
        var rows = _inputs[input].RowsOf(cursor.Block);
        var last = cursor.LastOfBlock;
        if (rows < _minShortRows || cursor.BlockEndIsOpen || !IsBefore(last.First, last.Id, input, _limit.First, _limit.Id, _limit.Input)
            || (_plan.OpenRows > 0 && _plan.OpenRows < _minShortRows && !MoreBlocksAreFirst(input, cursor.Block)) || _filter.MayReject(input, cursor.Block))
        {
            return false;
        }
        foreach (var id in cursor.IdsOfBlock)
        {
            if (_reunion.MayContain(id))
            {
                return false;
            }
        }
        _plan.EndBlock();
        var runs = cursor.RunsOfBlock;
        for (var run = 0; run + 1 < runs.Length; run++)
        {
            _plan.StartRun(0);
            _plan.Add(input, cursor.Block, runs[run], runs[run + 1] - runs[run]);
        }
        _plan.EndBlock();
        return true;
    }

    /// <summary>Likely: by the first time of the block after them.</summary>
    private bool MoreBlocksAreFirst(int input, int block)
    {
        var source = _inputs[input].Source;
        return block + BlocksWorthAShortOne < source.BlockCount && source.GetBounds(block + BlocksWorthAShortOne).FirstTimeUnixNano < _limit.First;
    }
}
