using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Adds edges up over many rollups, and makes the answer of them. One thread.</summary>
internal sealed class EdgeSums
{
    /// <summary>Edges in an answer, of 4 KB each.</summary>
    private const int MaxEdges = 16_384;

    private readonly StringTable _strings = new();
    private readonly Dictionary<(int Client, int Server, EdgeKind Kind, int System), Totals> _edges = [];
    private readonly CellSum _cell = new();

    private sealed class Totals
    {
        public CellSum Sum { get; } = new();

        public Dictionary<int, long> Operations { get; } = [];
    }

    /// <summary>Some edges are missing, as there were too many.</summary>
    public bool IsTruncated { get; private set; }

    /// <summary>Adds the cells of a rollup's edges in pieces of time.</summary>
    public void Add(EdgeGroups groups, IReadOnlyList<(RollupCells Cells, int From, int To)> pieces)
    {
        IsTruncated |= groups.IsTruncated;
        var codes = new int[groups.Strings.Count];
        for (var group = 0; group < groups.Count; group++)
        {
            foreach (var (cells, from, to) in pieces)
            {
                var (cell, end) = cells.CellsOf(group, from, to);
                for (; cell < end; cell++)
                {
                    cells.AddTo(_cell, cell, withDurations: true);
                }
            }
            if (_cell.IsNothing)
            {
                continue;
            }
            var key = (CodeOf(groups.Clients[group]), CodeOf(groups.Servers[group]), (EdgeKind)groups.Kinds[group], CodeOf(groups.Systems[group]));
            if (!_edges.TryGetValue(key, out var totals))
            {
                if (_edges.Count >= MaxEdges)
                {
                    IsTruncated = true;
                    _cell.Clear();
                    continue;
                }
                _edges.Add(key, totals = new Totals());
            }
            totals.Sum.Add(_cell);
            var operation = CodeOf(groups.Operations[group]);
            totals.Operations[operation] = totals.Operations.GetValueOrDefault(operation) + _cell.Count;
            _cell.Clear();
        }

        int CodeOf(int code) => code == 0 ? 0 : codes[code] != 0 ? codes[code] : codes[code] = _strings.Intern(groups.Strings[code]);
    }

    /// <summary>The edges that are left when all corrections are in, most calls first.</summary>
    public IReadOnlyList<Edge> ToEdges()
    {
        JoinUnansweredCalls();
        var edges = new List<Edge>(_edges.Count);
        foreach (var (key, totals) in _edges)
        {
            if (key.Kind != EdgeKind.Host && totals.Sum is { Count: > 0 } sum)
            {
                var durations = new DurationHistogram();
                sum.AddTo(durations);
                edges.Add(new Edge(
                    _strings.GetString(key.Client), _strings.GetString(key.Server), (PeerType)key.Kind, _strings.GetString(key.System),
                    OperationOf(totals), sum.Count, Math.Clamp(sum.Errors, 0, sum.Count), durations));
            }
        }
        return
        [
            .. edges.OrderByDescending(edge => edge.Calls).ThenBy(edge => edge.Client, StringComparer.Ordinal).ThenBy(edge => edge.Server, StringComparer.Ordinal)
                .ThenBy(edge => edge.Type).ThenBy(edge => edge.System, StringComparer.Ordinal),
        ];
    }

    private string OperationOf(Totals totals)
    {
        var best = "";
        long calls = 0;
        foreach (var (operation, count) in totals.Operations)
        {
            var name = _strings.GetString(operation);
            if (count > calls || (count == calls && count > 0 && string.CompareOrdinal(name, best) < 0))
            {
                (best, calls) = (name, count);
            }
        }
        return best;
    }

    /// <summary>A call whose answering span is not stored (late, lost or not sampled) goes to the service that most answers the same caller's other calls to that host.</summary>
    private void JoinUnansweredCalls()
    {
        var hosts = new Dictionary<(int Client, int Host), (int Service, long Calls)>();
        foreach (var (key, totals) in _edges)
        {
            if (key.Kind == EdgeKind.Host && totals.Sum is { Count: > 0 } sum)
            {
                var known = hosts.GetValueOrDefault((key.Client, key.System));
                if (sum.Count > known.Calls || (sum.Count == known.Calls && _strings[key.Server].SequenceCompareTo(_strings[known.Service]) < 0))
                {
                    hosts[(key.Client, key.System)] = (key.Server, sum.Count);
                }
            }
        }
        foreach (var (key, totals) in _edges.Where(edge => edge.Key.Kind == EdgeKind.External).ToArray())
        {
            if (!hosts.TryGetValue((key.Client, key.Server), out var host))
            {
                continue;
            }
            _edges.Remove(key);
            var service = (key.Client, host.Service, EdgeKind.Service, 0);
            if (!_edges.TryGetValue(service, out var joined))
            {
                _edges.Add(service, joined = new Totals());
            }
            joined.Sum.Add(totals.Sum);
            foreach (var (operation, count) in totals.Operations)
            {
                joined.Operations[operation] = joined.Operations.GetValueOrDefault(operation) + count;
            }
        }
    }
}
