using System.Runtime.InteropServices;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds a page of traces. A trace's key is the best of its matching spans (start or duration); blocks are read best bound first, and reading stops when
/// no block left can beat the page. On a later page a trace that turns up is first looked at whole: its key may belong to an earlier page.
/// </summary>
internal sealed class TraceSearch
{
    private readonly Scan _scan;
    private readonly TraceQuery _query;
    private readonly TraceLoader _loader;
    private readonly FilterEvaluator _evaluator;
    private readonly SpanDeduplicator _spans = new();
    private readonly FingerprintSet _tracesSeen = new();
    private readonly Dictionary<TraceId, long> _blockBest = [];
    private readonly HashSet<TraceId> _earlier = [];
    private readonly Dictionary<TraceId, long> _best = [];
    private readonly int _capacity;
    private long _threshold = long.MinValue;
    private long _matchedSpans;
    private long _matchedTraces;

    private TraceSearch(Scan scan, TraceQuery query)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        _scan = scan;
        _query = query;
        _capacity = query.Limit + 1;
        _loader = new TraceLoader(scan);
        _evaluator = new FilterEvaluator(query.Filter, query.Range, Signal.Traces, new TraceFacts(scan, _loader));
    }

    public static TraceSearchResult Run(Scan scan, TraceQuery query) => new TraceSearch(scan, query).Run();

    private bool NewestFirst => _query.Order == TraceOrder.Newest;

    private TraceSearchResult Run()
    {
        Read();
        var page = Ordered(_best);
        var more = page.Count > _query.Limit;
        if (more)
        {
            page.RemoveRange(_query.Limit, page.Count - _query.Limit);
        }
        var traces = _loader.Load([.. page.Select(trace => trace.Id)], _evaluator, limitRows: true);
        var summaries = new List<TraceSummary>(page.Count);
        foreach (var (id, key) in page)
        {
            if (traces[id].Count > 0)
            {
                summaries.Add(TraceAssembly.Summarise(id, CollectionsMarshal.AsSpan(traces[id]), _loader.Strings, key));
            }
        }
        return new TraceSearchResult(summaries, _matchedSpans, _matchedTraces, more ? new TraceCursor(page[^1].Key, page[^1].Id) : null, _scan.Report());
    }

    private void Read()
    {
        var queue = new BlockQueue(
            source => NewestFirst ? source.LastTimeUnixNano : long.MaxValue,
            (source, block) => _evaluator.MayMatch(source, block) ? KeyOf(source.GetBounds(block)) : null);
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
            if (!_query.CountAll && _query.After is { } after && LowestOf(source.GetBounds(block)) > after.Key)
            {
                continue;
            }
            if (!_scan.MayGoOn())
            {
                return;
            }
            _scan.Visit(source, block, ReadBlock);
            Admit();
        }
    }

    private long KeyOf(in BlockBounds bounds) => NewestFirst ? bounds.LastTimeUnixNano : bounds.MaxDurationNano;

    private long LowestOf(in BlockBounds bounds) => NewestFirst ? bounds.FirstTimeUnixNano : bounds.MinDurationNano;

    private void ReadBlock(RowSource source, RowBlock block)
    {
        _blockBest.Clear();
        var rows = _evaluator.Evaluate(source, block);
        _spans.RemoveSeen(source, block, rows);
        if (RowMask.IsEmpty(rows))
        {
            return;
        }
        var ids = block.TraceIds;
        var keys = NewestFirst ? block.TimeUnixNano : block.DurationNano;
        var previous = default(TraceId);
        foreach (var row in new RowEnumerator(rows))
        {
            _matchedSpans++;
            var id = ids[row];
            if (id != previous)
            {
                _matchedTraces += _tracesSeen.Add(FingerprintSet.Mix(id.High, id.Low)) ? 1 : 0;
                previous = id;
            }
            var key = keys[row];
            if (key >= _threshold && IsAfterCursor(id, key))
            {
                ref var best = ref CollectionsMarshal.GetValueRefOrAddDefault(_blockBest, id, out var known);
                best = known ? Math.Max(best, key) : key;
            }
        }
    }

    private bool IsAfterCursor(TraceId id, long key) =>
        _query.After is not { } after || key < after.Key || (key == after.Key && id.CompareTo(after.TraceId) > 0);

    /// <summary>Takes the traces that the last block offers into the page, as far as they belong there.</summary>
    private void Admit()
    {
        if (_blockBest.Count == 0)
        {
            return;
        }
        if (_query.After is null)
        {
            foreach (var (id, key) in _blockBest)
            {
                ref var best = ref CollectionsMarshal.GetValueRefOrAddDefault(_best, id, out var known);
                best = known ? Math.Max(best, key) : key;
            }
        }
        else
        {
            AdmitVerified();
        }
        Trim();
    }

    /// <summary>
    /// Best first, a page's worth at a time: what follows a full page cannot get in. A trace is taken with its real key, over all its matching spans.
    /// </summary>
    private void AdmitVerified()
    {
        var offered = Ordered(_blockBest);
        offered.RemoveAll(trace => _best.ContainsKey(trace.Id) || _earlier.Contains(trace.Id));
        var admitted = 0;
        for (var start = 0; start < offered.Count && admitted < _capacity; start += _capacity)
        {
            var chunk = offered.GetRange(start, Math.Min(_capacity, offered.Count - start));
            foreach (var (id, spans) in _loader.Load([.. chunk.Select(trace => trace.Id)], _evaluator))
            {
                var key = long.MinValue;
                foreach (ref readonly var span in CollectionsMarshal.AsSpan(spans))
                {
                    key = span.Matched ? Math.Max(key, NewestFirst ? span.StartUnixNano : span.DurationNano) : key;
                }
                if (key != long.MinValue && IsAfterCursor(id, key))
                {
                    _best[id] = key;
                    admitted++;
                }
                else
                {
                    _earlier.Add(id);
                }
            }
        }
    }

    private void Trim()
    {
        if (_best.Count < _capacity)
        {
            return;
        }
        var ordered = Ordered(_best);
        for (var i = _capacity; i < ordered.Count; i++)
        {
            _best.Remove(ordered[i].Id);
        }
        _threshold = ordered[_capacity - 1].Key;
    }

    private static List<(TraceId Id, long Key)> Ordered(Dictionary<TraceId, long> traces)
    {
        var ordered = new List<(TraceId Id, long Key)>(traces.Count);
        foreach (var (id, key) in traces)
        {
            ordered.Add((id, key));
        }
        ordered.Sort(static (left, right) => left.Key != right.Key ? right.Key.CompareTo(left.Key) : left.Id.CompareTo(right.Id));
        return ordered;
    }
}
