using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds who calls whom. A trace that lies in one block is joined there; one spread over several blocks is gathered first, many at a time.
/// </summary>
internal sealed class EdgeScan
{
    /// <summary>How far from a block other parts of its traces are looked for: longer traces lose the edges across.</summary>
    private const long NeighbourhoodNano = 3_600L * 1_000_000_000;

    /// <summary>Spread traces gathered at a time.</summary>
    private const int MaxPending = 2_000;

    /// <summary>Edges in an answer, and bytes of names; beyond either the scan stops with "limit".</summary>
    private const int MaxEdges = 10_000;

    private const long MaxNameBytes = 128L << 20;

    private readonly Scan _scan;
    private readonly TimeRange _range;
    private readonly TraceLoader _loader;
    private readonly EdgeTable _edges;
    private readonly HashSet<TraceId> _pending = [];
    private readonly HashSet<TraceId> _joined = [];
    private readonly List<int> _found = [];
    private readonly ConditionalWeakTable<ValueDictionary, int[]> _names = [];
    private List<(TraceId TraceId, EdgeSpan Span)> _rows = [];
    private int _block;

    private EdgeScan(Scan scan, TimeRange range)
    {
        _scan = scan;
        _range = range;
        _loader = new TraceLoader(scan);
        _edges = new EdgeTable(_loader.Strings);
    }

    public static EdgeResult Run(Scan scan, TimeRange range) => new EdgeScan(scan, range).Run();

    private EdgeResult Run()
    {
        foreach (var source in _scan.SourcesIn(_range))
        {
            for (var block = source.BlockCount - 1; block >= 0; block--)
            {
                var bounds = source.GetBounds(block);
                if (!_range.Overlaps(bounds.FirstTimeUnixNano, bounds.LastTimeUnixNano))
                {
                    continue;
                }
                if (_edges.Count >= MaxEdges || _loader.Strings.SizeBytes > MaxNameBytes)
                {
                    _scan.Stop("limit");
                }
                if (!_scan.MayGoOn())
                {
                    return new EdgeResult(_edges.ToEdges(), _scan.Report());
                }
                _block = block;
                _rows.Clear();
                if (_scan.Visit(source, block, ReadBlock))
                {
                    JoinBlock(source, block, bounds);
                }
                if (_pending.Count >= MaxPending)
                {
                    JoinPending();
                }
            }
        }
        JoinPending();
        return new EdgeResult(_edges.ToEdges(), _scan.Report());
    }

    private void ReadBlock(RowSource source, RowBlock block) => Read(source, block, null, _rows);

    private void Read(RowSource source, RowBlock block, HashSet<TraceId>? wanted, List<(TraceId, EdgeSpan)> rows)
    {
        var ids = block.TraceIds;
        var spanIds = block.SpanIds;
        var parents = block.ParentSpanIds;
        var starts = block.TimeUnixNano;
        var durations = block.DurationNano;
        var kinds = block.Kinds;
        var statuses = block.Statuses;
        var resources = block.Resources;
        var services = _loader.ServicesOf(source);
        var names = block.GetColumn(Field.Of(Intrinsic.Name));
        var nameCodes = names is null ? default : names.Codes.Span;
        var peers = new PeerColumns(block, _loader.Strings);
        for (var row = 0; row < ids.Length; row++)
        {
            if (wanted is not null && !wanted.Contains(ids[row]))
            {
                continue;
            }
            var kind = (SpanKind)kinds[row];
            var peer = kind is SpanKind.Client or SpanKind.Producer or SpanKind.Consumer ? peers.Of(row, kind) : null;
            rows.Add((ids[row], new EdgeSpan(
                spanIds[row], parents[row], durations[row], kind, statuses[row] == (byte)StatusCode.Error, services[resources[row]],
                names is null ? 0 : NameOf(names.Values, nameCodes[row]), peer, _range.Contains(starts[row]))));
        }
    }

    private int NameOf(ValueDictionary values, int code)
    {
        const int unknown = -1;
        if (code < 0)
        {
            return 0;
        }
        if (!_names.TryGetValue(values, out var names))
        {
            names = new int[values.Count];
            Array.Fill(names, unknown);
            _names.Add(values, names);
        }
        return names[code] != unknown ? names[code] : names[code] = _loader.Strings.Intern(values.GetContent(code));
    }

    /// <summary>Joins the block's traces that are nowhere else, and notes those that are.</summary>
    private void JoinBlock(RowSource source, int block, in BlockBounds bounds)
    {
        var neighbours = Neighbours(bounds);
        ForEachTrace(_rows, (traceId, spans) =>
        {
            if (_joined.Contains(traceId) || _pending.Contains(traceId))
            {
                return;
            }
            if (IsElsewhere(traceId, source, block, neighbours))
            {
                _pending.Add(traceId);
            }
            else
            {
                _edges.AddTrace(spans);
            }
        });
    }

    private List<RowSource> Neighbours(in BlockBounds bounds)
    {
        var start = bounds.FirstTimeUnixNano < long.MinValue + NeighbourhoodNano ? long.MinValue : bounds.FirstTimeUnixNano - NeighbourhoodNano;
        var end = bounds.LastTimeUnixNano > long.MaxValue - NeighbourhoodNano ? long.MaxValue : bounds.LastTimeUnixNano + NeighbourhoodNano;
        return _scan.SourcesIn(new TimeRange(start, end));
    }

    private bool IsElsewhere(TraceId traceId, RowSource source, int block, List<RowSource> neighbours)
    {
        foreach (var neighbour in neighbours)
        {
            _found.Clear();
            neighbour.FindTrace(traceId, _found);
            foreach (var found in _found)
            {
                if (found != block || !ReferenceEquals(neighbour, source))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private void JoinPending()
    {
        if (_pending.Count == 0)
        {
            return;
        }
        var rows = new List<(TraceId, EdgeSpan)>();
        foreach (var source in _scan.Sources)
        {
            foreach (var block in _loader.BlocksOf(source, _pending))
            {
                _scan.Visit(source, block, (from, opened) => Read(from, opened, _pending, rows));
            }
        }
        ForEachTrace(rows, (_, spans) => _edges.AddTrace(spans));
        _joined.UnionWith(_pending);
        _pending.Clear();
    }

    private delegate void TraceVisitor(TraceId traceId, ReadOnlySpan<(TraceId TraceId, EdgeSpan Span)> spans);

    private static void ForEachTrace(List<(TraceId TraceId, EdgeSpan Span)> rows, TraceVisitor visit)
    {
        var sorted = CollectionsMarshal.AsSpan(rows);
        sorted.Sort(static (left, right) => left.TraceId.CompareTo(right.TraceId));
        for (var start = 0; start < sorted.Length;)
        {
            var end = start + 1;
            while (end < sorted.Length && sorted[end].TraceId == sorted[start].TraceId)
            {
                end++;
            }
            visit(sorted[start].TraceId, sorted[start..end]);
            start = end;
        }
    }
}
