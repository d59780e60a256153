using System.Runtime.InteropServices;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Rollups;

/// <summary>
/// What a store remembers of the traces it sealed, to count the edges of each part on top of those before: which traces have spans in parts, and which receipts
/// wait for the call that their links name. <see cref="MayBeSealed"/> from any thread, the rest from the one that seals.
/// </summary>
internal sealed class TraceLedger
{
    /// <summary>The last 2 million traces.</summary>
    private const int TraceBytes = 8 << 20;

    /// <summary>Receipts that wait: about 100 bytes each. A later one takes the place of the oldest.</summary>
    private const int MaxWaiting = 65_536;

    private readonly RecentIds _traces = new(TraceBytes);
    private readonly Dictionary<(TraceId, SpanId), Waiting> _waiting = [];
    private readonly Queue<(TraceId, SpanId)> _waitingOrder = [];

    private long _leftOut;

    private sealed record Waiting(string Service, string System, long StartUnixNano, long DurationNano, bool Error);

    /// <summary>Traces and links that were not joined with earlier parts, as there were more than the limits allow: their edges may be those of parts of them.</summary>
    public long LeftOut => Interlocked.Read(ref _leftOut);

    /// <summary>False when no part that was sealed lately has a span of the trace.</summary>
    public bool MayBeSealed(TraceId traceId) => _traces.Contains(RecentIds.HashOf(traceId));

    /// <summary>Remembers a trace of a part that is there at the start.</summary>
    public void Add(TraceId traceId) => _traces.Add(RecentIds.HashOf(traceId));

    /// <summary>The rollup of a part just written, with what it adds to the edges of the parts before.</summary>
    /// <exception cref="CorruptPartException">The part is damaged.</exception>
    public Rollup Build(RowSource part, IReadOnlyList<RowSource> earlier)
    {
        var strings = new StringTable();
        var answered = new List<(Waiting Receipt, EdgeSpan Call)>();
        var join = new EdgeJoin(strings, TimeRange.All, earlier, MayBeSealed, EdgeJoinLimits.Seal, Visit)
        {
            OnTrace = traceId => _traces.Add(RecentIds.HashOf(traceId)),
            OnCall = _waiting.Count == 0 ? null : (traceId, span) =>
            {
                if (_waiting.Remove((traceId, span.SpanId), out var receipt))
                {
                    answered.Add((receipt, span));
                }
            },
        };
        var rollup = RollupBuilder.Build(part, strings, join);
        if (answered.Count > 0)
        {
            rollup = Rollup.Sum([rollup, AnsweredLinks(strings, answered)]);
        }
        foreach (var receipt in join.Unresolved)
        {
            Wait(receipt, strings);
        }
        Interlocked.Add(ref _leftOut, join.LeftOut);
        return rollup;
    }

    private static Rollup AnsweredLinks(StringTable strings, List<(Waiting Receipt, EdgeSpan Call)> answered)
    {
        var log = new EdgeLog(strings, TimeRange.All);
        foreach (var (receipt, call) in answered)
        {
            var service = strings.Intern(receipt.Service);
            if (service != call.Service)
            {
                log.Add(
                    call.Service, service, EdgeKind.Service, strings.Intern(receipt.System), call.Name, receipt.StartUnixNano, receipt.DurationNano, receipt.Error);
            }
        }
        return new Rollup(new SpanGroups(new ColumnBatch(Signal.Traces), strings), RollupCells.Empty, log.Groups, log.ToCells());
    }

    private void Wait(LinkReceipt receipt, StringTable strings)
    {
        var waiting = new Waiting(
            strings.GetString(receipt.Span.Service), strings.GetString(receipt.Span.PeerSystem), receipt.Span.StartUnixNano, receipt.Span.DurationNano, receipt.Span.Error);
        foreach (var link in receipt.Links)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_waiting, link, out var exists);
            place = waiting;
            if (!exists)
            {
                _waitingOrder.Enqueue(link);
            }
        }
        while (_waitingOrder.Count > MaxWaiting)
        {
            if (_waiting.Remove(_waitingOrder.Dequeue()))
            {
                Interlocked.Increment(ref _leftOut);
            }
        }
    }

    /// <summary>A damaged block of an earlier part costs the corrections that it would give; the query that meets it reports it.</summary>
    private static bool Visit(RowSource source, int number, Action<RowSource, RowBlock> visit)
    {
        try
        {
            using var block = source.OpenBlock(number);
            visit(source, block);
            return true;
        }
        catch (CorruptPartException)
        {
            return false;
        }
    }
}
