using System.Runtime.InteropServices;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <param name="RootName">A code in <see cref="TraceFacts.Strings"/>.</param>
/// <param name="RootServiceName">Likewise.</param>
internal readonly record struct TraceFact(int RootName, int RootServiceName, long DurationNano);

/// <summary>What filters ask about whole traces. Traces are assembled a block's worth at a time, when a condition cannot be decided without.</summary>
internal sealed class TraceFacts(Scan scan, TraceLoader loader)
{
    /// <summary>Traces remembered, about 50 bytes each, before the memory is emptied.</summary>
    private const int MaxRemembered = 200_000;

    private readonly Dictionary<TraceId, TraceFact> _facts = [];
    private readonly HashSet<TraceId> _missing = [];

    public StringTable Strings => loader.Strings;

    /// <summary>Unknown, and so undecided, only after the budget is spent or where blocks are damaged.</summary>
    public bool TryGet(TraceId traceId, out TraceFact fact) => _facts.TryGetValue(traceId, out fact);

    /// <summary>Finds out about the traces of the rows.</summary>
    public void Load(RowBlock block, ReadOnlySpan<ulong> rows)
    {
        if (_facts.Count > MaxRemembered)
        {
            _facts.Clear();
        }
        _missing.Clear();
        var ids = block.TraceIds;
        foreach (var row in new RowEnumerator(rows))
        {
            if (!_facts.ContainsKey(ids[row]))
            {
                _missing.Add(ids[row]);
            }
        }
        if (_missing.Count == 0 || !scan.MayGoOn())
        {
            return;
        }
        foreach (var (id, spans) in loader.Load(_missing, matcher: null))
        {
            if (spans.Count > 0)
            {
                _facts[id] = FactOf(CollectionsMarshal.AsSpan(spans));
            }
        }
    }

    private static TraceFact FactOf(ReadOnlySpan<SpanRow> spans)
    {
        var end = long.MinValue;
        foreach (ref readonly var span in spans)
        {
            end = Math.Max(end, span.EndUnixNano);
        }
        ref readonly var root = ref spans[TraceAssembly.RootOf(spans)];
        return new TraceFact(root.Name, root.Service, end - spans[0].StartUnixNano);
    }
}
