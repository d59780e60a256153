using Apm.Storage.Columns;
using Apm.Storage.Embedded.Rollups;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds who calls whom from rows. A trace that lies in one block is joined there; one spread over several blocks is gathered first, many at a time.
/// </summary>
internal sealed class EdgeScan
{
    /// <summary>How far from a block other parts of its traces are looked for when there are many sources: longer traces lose the edges across.</summary>
    private const long NeighbourhoodNano = 3_600L * 1_000_000_000;

    /// <summary>Sources up to which all are asked for a trace.</summary>
    private const int FewSources = 16;

    /// <summary>Spread traces gathered at a time.</summary>
    private const int MaxPending = 2_000;

    /// <summary>Bytes of names, beyond which the scan stops with "limit".</summary>
    private const long MaxNameBytes = 128L << 20;

    private readonly Scan _scan;
    private readonly IReadOnlyList<RowSource> _sources;
    private readonly TimeRange _range;
    private readonly StringTable _strings = new();
    private readonly EdgeJoin _join;
    private readonly HashSet<TraceId> _pending = [];
    private readonly HashSet<TraceId> _joined = [];
    private readonly List<int> _found = [];
    private RowSource? _source;
    private int _block;
    private List<RowSource> _neighbours = [];

    private EdgeScan(Scan scan, IReadOnlyList<RowSource> sources, TimeRange range)
    {
        _scan = scan;
        _sources = sources;
        _range = range;
        _join = new EdgeJoin(_strings, range, [], null, EdgeJoinLimits.None, scan.Visit) { Defer = Defer, Find = scan.FindTrace };
    }

    /// <summary>The edges of the calls that start in the range, in cells by the minute.</summary>
    /// <param name="sources">Some of the scan's.</param>
    public static (EdgeGroups Groups, RollupCells Cells) Run(Scan scan, IReadOnlyList<RowSource> sources, TimeRange range)
    {
        var search = new EdgeScan(scan, sources, range);
        search.Run();
        return (search._join.Log.Groups, search._join.Log.ToCells());
    }

    private void Run()
    {
        foreach (var source in SourcesIn(_range))
        {
            for (var block = source.BlockCount - 1; block >= 0; block--)
            {
                var bounds = source.GetBounds(block);
                if (!_range.Overlaps(bounds.FirstTimeUnixNano, bounds.LastTimeUnixNano))
                {
                    continue;
                }
                if (_strings.SizeBytes > MaxNameBytes)
                {
                    _scan.Stop("limit");
                }
                if (!_scan.MayGoOn())
                {
                    _join.Finish(_sources);
                    return;
                }
                (_source, _block, _neighbours) = (source, block, Neighbours(bounds));
                _scan.Visit(source, block, (from, opened) => _join.AddUnordered(from, opened));
                if (_pending.Count >= MaxPending)
                {
                    JoinPending();
                }
            }
        }
        JoinPending();
        _join.Finish(_sources);
    }

    /// <summary>True for a trace that has spans elsewhere too, which is then noted, or was joined already.</summary>
    private bool Defer(TraceId traceId)
    {
        if (_joined.Contains(traceId) || _pending.Contains(traceId))
        {
            return true;
        }
        if (IsElsewhere(traceId))
        {
            _pending.Add(traceId);
            return true;
        }
        return false;
    }

    private List<RowSource> Neighbours(in BlockBounds bounds)
    {
        if (_sources.Count <= FewSources)
        {
            return SourcesIn(TimeRange.All);
        }
        var start = bounds.FirstTimeUnixNano < long.MinValue + NeighbourhoodNano ? long.MinValue : bounds.FirstTimeUnixNano - NeighbourhoodNano;
        var end = bounds.LastTimeUnixNano > long.MaxValue - NeighbourhoodNano ? long.MaxValue : bounds.LastTimeUnixNano + NeighbourhoodNano;
        return SourcesIn(new TimeRange(start, end));
    }

    private List<RowSource> SourcesIn(TimeRange range) => Scan.SourcesIn(_sources, range);

    private bool IsElsewhere(TraceId traceId)
    {
        foreach (var neighbour in _neighbours)
        {
            _found.Clear();
            _scan.FindTrace(neighbour, traceId, _found);
            foreach (var found in _found)
            {
                if (found != _block || !ReferenceEquals(neighbour, _source))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private void JoinPending()
    {
        if (_pending.Count > 0)
        {
            _join.AddSpread(_sources, _pending);
            _joined.UnionWith(_pending);
            _pending.Clear();
        }
    }
}
