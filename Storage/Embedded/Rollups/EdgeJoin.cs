using System.Runtime.InteropServices;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// What the spans of some sources add to the edges of those before. A trace that has spans in both is joined over both, and what its earlier spans alone
/// gave is taken back: so late spans correct, and the edges of all sources are the sum. One use, one thread.
/// </summary>
internal sealed class EdgeJoin
{
    /// <summary>Most links followed.</summary>
    public const int MaxLinks = 16_384;

    private readonly IReadOnlyList<RowSource> _earlier;
    private readonly Func<TraceId, bool>? _mayBeEarlier;
    private readonly EdgeJoinLimits _limits;
    private readonly BlockVisitor _visit;
    private readonly EdgeSpanReader _reader;
    private readonly TraceEdges _edges;
    private readonly List<EdgeSpan> _open = [];
    private readonly Dictionary<TraceId, List<EdgeSpan>> _split = [];
    private readonly List<LinkReceipt> _receipts = [];
    private readonly List<int> _found = [];
    private TraceId _openTrace;

    /// <summary>Opens a block, has it visited and closes it; false when it is damaged or the time is up.</summary>
    public delegate bool BlockVisitor(RowSource source, int block, Action<RowSource, RowBlock> visit);

    /// <param name="earlier">Sources whose edges are counted.</param>
    /// <param name="mayBeEarlier">False only when they have no span of the trace; null: they are asked.</param>
    public EdgeJoin(StringTable strings, TimeRange range, IReadOnlyList<RowSource> earlier, Func<TraceId, bool>? mayBeEarlier, EdgeJoinLimits limits, BlockVisitor visit)
    {
        _earlier = earlier;
        _mayBeEarlier = mayBeEarlier;
        _limits = limits;
        _visit = visit;
        _reader = new EdgeSpanReader(strings);
        Log = new EdgeLog(strings, range);
        _edges = new TraceEdges(Log);
    }

    public EdgeLog Log { get; }

    /// <summary>Traces and links that were not looked for in earlier sources, as there were more than the limits allow.</summary>
    public int LeftOut { get; private set; }

    /// <summary>Receipts of which no link leads to a stored span.</summary>
    public IReadOnlyList<LinkReceipt> Unresolved => _receipts;

    /// <summary>Told of each trace that is complete in the sources.</summary>
    public Action<TraceId>? OnTrace { get; init; }

    /// <summary>Adds the blocks of a source that may hold spans of a trace; none when its index is damaged.</summary>
    public Action<RowSource, TraceId, List<int>> Find { get; init; } = FindWhatCanBeFound;

    /// <summary>Asked before a trace is joined; true: it is left out, to come with <see cref="AddSpread"/>.</summary>
    public Func<TraceId, bool>? Defer { get; init; }

    /// <summary>Told of each call among the spans, to see whether a link waits for it.</summary>
    public Action<TraceId, EdgeSpan>? OnCall { get; init; }

    /// <summary>The next block of a source in which the spans of a trace follow each other. <see cref="EndSource"/> after its last.</summary>
    public void Add(RowSource source, RowBlock block)
    {
        var spans = _reader.Read(source, block);
        var ids = block.TraceIds;
        for (var start = 0; start < spans.Length;)
        {
            var end = start + 1;
            while (end < spans.Length && ids[end] == ids[start])
            {
                end++;
            }
            if (_open.Count > 0 && _openTrace != ids[start])
            {
                EndSource();
            }
            if (_open.Count == 0 && end < spans.Length)
            {
                AddTrace(ids[start], spans[start..end]);
            }
            else
            {
                // The next block may go on with it.
                _openTrace = ids[start];
                _open.AddRange(spans[start..end]);
            }
            start = end;
        }
    }

    public void EndSource()
    {
        if (_open.Count > 0)
        {
            AddTrace(_openTrace, CollectionsMarshal.AsSpan(_open));
            _open.Clear();
        }
    }

    /// <summary>Sources whose rows are in any order, taken together.</summary>
    public void AddUnordered(IReadOnlyList<RowSource> sources)
    {
        var rows = (int)Math.Min(sources.Sum(static source => source.RowCount), Array.MaxLength);
        var spans = new List<EdgeSpan>(rows);
        var ids = new List<(TraceId TraceId, int Index)>(rows);
        foreach (var source in sources)
        {
            for (var block = 0; block < source.BlockCount; block++)
            {
                _visit(source, block, (from, opened) => Collect(from, opened, spans, ids));
            }
        }
        AddUnordered(spans, ids);
    }

