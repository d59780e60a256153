using System.Runtime.InteropServices;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds a page of traces. A trace's key is the best of its matching spans (start or duration); blocks are read best bound first, and reading stops when
/// no block left can beat the page. On a later page a trace that turns up is first looked at whole: its key may belong to an earlier page.
/// </summary>
internal sealed class TraceSearch : ScanStrand
{
    private readonly TracePage _page;
    private readonly TraceQuery _query;
    private readonly Scan _scan;
    private readonly TraceLoader _loader;
    private readonly FilterEvaluator _evaluator;
    private readonly Action<RowSource, RowBlock> _visit;
    private readonly Dictionary<TraceId, long> _offered = [];
    private readonly List<ulong> _tracesSeen = [];

    private TraceSearch(TracePage page)
    {
        _page = page;
        _query = page.Query;
        _scan = page.Scan;
        _loader = new TraceLoader(_scan);
        _evaluator = new FilterEvaluator(_query.Filter, _query.Range, Signal.Traces, new TraceFacts(_scan, _loader));
        _visit = ReadBlock;
    }

    public static Task<TraceSearchResult> RunAsync(ScanScheduler scheduler, Scan scan, TraceQuery query, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        var page = new TracePage(scan, query);
        return scheduler.RunAsync(() => new TraceSearch(page), static strands => strands[0].Finish(), cancellationToken);
    }

    public override bool Step()
    {
        if (!_page.TryTakeBlock(out var source, out var block) || !_scan.MayGoOn())
        {
            return false;
        }
        if (!source.AnswersAtOnce && !_scan.MayMatch(_evaluator, source, block))
        {
            return true;
        }
        _offered.Clear();
        _scan.Visit(source, block, _visit);
        if (_offered.Count > 0 && _query.After is not null)
        {
            Verify();
        }
        _page.Admit(_offered);
        return true;
    }

    private TraceSearchResult Finish()
    {
        var page = _page.Ordered();
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
        return new TraceSearchResult(summaries, _page.MatchedSpans, _page.MatchedTraces, more ? new TraceCursor(page[^1].Key, page[^1].Id) : null, _scan.Report());
    }

    private void ReadBlock(RowSource source, RowBlock block)
    {
        var rows = _evaluator.Evaluate(source, block);
        _page.RemoveSeen(source, block, rows);
        if (RowMask.IsEmpty(rows))
        {
            return;
        }
        var ids = block.TraceIds;
        var keys = _query.Order == TraceOrder.Newest ? block.TimeUnixNano : block.DurationNano;
        var least = _page.LeastKey;
        _tracesSeen.Clear();
        var previous = default(TraceId);
        foreach (var row in new RowEnumerator(rows))
        {
            var id = ids[row];
            if (id != previous)
            {
                _tracesSeen.Add(FingerprintSet.Mix(id.High, id.Low));
                previous = id;
            }
            var key = keys[row];
            if (key >= least && _page.IsAfterCursor(id, key))
            {
                ref var best = ref CollectionsMarshal.GetValueRefOrAddDefault(_offered, id, out var known);
                best = known ? Math.Max(best, key) : key;
            }
        }
        _page.CountMatches(RowMask.Count(rows), _tracesSeen);
    }

    /// <summary>
    /// Leaves those that belong to this page, with their real keys over all their matching spans. Best first, a page's worth at a time: what follows a full
    /// page cannot get in.
    /// </summary>
    private void Verify()
    {
        var candidates = _page.Unknown(_offered);
        _offered.Clear();
        for (var start = 0; start < candidates.Count && _offered.Count < _page.Capacity; start += _page.Capacity)
        {
            var some = candidates.GetRange(start, Math.Min(_page.Capacity, candidates.Count - start));
            foreach (var (id, spans) in _loader.Load([.. some.Select(trace => trace.Id)], _evaluator))
            {
                var key = long.MinValue;
                foreach (ref readonly var span in CollectionsMarshal.AsSpan(spans))
                {
                    key = span.Matched ? Math.Max(key, _query.Order == TraceOrder.Newest ? span.StartUnixNano : span.DurationNano) : key;
                }
                if (key != long.MinValue && _page.IsAfterCursor(id, key))
                {
                    _offered[id] = key;
                }
                else
                {
                    _page.Exclude(id);
                }
            }
        }
    }
}
