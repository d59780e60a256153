using System.Globalization;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Query.Traces;

/// <summary>A trace analysed for its waterfall: the tree's order, self times, the critical path, what repeats, and where most of the time went. Immutable.</summary>
internal sealed class TraceOutline
{
    private TraceOutline(TraceId traceId, ColumnBatch spans, TraceTree tree, bool truncated)
    {
        TraceId = traceId;
        Spans = spans;
        Tree = tree;
        Truncated = truncated;
        (StartUnixNano, var end) = TraceJson.Extent(spans);
        DurationNano = end - StartUnixNano;
        var count = tree.Count;
        StartNano = new long[count];
        SpanDurationNano = new long[count];
        Peer = new int[count];
        Detail = new int[count];
        Name = new int[count];
        Service = new int[count];
        Logs = new int[count];
        Critical = new bool[count];
        for (var row = 0; row < count; row++)
        {
            StartNano[row] = spans.TimeUnixNano[tree.Source[row]] - StartUnixNano;
            SpanDurationNano[row] = spans.DurationNano[tree.Source[row]];
        }
        SelfNano = SelfTime.Of(tree, StartNano, SpanDurationNano);
    }

    public TraceId TraceId { get; }

    public ColumnBatch Spans { get; }

    public TraceTree Tree { get; }

    public bool Truncated { get; }

    public long StartUnixNano { get; }

    public long DurationNano { get; }

    /// <summary>Per row of the tree: start since the trace's.</summary>
    public long[] StartNano { get; }

    public long[] SpanDurationNano { get; }

    public long[] SelfNano { get; }

    /// <summary>Names, peers and details, each once.</summary>
    public NameTable Names { get; } = new();

    /// <summary>In the order of their first span in the tree.</summary>
    public IReadOnlyList<TraceServiceAnswer> Services { get; private set; } = [];

    /// <summary>Index into <see cref="Services"/>.</summary>
    public int[] Service { get; }

    /// <summary>Index into <see cref="Names"/>.</summary>
    public int[] Name { get; }

    /// <summary>Index into <see cref="Names"/>, or -1.</summary>
    public int[] Peer { get; }

    /// <summary>Index into <see cref="Names"/>, or -1.</summary>
    public int[] Detail { get; }

    /// <summary>Log records of the span.</summary>
    public int[] Logs { get; }

    public bool[] Critical { get; }

    public int ErrorCount { get; private set; }

    /// <summary>Row of the root: the earliest span without a parent, else the earliest whose parent is missing.</summary>
    public int Root { get; private set; }

    public int? RootHttpStatusCode { get; private set; }

    public IReadOnlyList<CriticalSection> Path { get; private set; } = [];

    public IReadOnlyList<RepeatedCalls> Repeated { get; private set; } = [];

    public Headline? Headline { get; private set; }

    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <param name="spans">Ordered by start, each span once; at least one.</param>
    /// <param name="logs">Log records of the trace, to be counted by span.</param>
    /// <param name="logsCut">There are more of them.</param>
    public static TraceOutline Of(TraceId traceId, ColumnBatch spans, bool truncated, ColumnBatch logs, bool logsCut)
    {
        var outline = new TraceOutline(traceId, spans, TraceTree.Of(spans), truncated);
        outline.FindServices();
        outline.Describe();
        outline.CountLogs(logs);
        outline.FindRoot();
        outline.Path = CriticalPath.Find(outline.Tree, outline.StartNano, outline.SpanDurationNano, outline.Root);
        foreach (var section in outline.Path)
        {
            outline.Critical[section.Row] = true;
        }
        outline.Repeated = RepeatedCalls.Find(outline);
        outline.Headline = Headline.Find(outline);
        outline.Warnings = outline.Warn(logs.Rows, logsCut);
        return outline;
    }

    public SpanKind Kind(int row) => (SpanKind)Spans.Kind[Tree.Source[row]];

    public StatusCode Status(int row) => (StatusCode)Spans.Status[Tree.Source[row]];