    /// <summary>A block whose rows are in any order, of traces that are nowhere else or <see cref="Defer"/>red.</summary>
    public void AddUnordered(RowSource source, RowBlock block)
    {
        var spans = new List<EdgeSpan>(block.Rows);
        var ids = new List<(TraceId TraceId, int Index)>(block.Rows);
        Collect(source, block, spans, ids);
        AddUnordered(spans, ids);
    }

    /// <summary>Traces that lie in several blocks of the sources.</summary>
    public void AddSpread(IReadOnlyList<RowSource> sources, IReadOnlyCollection<TraceId> traceIds)
    {
        foreach (var (_, spans) in Load(sources, traceIds, areEarlier: false))
        {
            Join(CollectionsMarshal.AsSpan(spans));
        }
    }

    private void Collect(RowSource source, RowBlock block, List<EdgeSpan> spans, List<(TraceId TraceId, int Index)> ids)
    {
        spans.AddRange(_reader.Read(source, block));
        foreach (var id in block.TraceIds)
        {
            ids.Add((id, ids.Count));
        }
    }

    private void AddUnordered(List<EdgeSpan> spans, List<(TraceId TraceId, int Index)> ids)
    {
        var order = CollectionsMarshal.AsSpan(ids);
        order.Sort(static (left, right) => left.TraceId.CompareTo(right.TraceId) is var compared and not 0 ? compared : left.Index.CompareTo(right.Index));
        var trace = new List<EdgeSpan>();
        for (var i = 0; i < order.Length; i++)
        {
            trace.Add(spans[order[i].Index]);
            if (i + 1 == order.Length || order[i + 1].TraceId != order[i].TraceId)
            {
                AddTrace(order[i].TraceId, CollectionsMarshal.AsSpan(trace));
                trace.Clear();
            }
        }
    }

    /// <summary>Joins what lies in several sources. After the last Add.</summary>
    /// <param name="sources">Those that were added: links may lead to them.</param>
    public void Finish(IReadOnlyList<RowSource> sources)
    {
        EndSource();
        JoinSplit();
        FollowLinks(sources);
    }

    private void AddTrace(TraceId traceId, ReadOnlySpan<EdgeSpan> spans)
    {
        if (Defer is not null && Defer(traceId))
        {
            return;
        }
        if (OnCall is not null)
        {
            foreach (ref readonly var span in spans)
            {
                if (span.IsCall)
                {
                    OnCall(traceId, span);
                }
            }
        }
        var earlier = IsEarlier(traceId);
        OnTrace?.Invoke(traceId);
        if (earlier)
        {
            if (_split.Count < _limits.Traces)
            {
                _split.Add(traceId, [.. spans]);
                return;
            }
            LeftOut++;
        }
        Join(spans);
    }

    private void Join(ReadOnlySpan<EdgeSpan> spans)
    {
        _edges.Add(spans);
        for (var i = 0; i < spans.Length; i++)
        {
            if (spans[i].LinkCount > 0 && !spans[i].IsEarlier && _edges.IsUnnamedReceipt(spans, i))
            {
                if (_receipts.Count < MaxLinks)
                {
                    _receipts.Add(new LinkReceipt(spans[i], [.. CollectionsMarshal.AsSpan(_reader.Links).Slice(spans[i].FirstLink, spans[i].LinkCount)]));
                }
                else
                {
                    LeftOut++;
                }
            }
        }
    }

    private bool IsEarlier(TraceId traceId)
    {
        if (_earlier.Count == 0)
        {
            return false;
        }
        if (_mayBeEarlier is not null)
        {
            return _mayBeEarlier(traceId);
        }
        _found.Clear();
        foreach (var source in _earlier)
        {
            Find(source, traceId, _found);
        }
        return _found.Count > 0;
    }

    /// <summary>A damaged index of an earlier part costs the corrections that it would give, not the seal; the query that meets it reports it.</summary>
    private static void FindWhatCanBeFound(RowSource source, TraceId traceId, List<int> blocks)
    {
        var before = blocks.Count;
        try
        {
            source.FindTrace(traceId, blocks);
        }
        catch (CorruptPartException)
        {
            blocks.RemoveRange(before, blocks.Count - before);
        }
    }

