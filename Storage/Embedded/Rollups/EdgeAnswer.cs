using Apm.Storage.Columns;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// Answers who calls whom: whole minutes from the rollups of parts, the ragged ends of the range from their rows, and on top what the sources without a rollup
/// (memory, mostly) add. One use, one thread.
/// </summary>
internal sealed class EdgeAnswer
{
    private readonly Scan _scan;
    private readonly TimeRange _range;
    private readonly Func<TraceId, bool>? _mayBeSealed;
    private readonly Action<CorruptPartException>? _onDamage;
    private readonly EdgeSums _sums = new();
    private readonly List<RowSource> _rolled = [];
    private readonly List<RowSource> _fresh = [];
    private int _rollupsRead;

    private EdgeAnswer(Scan scan, TimeRange range, Func<TraceId, bool>? mayBeSealed, Action<CorruptPartException>? onDamage)
    {
        _scan = scan;
        _range = range;
        _mayBeSealed = mayBeSealed;
        _onDamage = onDamage;
    }

    /// <param name="mayBeSealed">False only when no part that has a rollup has spans of the trace; null: parts are asked.</param>
    /// <param name="onDamage">Told of a damaged rollup, whose source's rows are read instead.</param>
    public static EdgeResult Run(Scan scan, TimeRange range, Func<TraceId, bool>? mayBeSealed, Action<CorruptPartException>? onDamage) =>
        new EdgeAnswer(scan, range, mayBeSealed, onDamage).Run();

    private EdgeResult Run()
    {
        var (from, to) = RollupTiers.WholeMinutes(_range);
        if (_range.IsEmpty || from >= to)
        {
            AddRows(_scan.Sources, _range);
            return Result();
        }
        var pieces = RollupTiers.Pieces(from, to, stepNano: 0).ToList();
        foreach (var source in _scan.Sources)
        {
            (source.RowCount > 0 && TryAdd(source, from, to, pieces) ? _rolled : _fresh).Add(source);
        }
        var (start, end) = (from * RollupTiers.MinuteNano, to * RollupTiers.MinuteNano);
        if (_range.StartUnixNano < start)
        {
            AddRows(_rolled, _range with { EndUnixNano = start });
        }
        if (end < _range.EndUnixNano)
        {
            AddRows(_rolled, _range with { StartUnixNano = end });
        }
        AddFresh();
        return Result();
    }

    private EdgeResult Result()
    {
        if (_sums.IsTruncated)
        {
            _scan.Stop("limit");
        }
        var edges = _sums.ToEdges();
        return new EdgeResult(edges, _scan.Report() with { RollupsRead = _rollupsRead }, _sums.IsTruncated);
    }

    private bool TryAdd(RowSource source, int from, int to, List<(RollupTier Tier, int From, int To)> pieces)
    {
        // A batch in memory has a rollup without edges, which need not be built to know that.
        if (source is HeadSource || source.Rollup is not { } rollup)
        {
            return false;
        }
        try
        {
            if (!rollup.Edges.IsKnown)
            {
                return false;
            }
            var (first, last) = rollup.EdgeMinutes;
            if (first >= to || last < from || first > last)
            {
                return true;
            }
            var cells = new List<(RollupCells Cells, int From, int To)>();
            foreach (var piece in pieces)
            {
                if (first >= piece.To || last < piece.From)
                {
                    continue;
                }
                var (tier, chunks) = rollup.EdgeCellsUpTo(piece.Tier);
                var minutes = RollupTiers.Minutes(tier);
                var (start, end) = (RollupTiers.SlotOf(piece.From, minutes), RollupTiers.SlotOf(piece.To, minutes));
                cells.AddRange(chunks.In(start, end).Select(ofTier => (ofTier, start, end)));
            }
            _sums.Add(rollup.Edges, cells);
            _rollupsRead++;
            _scan.UseRollup(source);
            return true;
        }
        catch (IOException failure)
        {
            source.RejectRollup(rollup);
            _onDamage?.Invoke(failure as CorruptPartException ?? new CorruptPartException("", 0, failure.Message, failure));
            return false;
        }
    }

    private void AddRows(IReadOnlyList<RowSource> sources, TimeRange range)
    {
        if (sources.Count > 0 && !range.IsEmpty)
        {
            Add(EdgeScan.Run(_scan, sources, range));
        }
    }

    private void AddFresh()
    {
        if (_fresh.Count == 0)
        {
            return;
        }
        if (_rolled.Count == 0)
        {
            AddRows(_fresh, _range);
            return;
        }
        var join = new EdgeJoin(new StringTable(), _range, _rolled, _mayBeSealed, EdgeJoinLimits.None, (source, block, visit) => _scan.MayGoOn() && _scan.Visit(source, block, visit)) { Find = _scan.FindTrace };
        join.AddUnordered(_fresh);
        join.Finish(_fresh);
        Add((join.Log.Groups, join.Log.ToCells()));
    }

    private void Add((EdgeGroups Groups, RollupCells Cells) found) => _sums.Add(found.Groups, [(found.Cells, int.MinValue, int.MaxValue)]);
}
