using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Puts the fragments of one trace together in a plan: rows by start, then span id, then input; of two spans that are the same the first stays. One thread.</summary>
internal sealed class MergeTraceRows
{
    private readonly MergeInput[] _inputs;
    private readonly MergeFilter _filter;
    private readonly MergePlan.Builder _plan;
    private readonly MergeWindow<long> _times;
    private readonly MergeWindow<SpanId> _spans;
    private readonly MergeWindow<long> _durations;
    private readonly MergeWindow<byte> _kinds;
    private readonly List<Cursor> _cursors = [];
    private readonly List<Row> _together = [];

    public MergeTraceRows(MergeInput[] inputs, MergeFilter filter, MergePlan.Builder plan)
    {
        _inputs = inputs;
        _filter = filter;
        _plan = plan;
        _times = new MergeWindow<long>(inputs.Length, (int input, int block, ref long[] values) =>
        {
            inputs[input].ReadTimes(block, MergeInput.Room(ref values, inputs[input].RowsOf(block)));
            return inputs[input].RowsOf(block);
        });
        _spans = new MergeWindow<SpanId>(inputs.Length, (int input, int block, ref SpanId[] values) =>
        {
            inputs[input].ReadSpanIds(inputs[input].Directory.Plain(PlainColumn.SpanId, block), MergeInput.Room(ref values, inputs[input].RowsOf(block)));
            return inputs[input].RowsOf(block);
        });
        _durations = new MergeWindow<long>(inputs.Length, (int input, int block, ref long[] values) => ReadInts(PlainColumn.Duration, input, block, ref values));
        _kinds = new MergeWindow<byte>(inputs.Length, (int input, int block, ref byte[] values) => ReadInts(PlainColumn.Kind, input, block, ref values));
    }

    public void Add(List<MergeReunion.Fragment> fragments)
    {
        _cursors.Clear();
        long rows = 0;
        foreach (var fragment in fragments)
        {
            rows += fragment.Rows;
            var cursor = new Cursor(fragment.Input, fragment.Block, fragment.Row, fragment.Rows, 0);
            _cursors.Add(cursor with { Time = TimeAt(cursor) });
        }
        _plan.StartRun((int)Math.Min(rows, _plan.BlockRows + 1));
        while (_cursors.Count > 0)
        {
            var first = long.MaxValue;
            foreach (var cursor in _cursors)
            {
                first = Math.Min(first, cursor.Time);
            }
            _together.Clear();
            for (var i = 0; i < _cursors.Count; i++)
            {
                TakeRowsAt(first, i);
            }
            _cursors.RemoveAll(static cursor => cursor.Left == 0);
            AddTogether();
        }
    }

    private void TakeRowsAt(long time, int index)
    {
        var cursor = _cursors[index];
        while (cursor.Left > 0 && cursor.Time == time)
        {
            _together.Add(new Row(_spans.Get(cursor.Input, cursor.Block)[cursor.Row], _together.Count, cursor.Input, cursor.Block, cursor.Row));
            cursor = cursor.Row + 1 < _inputs[cursor.Input].RowsOf(cursor.Block)
                ? cursor with { Row = cursor.Row + 1, Left = cursor.Left - 1 }
                : cursor with { Block = cursor.Block + 1, Row = 0, Left = cursor.Left - 1 };
            if (cursor.Left > 0)
            {
                cursor = cursor with { Time = TimeAt(cursor) };
            }
        }
        _cursors[index] = cursor;
    }

    /// <summary>Adds rows that start at the same moment.</summary>
    private void AddTogether()
    {
        if (_together.Count > 1)
        {
            _together.Sort();
        }
        for (var i = 0; i < _together.Count; i++)
        {
            var row = _together[i];
            if (IsDuplicate(i))
            {
                _plan.DuplicateRows++;
            }
            else
            {
                _filter.Add(_plan, row.Input, row.Block, row.Number, 1);
            }
        }
    }

    /// <summary>A span sent twice has the same id, start, duration and kind. (One id for the client's and the server's span of a call is no such thing.)</summary>
    private bool IsDuplicate(int index)
    {
        var row = _together[index];
        for (var i = index - 1; i >= 0 && _together[i].Span == row.Span; i--)
        {
            var other = _together[i];
            if (_durations.Get(row.Input, row.Block)[row.Number] == _durations.Get(other.Input, other.Block)[other.Number]
                && _kinds.Get(row.Input, row.Block)[row.Number] == _kinds.Get(other.Input, other.Block)[other.Number])
            {
                return true;
            }
        }
        return false;
    }

    private long TimeAt(in Cursor cursor) => _times.Get(cursor.Input, cursor.Block)[cursor.Row];

    private int ReadInts<T>(PlainColumn column, int input, int block, ref T[] values)
        where T : unmanaged, System.Numerics.IBinaryInteger<T>
    {
        var part = _inputs[input];
        part.ReadInts(part.Directory.Plain(column, block), MergeInput.Room(ref values, part.RowsOf(block)));
        return part.RowsOf(block);
    }

    /// <param name="Time">Of the row.</param>
    private readonly record struct Cursor(int Input, int Block, int Row, long Left, long Time);

    /// <param name="Order">By input, then row.</param>
    private readonly record struct Row(SpanId Span, int Order, int Input, int Block, int Number) : IComparable<Row>
    {
        public int CompareTo(Row other)
        {
            var span = Span.CompareTo(other.Span);
            return span != 0 ? span : Order.CompareTo(other.Order);
        }
    }
}
