using System.Runtime.InteropServices;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Embedded.Search;

/// <summary>What a summary of a trace needs to know of a span.</summary>
/// <param name="Service">service.name, as a code in the loader's strings.</param>
/// <param name="Name">Likewise.</param>
/// <param name="HttpStatusCode">0 when it has none.</param>
/// <param name="Matched">The query's filter holds on it.</param>
internal record struct SpanRow(
    SpanId SpanId, SpanId ParentSpanId, long StartUnixNano, long DurationNano, byte Kind, byte Status, int Service, int Name, int HttpStatusCode, bool Matched)
{
    public readonly long EndUnixNano => StartUnixNano > long.MaxValue - DurationNano ? long.MaxValue : StartUnixNano + DurationNano;
}

/// <summary>Gathers all the spans of given traces, wherever they are stored: many traces at a time, so that a block is opened once for all of its.</summary>
internal sealed class TraceLoader(Scan scan)
{
    private static readonly Field HttpStatusCode = Field.Attribute(FieldScope.Record, "http.response.status_code");
    private static readonly Field OldHttpStatusCode = Field.Attribute(FieldScope.Record, "http.status_code");

    private readonly List<int> _found = [];
    private long _rows;

    /// <summary>Names of spans and services, by the codes in <see cref="SpanRow"/>.</summary>
    public StringTable Strings { get; } = new();

    private ServiceCodes Services => field ??= new ServiceCodes(Strings);

    /// <summary>Adds the spans of each trace, each once (a span stored twice has matched when either copy did), ordered by start.</summary>
    /// <param name="matcher">Sets <see cref="SpanRow.Matched"/>; null: none has.</param>
    /// <param name="limitRows">Stop at <see cref="QueryBudget.Rows"/>, counted over the loader's life.</param>
    public Dictionary<TraceId, List<SpanRow>> Load(IReadOnlyCollection<TraceId> traceIds, FilterEvaluator? matcher, bool limitRows = false)
    {
        var traces = new Dictionary<TraceId, List<SpanRow>>(traceIds.Count);
        foreach (var id in traceIds)
        {
            traces[id] = [];
        }
        foreach (var source in scan.Sources)
        {
            foreach (var block in BlocksOf(source, traces.Keys))
            {
                if (limitRows && _rows >= scan.Budget.Rows)
                {
                    scan.Stop("rows");
                    break;
                }
                scan.Visit(source, block, (from, opened) => Collect(from, opened, traces, matcher));
            }
        }
        foreach (var spans in traces.Values)
        {
            Deduplicate(spans);
        }
        return traces;
    }

    /// <summary>The blocks of the source that may have rows of any of the traces, ascending.</summary>
    public SortedSet<int> BlocksOf(RowSource source, IEnumerable<TraceId> traceIds)
    {
        var blocks = new SortedSet<int>();
        foreach (var id in traceIds)
        {
            _found.Clear();
            scan.FindTrace(source, id, _found);
            blocks.UnionWith(_found);
        }
        return blocks;
    }

    /// <summary>One span each, the earliest copy; ordered by start and id.</summary>
    public static void Deduplicate(List<SpanRow> spans)
    {
        spans.Sort(static (left, right) =>
        {
            var order = left.StartUnixNano.CompareTo(right.StartUnixNano);
            return order != 0 ? order : left.SpanId.CompareTo(right.SpanId);
        });
        var places = new Dictionary<SpanId, int>(spans.Count);
        var kept = 0;
        foreach (var span in spans)
        {
            ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, span.SpanId, out var known);
            var all = CollectionsMarshal.AsSpan(spans);
            if (known)
            {
                all[place].Matched |= span.Matched;
            }
            else
            {
                place = kept;
                all[kept++] = span;
            }
        }
        spans.RemoveRange(kept, spans.Count - kept);
    }

    private void Collect(RowSource source, RowBlock block, Dictionary<TraceId, List<SpanRow>> traces, FilterEvaluator? matcher)
    {
        // Not a field: evaluating the filter may load other traces meanwhile, for its conditions on whole traces.
        Span<ulong> wanted = new ulong[RowMask.WordCount(block.Rows)];
        MarkRows(block.TraceIds, traces, wanted);
        if (RowMask.IsEmpty(wanted))
        {
            return;
        }
        var matched = matcher is null ? default : matcher.Evaluate(source, block, wanted);
        var names = block.GetColumn(Field.Of(Intrinsic.Name));
        var codes = names is null ? default : names.Codes.Span;
        var status = block.GetColumn(HttpStatusCode);
        var oldStatus = block.GetColumn(OldHttpStatusCode);
        var ids = block.TraceIds;
        var spanIds = block.SpanIds;
        var parents = block.ParentSpanIds;
        var starts = block.TimeUnixNano;
        var durations = block.DurationNano;
        var kinds = block.Kinds;
        var statuses = block.Statuses;
        var resources = block.Resources;
        var services = Services.Of(source);
        foreach (var row in new RowEnumerator(wanted))
        {
            var name = names is null || codes[row] < 0 ? 0 : Strings.Intern(names.Values.GetContent(codes[row]));
            var http = IntegerOf(status, row);
            traces[ids[row]].Add(new SpanRow(
                spanIds[row], parents[row], starts[row], durations[row], kinds[row], statuses[row], services[resources[row]], name,
                http != 0 ? http : IntegerOf(oldStatus, row), !matched.IsEmpty && RowMask.Contains(matched, row)));
            _rows++;
        }
    }

    private static void MarkRows(ReadOnlySpan<TraceId> ids, Dictionary<TraceId, List<SpanRow>> traces, Span<ulong> wanted)
    {
        var previous = default(TraceId);
        var previousWanted = false;
        for (var row = 0; row < ids.Length; row++)
        {
            if (ids[row] != previous || row == 0)
            {
                previous = ids[row];
                previousWanted = traces.ContainsKey(previous);
            }
            if (previousWanted)
            {
                RowMask.Add(wanted, row);
            }
        }
    }

    /// <summary>The value where it is an integer, or a text of one, in the range of HTTP status codes; else 0.</summary>
    private static int IntegerOf(CodedColumn? column, int row)
    {
        var code = column is null ? -1 : column.Codes.Span[row];
        if (code < 0)
        {
            return 0;
        }
        var value = column!.Values.GetType(code) switch
        {
            AttributeType.Int64 => column.Values.GetBits(code),
            AttributeType.String when System.Buffers.Text.Utf8Parser.TryParse(column.Values.GetContent(code), out long parsed, out var used)
                && used == column.Values.GetContent(code).Length => parsed,
            _ => 0,
        };
        return value is >= 100 and <= 999 ? (int)value : 0;
    }
}
