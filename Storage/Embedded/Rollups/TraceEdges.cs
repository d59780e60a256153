using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>Finds the calls in one trace after another. One thread.</summary>
internal sealed class TraceEdges(EdgeLog log)
{
    /// <summary>Spans up to which ids are compared one by one; more are looked up in a table.</summary>
    private const int FewSpans = 24;

    private readonly Dictionary<SpanId, int> _places = [];
    private int[] _parents = [];
    private bool[] _answered = [];

    /// <summary>Adds the calls among the spans of one trace, which are in any order; of copies of a span one counts.</summary>
    public void Add(ReadOnlySpan<EdgeSpan> spans)
    {
        if (!FindParents(spans))
        {
            return;
        }
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var span = ref spans[i];
            var parent = _parents[i];
            if (parent < 0)
            {
                continue;
            }
            ref readonly var caller = ref spans[parent];
            if (caller.Service != span.Service)
            {
                MarkAnswered(spans, parent);
                if (caller.PeerType == PeerType.External && caller.PeerName != 0)
                {
                    log.Add(caller.Service, span.Service, EdgeKind.Host, caller.PeerName, 0, span.StartUnixNano, 0, false);
                }
                var observed = caller.Kind == SpanKind.Client;
                log.Add(
                    caller.Service, span.Service, EdgeKind.Service, 0, caller.Name, span.StartUnixNano,
                    observed ? caller.DurationNano : span.DurationNano, span.Error || (observed && caller.Error));
            }
        }
        MarkInnerCalls(spans);
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var span = ref spans[i];
            if (span.PeerName == 0 || _answered[i] || _parents[i] == Copy)
            {
                continue;
            }
            if (span.Kind != SpanKind.Consumer)
            {
                log.Add(span.Service, span.PeerName, (EdgeKind)span.PeerType, span.PeerSystem, span.Name, span.StartUnixNano, span.DurationNano, span.Error);
            }
            else if (IsReceipt(spans, i))
            {
                log.Add(span.PeerName, span.Service, EdgeKind.Service, span.PeerSystem, span.Name, span.StartUnixNano, span.DurationNano, span.Error);
            }
        }
    }

    /// <summary>After <see cref="Add"/>: spans that took something out of a queue which they do not name, so that only a link can tell from whom.</summary>
    public bool IsUnnamedReceipt(ReadOnlySpan<EdgeSpan> spans, int index) =>
        spans[index] is { Kind: SpanKind.Consumer, PeerName: 0 } && _parents[index] != Copy && IsReceipt(spans, index);

    private const int None = -1;

    /// <summary>The span was there before.</summary>
    private const int Copy = -2;

    /// <summary>Its parent, if stored, is neither another service nor itself a receipt.</summary>
    private bool IsReceipt(ReadOnlySpan<EdgeSpan> spans, int index) =>
        _parents[index] < 0 || (spans[_parents[index]].Service == spans[index].Service && spans[_parents[index]].Kind != SpanKind.Consumer);

    /// <summary>The first copy of each span has the index of its parent's first copy; roots and orphans <see cref="None"/>. False when no span is of interest.</summary>
    private bool FindParents(ReadOnlySpan<EdgeSpan> spans)
    {
        if (_parents.Length < spans.Length)
        {
            _parents = new int[Math.Max(spans.Length, 256)];
            _answered = new bool[_parents.Length];
        }
        _answered.AsSpan(0, spans.Length).Clear();
        if (spans.Length == 1)
        {
            _parents[0] = None;
            return spans[0].PeerName != 0 || spans[0].Kind == SpanKind.Consumer;
        }
        if (spans.Length <= FewSpans)
        {
            for (var i = 0; i < spans.Length; i++)
            {
                var place = IndexOf(spans, spans[i].SpanId);
                if (place != i)
                {
                    _parents[i] = Copy;
                    continue;
                }
                var parent = spans[i].ParentSpanId.IsZero ? None : IndexOf(spans, spans[i].ParentSpanId);
                _parents[i] = parent == i ? None : parent;
            }
            return true;
        }
        _places.Clear();
        for (var i = 0; i < spans.Length; i++)
        {
            _places.TryAdd(spans[i].SpanId, i);
        }
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var span = ref spans[i];
            _parents[i] = _places[span.SpanId] != i ? Copy
                : !span.ParentSpanId.IsZero && _places.TryGetValue(span.ParentSpanId, out var parent) && parent != i ? parent
                : None;
        }
        return true;
    }

    private static int IndexOf(ReadOnlySpan<EdgeSpan> spans, SpanId id)
    {
        for (var i = 0; i < spans.Length; i++)
        {
            if (spans[i].SpanId == id)
            {
                return i;
            }
        }
        return None;
    }

    /// <summary>The peer of a call that another service answered is that service; so too for the calls around it (gRPC over HTTP).</summary>
    private void MarkAnswered(ReadOnlySpan<EdgeSpan> spans, int call)
    {
        var service = spans[call].Service;
        while (call >= 0 && !_answered[call] && spans[call].IsCall && spans[call].Service == service)
        {
            _answered[call] = true;
            call = _parents[call];
        }
    }

    /// <summary>Of two calls one inside the other, one counts: a database's or queue's over the HTTP call that carries it, else the inner one.</summary>
    private void MarkInnerCalls(ReadOnlySpan<EdgeSpan> spans)
    {
        for (var i = 0; i < spans.Length; i++)
        {
            ref readonly var inner = ref spans[i];
            var parent = _parents[i];
            if (parent < 0 || !inner.IsCall || inner.PeerName == 0)
            {
                continue;
            }
            ref readonly var outer = ref spans[parent];
            if (outer.IsCall && outer.PeerName != 0 && outer.Service == inner.Service)
            {
                _answered[outer.PeerType != PeerType.External && inner.PeerType == PeerType.External ? i : parent] = true;
            }
        }
    }
}