    private void JoinSplit()
    {
        if (_split.Count == 0)
        {
            return;
        }
        var earlier = Load(_earlier, _split.Keys, areEarlier: true);
        var all = new List<EdgeSpan>();
        foreach (var (traceId, spans) in _split)
        {
            if (!earlier.TryGetValue(traceId, out var before))
            {
                Join(CollectionsMarshal.AsSpan(spans));
                continue;
            }
            all.Clear();
            all.AddRange(before);
            all.AddRange(spans);
            Join(CollectionsMarshal.AsSpan(all));
            Log.Sign = -1;
            _edges.Add(CollectionsMarshal.AsSpan(before));
            Log.Sign = 1;
        }
        _split.Clear();
    }

    /// <summary>The spans of traces, by whichever blocks the limits allow: those of the latest sources first.</summary>
    private Dictionary<TraceId, List<EdgeSpan>> Load(IReadOnlyList<RowSource> sources, IEnumerable<TraceId> traceIds, bool areEarlier)
    {
        var wanted = traceIds.ToHashSet();
        var found = new Dictionary<TraceId, List<EdgeSpan>>();
        if (wanted.Count == 0)
        {
            return found;
        }
        var blocksLeft = _limits.Blocks;
        for (var number = sources.Count - 1; number >= 0; number--)
        {
            var source = sources[number];
            var blocks = new SortedSet<int>();
            foreach (var traceId in wanted)
            {
                _found.Clear();
                Find(source, traceId, _found);
                blocks.UnionWith(_found);
            }
            foreach (var block in blocks)
            {
                if (blocksLeft-- <= 0)
                {
                    LeftOut += wanted.Count - found.Count;
                    return found;
                }
                _visit(source, block, (from, opened) =>
                {
                    var spans = _reader.Read(from, opened);
                    var ids = opened.TraceIds;
                    for (var row = 0; row < spans.Length; row++)
                    {
                        if (wanted.Contains(ids[row]))
                        {
                            spans[row].IsEarlier = areEarlier;
                            ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(found, ids[row], out _);
                            (list ??= []).Add(spans[row]);
                        }
                    }
                });
            }
        }
        return found;
    }

    /// <summary>A receipt whose link leads to a call of another service is an edge from there.</summary>
    private void FollowLinks(IReadOnlyList<RowSource> sources)
    {
        if (_receipts.Count == 0)
        {
            return;
        }
        var traceIds = _receipts.SelectMany(receipt => receipt.Links).Select(link => link.TraceId).ToHashSet();
        var targets = Load(sources, traceIds, areEarlier: false);
        foreach (var (traceId, spans) in Load(_earlier, _mayBeEarlier is null ? traceIds : traceIds.Where(_mayBeEarlier), areEarlier: true))
        {
            ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(targets, traceId, out _);
            (known ??= []).AddRange(spans);
        }
        var unresolved = new List<LinkReceipt>();
        foreach (var receipt in _receipts)
        {
            var services = new HashSet<int>();
            var resolved = false;
            foreach (var (traceId, spanId) in receipt.Links)
            {
                if (targets.TryGetValue(traceId, out var spans) && spans.FindIndex(span => span.SpanId == spanId) is var index and >= 0)
                {
                    resolved = true;
                    AddLink(receipt, spans[index], services);
                }
            }
            if (!resolved)
            {
                unresolved.Add(receipt);
            }
        }
        _receipts.Clear();
        _receipts.AddRange(unresolved);
    }

    private void AddLink(LinkReceipt receipt, in EdgeSpan sender, HashSet<int> services)
    {
        if (sender.IsCall && sender.Service != receipt.Span.Service && services.Add(sender.Service))
        {
            Log.Add(
                sender.Service, receipt.Span.Service, EdgeKind.Service, receipt.Span.PeerSystem, sender.Name,
                receipt.Span.StartUnixNano, receipt.Span.DurationNano, receipt.Span.Error);
        }
    }
}

/// <summary>A span that took something out of a queue which it does not name, and what its links point to.</summary>
internal sealed record LinkReceipt(EdgeSpan Span, (TraceId TraceId, SpanId SpanId)[] Links);

/// <summary>How much is looked for in earlier sources.</summary>
/// <param name="Traces">Traces that have spans there.</param>
/// <param name="Blocks">Blocks read for them.</param>
internal sealed record EdgeJoinLimits(int Traces, int Blocks)
{
    /// <summary>Of one seal: about 0.1 s of reading.</summary>
    public static readonly EdgeJoinLimits Seal = new(8_192, 64);

    public static readonly EdgeJoinLimits None = new(int.MaxValue, int.MaxValue);
}
