using System.Runtime.InteropServices;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// What the strands of a search for traces share: the blocks that are left, best bound first, and the best traces found so far. Any number of threads.
/// </summary>
internal sealed class TracePage
{
    private readonly Lock _lock = new();
    private readonly BlockQueue _blocks;
    private readonly SpanDeduplicator _spans = new();
    private readonly FingerprintSet _tracesSeen = new();
    private readonly HashSet<TraceId> _earlier = [];
    private readonly Dictionary<TraceId, long> _best = [];
    private long _leastKey = long.MinValue;

    public TracePage(Scan scan, TraceQuery query)
    {
        Scan = scan;
        Query = query;
        Capacity = query.Limit + 1;
        // A filter of its own, as strands use theirs meanwhile.
        var pruning = new FilterEvaluator(query.Filter, query.Range, Signal.Traces, new TraceFacts(scan, new TraceLoader(scan)));
        _blocks = new BlockQueue(
            BestOf,
            (source, block) => query.Range.Overlaps(source.GetBounds(block).FirstTimeUnixNano, source.GetBounds(block).LastTimeUnixNano)
                && (!source.AnswersAtOnce || scan.MayMatch(pruning, source, block)) ? BestOf(source.GetBounds(block)) : null,
            source => scan.MayMatch(pruning, source));
        foreach (var source in scan.SourcesIn(query.Range))
        {
            _blocks.Add(source);
        }
    }

    public Scan Scan { get; }

    public TraceQuery Query { get; }

    /// <summary>Traces kept: the page, and one that tells whether more follow.</summary>
    public int Capacity { get; }

    /// <summary>A lower key cannot be on the page any more.</summary>
    public long LeastKey => Volatile.Read(ref _leastKey);

    public long MatchedSpans { get; private set; }

    public long MatchedTraces { get; private set; }

    private bool NewestFirst => Query.Order == TraceOrder.Newest;

    /// <summary>The next block to look at; false when no block left can change the page. Of its indexes only the bounds have been asked, unless the source <see cref="RowSource.AnswersAtOnce"/>.</summary>
    public bool TryTakeBlock(out RowSource source, out int block)
    {
        lock (_lock)
        {
            while (_blocks.TryTake(out source, out block, out var key))
            {
                if (Query.CountAll)
                {
                    return true;
                }
                if (key < _leastKey)
                {
                    Scan.Stop("limit");
                    return false;
                }
                if (Query.After is not { } after || WorstOf(source.GetBounds(block)) <= after.Key)
                {
                    return true;
                }
            }
            return false;
        }
    }

    public bool IsAfterCursor(TraceId id, long key) =>
        Query.After is not { } after || key < after.Key || (key == after.Key && id.CompareTo(after.TraceId) > 0);

    /// <summary>Removes the rows whose span another block had.</summary>
    public void RemoveSeen(RowSource source, RowBlock block, Span<ulong> rows)
    {
        if (!RowMask.IsEmpty(rows))
        {
            // Decoded before the lock is taken.
            _ = block.TraceIds;
            _ = block.SpanIds;
            lock (_lock)
            {
                _spans.RemoveSeen(source, block, rows);
            }
        }
    }

    /// <param name="traces">Fingerprints of their ids.</param>
    public void CountMatches(int spans, List<ulong> traces)
    {
        lock (_lock)
        {
            MatchedSpans += spans;
            foreach (var trace in traces)
            {
                MatchedTraces += _tracesSeen.Add(trace) ? 1 : 0;
            }
        }
    }

    /// <summary>Those of which it is not known yet whether they are on this page, best first.</summary>
    public List<(TraceId Id, long Key)> Unknown(Dictionary<TraceId, long> traces)
    {
        var unknown = Ordered(traces);
        lock (_lock)
        {
            unknown.RemoveAll(trace => _best.ContainsKey(trace.Id) || _earlier.Contains(trace.Id));
        }
        return unknown;
    }

    /// <summary>The trace is on an earlier page.</summary>
    public void Exclude(TraceId id)
    {
        lock (_lock)
        {
            _earlier.Add(id);
        }
    }

    /// <summary>Takes what belongs on the page.</summary>
    public void Admit(Dictionary<TraceId, long> traces)
    {
        if (traces.Count == 0)
        {
            return;
        }
        lock (_lock)
        {
            foreach (var (id, key) in traces)
            {
                ref var best = ref CollectionsMarshal.GetValueRefOrAddDefault(_best, id, out var known);
                best = known ? Math.Max(best, key) : key;
            }
            if (_best.Count < Capacity)
            {
                return;
            }
            var ordered = Ordered(_best);
            for (var i = Capacity; i < ordered.Count; i++)
            {
                _best.Remove(ordered[i].Id);
            }
            Volatile.Write(ref _leastKey, ordered[Capacity - 1].Key);
        }
    }

    /// <summary>The best, in the order of the answer.</summary>
    public List<(TraceId Id, long Key)> Ordered()
    {
        lock (_lock)
        {
            return Ordered(_best);
        }
    }

    private long BestOf(RowSource source)
    {
        if (NewestFirst)
        {
            return source.LastTimeUnixNano;
        }
        long longest = 0;
        for (var block = 0; block < source.BlockCount; block++)
        {
            longest = Math.Max(longest, source.GetBounds(block).MaxDurationNano);
        }
        return longest;
    }

    private long BestOf(in BlockBounds bounds) => NewestFirst ? bounds.LastTimeUnixNano : bounds.MaxDurationNano;

    private long WorstOf(in BlockBounds bounds) => NewestFirst ? bounds.FirstTimeUnixNano : bounds.MinDurationNano;

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
