using System.Runtime.InteropServices;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <param name="Service">A code in the scan's strings, as <paramref name="Name"/>.</param>
/// <param name="Counts">It starts in the range asked for; other spans only say who the parent is.</param>
internal readonly record struct EdgeSpan(SpanId SpanId, SpanId ParentSpanId, long DurationNano, SpanKind Kind, bool Error, int Service, int Name, Peer? Peer, bool Counts);

/// <summary>Adds up edges trace by trace.</summary>
internal sealed class EdgeTable(StringTable strings)
{
    /// <summary>Names told apart for one edge, of which the most frequent is its operation.</summary>
    private const int MaxOperations = 64;

    private readonly Dictionary<(int Client, int Server, PeerType Type, int System), Totals> _edges = [];
    /// <summary>Hosts that are known to be a service, by who calls them under that name.</summary>
    private readonly Dictionary<(int Client, int Host), int> _servicesOfHosts = [];

    private readonly Dictionary<SpanId, int> _places = [];
    private int[] _parents = [];
    private bool[] _answered = [];

    private sealed class Totals
    {
        public long Calls { get; set; }

        public long Errors { get; set; }

        public DurationHistogram Durations { get; } = new();

        public Dictionary<int, long> Operations { get; } = [];

        public void Add(Totals other)
        {
            Calls += other.Calls;
            Errors += other.Errors;
            Durations.Add(other.Durations);
            foreach (var (operation, count) in other.Operations)
            {
                if (Operations.Count < MaxOperations || Operations.ContainsKey(operation))
                {
                    CollectionsMarshal.GetValueRefOrAddDefault(Operations, operation, out _) += count;
                }
            }
        }
    }

    public int Count => _edges.Count;

    /// <summary>The spans of one trace, in any order; of copies of a span one counts.</summary>
    public void AddTrace(ReadOnlySpan<(TraceId TraceId, EdgeSpan Span)> spans)
    {
        FindParents(spans);
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var span = ref spans[i].Span;
            var parent = _parents[i];
            if (parent < 0)
            {
                continue;
            }
            ref readonly var caller = ref spans[parent].Span;
            if (caller.Service != span.Service)
            {
                MarkAnswered(spans, parent);
                if (caller.Peer is { Type: PeerType.External } host)
                {
                    _servicesOfHosts.TryAdd((caller.Service, host.Name), span.Service);
                }
                if (span.Counts)
                {
                    var observed = caller.Kind == SpanKind.Client;
                    Add(caller.Service, span.Service, PeerType.Service, 0, caller.Name, span.Error || (observed && caller.Error), observed ? caller.DurationNano : span.DurationNano);
                }
            }
        }
        MarkInnerCalls(spans);
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var span = ref spans[i].Span;
            if (span is not { Counts: true, Peer: { } peer } || _answered[i] || _places[span.SpanId] != i)
            {
                continue;
            }
            if (span.Kind != SpanKind.Consumer)
            {
                Add(span.Service, peer.Name, peer.Type, peer.System, span.Name, span.Error, span.DurationNano);
            }
            else if (_parents[i] < 0 || (spans[_parents[i]].Span is var receiver && receiver.Service == span.Service && receiver.Kind != SpanKind.Consumer))
            {
                Add(peer.Name, span.Service, PeerType.Service, peer.System, span.Name, span.Error, span.DurationNano);
            }
        }
    }

    public IReadOnlyList<Edge> ToEdges()
    {
        JoinUnansweredCalls();
        return
        [
            .. _edges.Select(edge => new Edge(
                strings.GetString(edge.Key.Client), strings.GetString(edge.Key.Server), edge.Key.Type, strings.GetString(edge.Key.System),
                strings.GetString(edge.Value.Operations.MaxBy(operation => operation.Value).Key), edge.Value.Calls, edge.Value.Errors, edge.Value.Durations))
            .OrderByDescending(edge => edge.Calls).ThenBy(edge => edge.Client, StringComparer.Ordinal).ThenBy(edge => edge.Server, StringComparer.Ordinal),
        ];
    }

    /// <summary>A call whose answering span is not stored (late, lost or not sampled) goes to the service that answers the same caller's other calls to that host.</summary>
    private void JoinUnansweredCalls()
    {
        foreach (var (edge, totals) in _edges.Where(edge => edge.Key.Type == PeerType.External).ToArray())
        {
            if (_servicesOfHosts.TryGetValue((edge.Client, edge.Server), out var service))
            {
                ref var joined = ref CollectionsMarshal.GetValueRefOrAddDefault(_edges, (edge.Client, service, PeerType.Service, 0), out _);
                joined ??= new Totals();
                joined.Add(totals);
                _edges.Remove(edge);
            }
        }
    }

    /// <summary>The first copy of each span has the index of its parent's first copy; others, roots and orphans -1.</summary>
    private void FindParents(ReadOnlySpan<(TraceId TraceId, EdgeSpan Span)> spans)
    {
        if (_parents.Length < spans.Length)
        {
            _parents = new int[Math.Max(spans.Length, 256)];
            _answered = new bool[_parents.Length];
        }
        _answered.AsSpan(0, spans.Length).Clear();
        if (_places.Count > 0)
        {
            _places.Clear();
        }
        for (var i = 0; i < spans.Length; i++)
        {
            _places.TryAdd(spans[i].Span.SpanId, i);
        }
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var span = ref spans[i].Span;
            _parents[i] = !span.ParentSpanId.IsZero && _places[span.SpanId] == i && _places.TryGetValue(span.ParentSpanId, out var parent) && parent != i ? parent : -1;
        }
    }

    /// <summary>The peer of a call that another service answered is that service; so too for the calls around it (gRPC over HTTP).</summary>
    private void MarkAnswered(ReadOnlySpan<(TraceId TraceId, EdgeSpan Span)> spans, int call)
    {
        var service = spans[call].Span.Service;
        while (call >= 0 && !_answered[call] && spans[call].Span is { Kind: SpanKind.Client or SpanKind.Producer } span && span.Service == service)
        {
            _answered[call] = true;
            call = _parents[call];
        }
    }

    /// <summary>Of two calls one inside the other, one counts: a database's or queue's over the HTTP call that carries it, else the inner one.</summary>
    private void MarkInnerCalls(ReadOnlySpan<(TraceId TraceId, EdgeSpan Span)> spans)
    {
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var inner = ref spans[i].Span;
            var parent = _parents[i];
            if (parent < 0 || inner is not { Kind: SpanKind.Client or SpanKind.Producer, Peer: { } innerPeer }
                || spans[parent].Span is not { Kind: SpanKind.Client or SpanKind.Producer, Peer: { } outerPeer } outer || outer.Service != inner.Service)
            {
                continue;
            }
            _answered[outerPeer.Type != PeerType.External && innerPeer.Type == PeerType.External ? i : parent] = true;
        }
    }

    private void Add(int client, int server, PeerType type, int system, int operation, bool error, long durationNano)
    {
        ref var totals = ref CollectionsMarshal.GetValueRefOrAddDefault(_edges, (client, server, type, system), out _);
        totals ??= new Totals();
        totals.Calls++;
        totals.Errors += error ? 1 : 0;
        totals.Durations.Record(durationNano);
        if (totals.Operations.Count < MaxOperations || totals.Operations.ContainsKey(operation))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(totals.Operations, operation, out _)++;
        }
    }
}
