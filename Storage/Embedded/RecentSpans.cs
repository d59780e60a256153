using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>
/// Finds spans that are appended again, as a sender does that got no answer. Those seen lately are remembered by 32 bits each; what looks like one of them
/// is looked up by its whole ids in the store, so that no span is ever lost to a likeness. Used by the one that appends.
/// </summary>
internal sealed class RecentSpans(RecentIds ids)
{
    /// <summary>The last 8 million spans; memory is taken as they come.</summary>
    public const int DefaultBytes = 32 << 20;

    private readonly List<int> _hits = [];

    public RecentSpans()
        : this(new RecentIds(DefaultBytes))
    {
    }

    /// <summary>Spans remembered at most.</summary>
    public int Capacity => ids.Capacity;

    /// <summary>Remembers a span that is in a part at the start.</summary>
    public void Add(TraceId traceId, SpanId spanId) => ids.Add(RecentIds.HashOf(traceId, spanId));

    /// <summary>The batch without the spans that are stored already, or that it has twice: the batch itself when there are none.</summary>
    /// <param name="sources">What is stored; asked only when something looks known. The caller disposes it after.</param>
    public ColumnBatch RemoveStored(ColumnBatch batch, Func<SourceLease> sources)
    {
        var traces = batch.TraceId.Values;
        var spans = batch.SpanId.Values;
        _hits.Clear();
        for (var row = 0; row < traces.Length; row++)
        {
            if (!ids.Add(RecentIds.HashOf(traces[row], spans[row])))
            {
                _hits.Add(row);
            }
        }
        return _hits.Count == 0 ? batch : RemoveVerified(batch, sources);
    }

    private ColumnBatch RemoveVerified(ColumnBatch batch, Func<SourceLease> sources)
    {
        var wanted = new Dictionary<TraceId, HashSet<SpanId>>();
        foreach (var row in _hits)
        {
            if (!wanted.TryGetValue(batch.TraceId[row], out var spans))
            {
                wanted.Add(batch.TraceId[row], spans = []);
            }
            spans.Add(batch.SpanId[row]);
        }
        HashSet<(TraceId, SpanId)> stored;
        using (var lease = sources())
        {
            stored = FindStored(lease.Sources, wanted);
        }
        var isHit = _hits.ToHashSet();
        var kept = new List<int>(batch.Rows);
        for (var row = 0; row < batch.Rows; row++)
        {
            var id = (batch.TraceId[row], batch.SpanId[row]);
            // Of copies in the batch itself the first stays, unless it is stored.
            if (!wanted.TryGetValue(id.Item1, out var spans) || !spans.Contains(id.Item2) || stored.Add(id))
            {
                kept.Add(row);
            }
        }
        if (kept.Count == batch.Rows)
        {
            return batch;
        }
        var copy = new ColumnBatch(batch.Signal);
        var copier = new BatchCopier(batch, copy, kept.Count);
        foreach (var row in kept)
        {
            copier.CopyRow(row);
        }
        return copy;
    }

    private static HashSet<(TraceId, SpanId)> FindStored(IReadOnlyList<RowSource> sources, Dictionary<TraceId, HashSet<SpanId>> wanted)
    {
        var stored = new HashSet<(TraceId, SpanId)>();
        var left = wanted.Values.Sum(spans => spans.Count);
        // What is sent again was stored lately: the newest sources first.
        for (var number = sources.Count - 1; number >= 0 && stored.Count < left; number--)
        {
            try
            {
                AddStored(sources[number], wanted, stored);
            }
            catch (CorruptPartException)
            {
                // What cannot be read does not show that a span is stored: it is kept.
                continue;
            }
        }
        return stored;
    }

    private static void AddStored(RowSource source, Dictionary<TraceId, HashSet<SpanId>> wanted, HashSet<(TraceId, SpanId)> stored)
    {
        var found = new List<int>();
        foreach (var traceId in wanted.Keys)
        {
            source.FindTrace(traceId, found);
        }
        foreach (var number in found.Distinct())
        {
            using var block = source.OpenBlock(number);
            var traces = block.TraceIds;
            var spans = block.SpanIds;
            HashSet<SpanId>? ofTrace = null;
            for (var row = 0; row < traces.Length; row++)
            {
                if (row == 0 || traces[row] != traces[row - 1])
                {
                    ofTrace = wanted.GetValueOrDefault(traces[row]);
                }
                if (ofTrace is not null && ofTrace.Contains(spans[row]))
                {
                    stored.Add((traces[row], spans[row]));
                }
            }
        }
    }
}