    private void FindServices()
    {
        var indexes = new Dictionary<string, int>(StringComparer.Ordinal);
        var byResource = new int[Spans.ResourceAttributes.OwnerCount];
        Array.Fill(byResource, -1);
        var services = new List<TraceServiceAnswer>();
        for (var row = 0; row < Tree.Count; row++)
        {
            ref var index = ref byResource[Spans.Resource[Tree.Source[row]]];
            if (index < 0)
            {
                var name = Spans.ResourceServiceName(Spans.Resource[Tree.Source[row]]);
                if (!indexes.TryGetValue(name, out index))
                {
                    index = services.Count;
                    indexes.Add(name, index);
                    services.Add(new TraceServiceAnswer(name, 0, 0, 0));
                }
            }
            Service[row] = index;
        }
        var spanCount = new int[services.Count];
        var errorCount = new int[services.Count];
        var selfNano = new long[services.Count];
        for (var row = 0; row < Tree.Count; row++)
        {
            var failed = Status(row) == StatusCode.Error ? 1 : 0;
            spanCount[Service[row]]++;
            errorCount[Service[row]] += failed;
            selfNano[Service[row]] += SelfNano[row];
            ErrorCount += failed;
        }
        Services = [.. services.Select((service, i) => service with { SpanCount = spanCount[i], ErrorCount = errorCount[i], SelfNano = selfNano[i] })];
    }

    private void Describe()
    {
        var description = new SpanDescription(Spans);
        var byCode = new Dictionary<int, int>();
        for (var row = 0; row < Tree.Count; row++)
        {
            var code = Spans.Name[Tree.Source[row]];
            if (!byCode.TryGetValue(code, out Name[row]))
            {
                byCode.Add(code, Name[row] = Names.IndexOf(Spans.Strings.GetString(code)));
            }
            Peer[row] = HasChildOfAnotherService(row) ? -1 : Names.IndexOf(description.Peer(Tree.Source[row]));
            Detail[row] = Names.IndexOf(description.Detail(Tree.Source[row]));
        }
        RootHttpStatusCode = description.HttpStatusCode(Tree.Source[EarliestRoot()]);
    }

    /// <summary>Then the peer is instrumented, and shows with its own name.</summary>
    private bool HasChildOfAnotherService(int row)
    {
        for (var child = Tree.FirstChild[row]; child >= 0; child = Tree.NextSibling[child])
        {
            if (Service[child] != Service[row])
            {
                return true;
            }
        }
        return false;
    }

    private void CountLogs(ColumnBatch logs)
    {
        if (logs.Rows == 0)
        {
            return;
        }
        var counts = new Dictionary<SpanId, int>();
        foreach (var span in logs.SpanId.Values)
        {
            counts[span] = counts.GetValueOrDefault(span) + 1;
        }
        for (var row = 0; row < Tree.Count; row++)
        {
            Logs[row] = counts.GetValueOrDefault(Spans.SpanId[Tree.Source[row]]);
        }
    }

    private void FindRoot() => Root = EarliestRoot();

    private int EarliestRoot()
    {
        var earliest = -1;
        for (var row = 0; row < Tree.Count; row++)
        {
            if (Tree.Parent[row] < 0)
            {
                if (Spans.ParentSpanId[Tree.Source[row]].IsZero)
                {
                    return row;
                }
                earliest = earliest < 0 ? row : earliest;
            }
        }
        return earliest;
    }

    private List<string> Warn(int logCount, bool logsCut)
    {
        var warnings = new List<string>();
        void Add(bool applies, FormattableString text)
        {
            if (applies)
            {
                warnings.Add(text.ToString(CultureInfo.InvariantCulture));
            }
        }
        var early = 0;
        for (var row = 0; row < Tree.Count; row++)
        {
            early += Tree.Parent[row] >= 0 && StartNano[row] < StartNano[Tree.Parent[row]] ? 1 : 0;
        }
        Add(Truncated, $"The trace has more spans than are shown: the first {Tree.Count} are.");
        Add(Tree.SelfParents > 0, $"{Tree.SelfParents} spans name themselves as their parent; they are shown as roots.");
        Add(Tree.Cycles > 0, $"{Tree.Cycles} cycles of parents were cut at their earliest span.");
        Add(early > 0, $"{early} spans start before their parent: the clocks of their hosts differ.");
        Add(logsCut, $"The trace has more log records than were counted: {logCount}.");
        return warnings;
    }
}

/// <summary>Distinct strings, numbered in order of first sight.</summary>
internal sealed class NameTable
{
    private readonly Dictionary<string, int> _indexes = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    public IReadOnlyList<string> All => _names;

    /// <summary>-1 for null.</summary>
    public int IndexOf(string? name)
    {
        if (name is null)
        {
            return -1;
        }
        if (!_indexes.TryGetValue(name, out var index))
        {
            index = _names.Count;
            _indexes.Add(name, index);
            _names.Add(name);
        }
        return index;
    }
}
