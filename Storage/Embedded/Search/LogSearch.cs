using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds a page of log records in the order of time. Records of the same time are ordered by where they are stored, which a snapshot does not change: so a
/// cursor is a time and a count.
/// </summary>
internal sealed class LogSearch
{
    private readonly Scan _scan;
    private readonly LogQuery _query;
    private readonly FilterEvaluator _evaluator;
    private readonly List<Place> _best = [];
    private readonly Dictionary<RowSource, int> _sourceNumbers = new(ReferenceEqualityComparer.Instance);
    private readonly int _capacity;
    private readonly long _skip;
    private int _block;
    private long _threshold = long.MinValue;
    private long _matched;

    /// <param name="Key">The time, negated in ascending order: the best is always the highest.</param>
    private readonly record struct Place(long Key, int Source, int Block, int Row) : IComparable<Place>
    {
        public int CompareTo(Place other)
        {
            var order = other.Key.CompareTo(Key);
            order = order != 0 ? order : Source.CompareTo(other.Source);
            order = order != 0 ? order : Block.CompareTo(other.Block);
            return order != 0 ? order : Row.CompareTo(other.Row);
        }
    }

    private LogSearch(Scan scan, LogQuery query)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        _scan = scan;
        _query = query;
        _skip = query.After is { } after ? after.Skip + 1L : 0;
        _capacity = (int)Math.Min(query.Limit + 1 + _skip, Array.MaxLength / 2);
        _evaluator = new FilterEvaluator(FilterOf(query), query.Range, Signal.Logs, new TraceFacts(scan, new TraceLoader(scan)));
        for (var i = 0; i < scan.Sources.Count; i++)
        {
            _sourceNumbers[scan.Sources[i]] = i;
        }
    }

    public static LogSearchResult Run(Scan scan, LogQuery query) => new LogSearch(scan, query).Run();

    private static Filter FilterOf(LogQuery query)
    {
        var filter = query.Filter;
        if (query.SpanId is { } spanId)
        {
            filter = Filter.And(Filter.Equal(Field.Of(Intrinsic.SpanId), AttributeValue.FromString(spanId.ToString())), filter);
        }
        return query.TraceId is { } traceId
            ? Filter.And(Filter.Equal(Field.Of(Intrinsic.TraceId), AttributeValue.FromString(traceId.ToString())), filter)
            : filter;
    }

    private LogSearchResult Run()
    {
        Read();
        _best.Sort();
        SkipToCursor();
        var more = _best.Count > _query.Limit;
        if (more)
        {
            _best.RemoveRange(_query.Limit, _best.Count - _query.Limit);
        }
        var records = Copy();
        return new LogSearchResult(records, _matched, more ? CursorAt() : null, _scan.Report());
    }

    private void Read()
    {
        var queue = new BlockQueue(
            source => KeyOf(_query.Ascending ? source.FirstTimeUnixNano : source.LastTimeUnixNano),
            (source, block) => _evaluator.MayMatch(source, block) ? BestKeyOf(source.GetBounds(block)) : null);
        foreach (var source in _scan.SourcesIn(_query.Range))
        {
            if (_evaluator.MayMatch(source))
            {
                queue.Add(source);
            }
        }
        while (queue.TryTake(out var source, out var block, out var key))
        {
            if (!_query.CountAll && key < _threshold)
            {
                _scan.Stop("limit");
                return;
            }
            if (!_query.CountAll && _query.After is { } after && WorstKeyOf(source.GetBounds(block)) > KeyOf(after.TimeUnixNano))
            {
                continue;
            }
            if (!_scan.MayGoOn())
            {
                return;
            }
            _block = block;
            _scan.Visit(source, block, ReadBlock);
            Trim();
        }
    }

    /// <summary>~time, not -time, which has no value for the earliest.</summary>
    private long KeyOf(long timeUnixNano) => _query.Ascending ? ~timeUnixNano : timeUnixNano;

    private long BestKeyOf(in BlockBounds bounds) => KeyOf(_query.Ascending ? bounds.FirstTimeUnixNano : bounds.LastTimeUnixNano);

    private long WorstKeyOf(in BlockBounds bounds) => KeyOf(_query.Ascending ? bounds.LastTimeUnixNano : bounds.FirstTimeUnixNano);

    private void ReadBlock(RowSource source, RowBlock block)
    {
        var rows = _evaluator.Evaluate(source, block);
        if (RowMask.IsEmpty(rows))
        {
            return;
        }
        var number = _sourceNumbers[source];
        var times = block.TimeUnixNano;
        var highest = _query.After is { } after ? KeyOf(after.TimeUnixNano) : long.MaxValue;
        foreach (var row in new RowEnumerator(rows))
        {
            _matched++;
            var key = KeyOf(times[row]);
            if (key >= _threshold && key <= highest)
            {
                _best.Add(new Place(key, number, _block, row));
            }
        }
    }

    private void Trim()
    {
        if (_best.Count < 2L * _capacity && (_best.Count < _capacity || _threshold != long.MinValue))
        {
            return;
        }
        _best.Sort();
        if (_best.Count >= _capacity)
        {
            _best.RemoveRange(_capacity, _best.Count - _capacity);
            _threshold = _best[^1].Key;
        }
    }

    /// <summary>Drops the records at the cursor's time that earlier pages had.</summary>
    private void SkipToCursor()
    {
        if (_query.After is not { } after)
        {
            return;
        }
        var key = KeyOf(after.TimeUnixNano);
        var drop = 0;
        while (drop < _best.Count && drop < _skip && _best[drop].Key == key)
        {
            drop++;
        }
        _best.RemoveRange(0, drop);
    }

    private LogCursor CursorAt()
    {
        var last = _best[^1];
        var before = 0;
        for (var i = _best.Count - 2; i >= 0 && _best[i].Key == last.Key; i--)
        {
            before++;
        }
        if (before == _best.Count - 1 && _query.After is { } after && KeyOf(after.TimeUnixNano) == last.Key)
        {
            before += after.Skip + 1;
        }
        return new LogCursor(_query.Ascending ? ~last.Key : last.Key, before);
    }

    private ColumnBatch Copy()
    {
        var copiers = new Dictionary<(int Source, int Block), (ColumnBatch Rows, Dictionary<int, int> Places)>();
        foreach (var group in _best.GroupBy(place => (place.Source, place.Block)))
        {
            int[] rows = [.. group.Select(place => place.Row).Order()];
            var copy = new ColumnBatch(Signal.Logs);
            if (_scan.Visit(_scan.Sources[group.Key.Source], group.Key.Block, (_, block) => block.CopyRows(rows, copy)))
            {
                copiers.Add(group.Key, (copy, rows.Index().ToDictionary(row => row.Item, row => row.Index)));
            }
        }
        var records = new ColumnBatch(Signal.Logs);
        var targets = copiers.ToDictionary(copy => copy.Key, copy => new BatchCopier(copy.Value.Rows, records, copy.Value.Rows.Rows));
        foreach (var place in _best)
        {
            if (copiers.TryGetValue((place.Source, place.Block), out var copy))
            {
                targets[(place.Source, place.Block)].CopyRow(copy.Places[place.Row]);
            }
        }
        return records;
    }
}
