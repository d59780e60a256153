using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>Where a matching log record is.</summary>
/// <param name="Key">The time, negated in ascending order: the best is always the highest.</param>
internal readonly record struct LogPlace(long Key, int Source, int Block, int Row) : IComparable<LogPlace>
{
    public int CompareTo(LogPlace other)
    {
        var order = other.Key.CompareTo(Key);
        order = order != 0 ? order : Source.CompareTo(other.Source);
        order = order != 0 ? order : Block.CompareTo(other.Block);
        return order != 0 ? order : Row.CompareTo(other.Row);
    }
}

/// <summary>
/// What the strands of a search for log records share: the blocks that are left, best bound first, and the best records found so far. Any number of threads.
/// </summary>
internal sealed class LogPage
{
    private readonly Lock _lock = new();
    private readonly BlockQueue _blocks;
    private readonly LogQuery _query;
    private readonly Filter _filter;
    private readonly Dictionary<RowSource, int> _sourceNumbers = new(ReferenceEqualityComparer.Instance);
    private readonly List<LogPlace> _best = [];
    private readonly int _skip;
    private readonly int _capacity;
    private long _leastKey = long.MinValue;

    /// <exception cref="ArgumentException">The cursor skips more than <see cref="LogCursor.MaxSkip"/> records.</exception>
    public LogPage(Scan scan, LogQuery query)
    {
        Scan = scan;
        _query = query;
        _filter = FilterOf(query);
        if (query.After is { Skip: < 0 or > LogCursor.MaxSkip })
        {
            throw new ArgumentException($"the cursor skips {query.After.Skip} records of one time, at most {LogCursor.MaxSkip} are possible", nameof(query));
        }
        _skip = query.After is { } after ? after.Skip + 1 : 0;
        _capacity = query.Limit + 1 + _skip;
        HighestKey = query.After is { } cursor ? KeyOf(cursor.TimeUnixNano) : long.MaxValue;
        // A filter of its own, as strands use theirs meanwhile.
        var pruning = NewEvaluator();
        _blocks = new BlockQueue(
            source => KeyOf(query.Ascending ? source.FirstTimeUnixNano : source.LastTimeUnixNano),
            (source, block) => query.Range.Overlaps(source.GetBounds(block).FirstTimeUnixNano, source.GetBounds(block).LastTimeUnixNano)
                && (!source.AnswersAtOnce || scan.MayMatch(pruning, source, block)) ? BestOf(source.GetBounds(block)) : null,
            source => scan.MayMatch(pruning, source));
        for (var i = 0; i < scan.Sources.Count; i++)
        {
            _sourceNumbers[scan.Sources[i]] = i;
        }
        foreach (var source in scan.SourcesIn(query.Range))
        {
            _blocks.Add(source);
        }
    }

    public Scan Scan { get; }

    /// <summary>A lower key cannot be on the page any more.</summary>
    public long LeastKey => Volatile.Read(ref _leastKey);

    /// <summary>Higher keys are on earlier pages.</summary>
    public long HighestKey { get; }

    public long Matched { get; private set; }

    public FilterEvaluator NewEvaluator() => new(_filter, _query.Range, Signal.Logs, new TraceFacts(Scan, new TraceLoader(Scan)));

    public int NumberOf(RowSource source) => _sourceNumbers[source];

    /// <summary>~time, not -time, which has no value for the earliest.</summary>
    public long KeyOf(long timeUnixNano) => _query.Ascending ? ~timeUnixNano : timeUnixNano;

    /// <summary>The next block to look at; false when no block left can change the page. Of its indexes only the bounds have been asked, unless the source <see cref="RowSource.AnswersAtOnce"/>.</summary>
    public bool TryTakeBlock(out RowSource source, out int block)
    {
        lock (_lock)
        {
            while (_blocks.TryTake(out source, out block, out var key))
            {
                if (_query.CountAll)
                {
                    return true;
                }
                if (key < _leastKey)
                {
                    Scan.Stop("limit");
                    return false;
                }
                if (WorstOf(source.GetBounds(block)) <= HighestKey)
                {
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>Takes what belongs on the page.</summary>
    public void Admit(int matched, List<LogPlace> places)
    {
        lock (_lock)
        {
            Matched += matched;
            _best.AddRange(places);
            if (_best.Count < 2L * _capacity && (_best.Count < _capacity || _leastKey != long.MinValue))
            {
                return;
            }
            _best.Sort();
            _best.RemoveRange(_capacity, _best.Count - _capacity);
            Volatile.Write(ref _leastKey, _best[^1].Key);
        }
    }

    /// <summary>The records of the page in its order. Once, when all strands are done.</summary>
    /// <param name="next">Where the next page begins; null when there is none.</param>
    public List<LogPlace> Places(out LogCursor? next)
    {
        _best.Sort();
        SkipToCursor();
        var more = _best.Count > _query.Limit;
        if (more)
        {
            _best.RemoveRange(_query.Limit, _best.Count - _query.Limit);
        }
        next = more ? CursorAt() : null;
        if (next is { Skip: > LogCursor.MaxSkip })
        {
            Scan.Stop("limit");
            next = null;
        }
        return _best;
    }

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

    private long BestOf(in BlockBounds bounds) => KeyOf(_query.Ascending ? bounds.FirstTimeUnixNano : bounds.LastTimeUnixNano);

    private long WorstOf(in BlockBounds bounds) => KeyOf(_query.Ascending ? bounds.LastTimeUnixNano : bounds.FirstTimeUnixNano);

    /// <summary>Drops the records at the cursor's time that earlier pages had.</summary>
    private void SkipToCursor()
    {
        var drop = 0;
        while (drop < _best.Count && drop < _skip && _best[drop].Key == HighestKey)
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
}
