using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Tests.Embedded.Rollups;

public sealed class EdgeAnswerTests
{
    private const long Minute = 60_000_000_000;

    private static readonly QueryBudget Budget = new(TimeSpan.FromMinutes(5), long.MaxValue, long.MaxValue);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static (string, AttributeValue) Text(string key, string value) => (key, AttributeValue.FromString(value));

    /// <summary>As the engine seals: each part's rollup counts on top of the parts before.</summary>
    private static PartSource Seal(TemporaryFolder folder, TraceLedger ledger, List<PartSource> parts, IEnumerable<TestRecord> spans)
    {
        var part = folder.WritePart([TestRecord.ToBatch(Signal.Traces, spans)]);
        part.SetRollup(folder.WriteRollup(ledger.Build(part, parts)));
        parts.Add(part);
        return part;
    }

    private static HeadSource Head(IEnumerable<TestRecord> spans) => new(TestRecord.ToBatch(Signal.Traces, spans), blockRows: 32);

    private static async Task<(string[] Lines, ScanReport Scan)> EdgesOf(IReadOnlyList<RowSource> sources, TimeRange range, TraceLedger? ledger)
    {
        var result = await new StoreSearch(TimeProvider.System) { MayBeSealed = ledger is null ? null : ledger.MayBeSealed }.GetEdgesAsync(sources, range, Budget, Cancellation);
        Assert.True(result.Scan.Complete);
        return ([.. result.Edges.Select(Line)], result.Scan);
    }

    /// <summary>Without the longest duration, which a correction leaves.</summary>
    internal static string Line(Edge edge) =>
        $"{edge.Client}>{edge.Server} {edge.Type} [{edge.System}] {edge.Operation} {edge.Calls}/{edge.Errors} {edge.Durations.SumNano} {string.Join(',', edge.Durations.Counts.TrimEnd(0).ToArray())}";

    /// <summary>A trace of some services, with calls to peers, orphans and cycles, over some minutes.</summary>
    internal static List<TestRecord> Trace(Random random, ulong trace)
    {
        var spans = new List<TestRecord>();
        var start = random.NextInt64(4 * 60 * Minute);
        for (var i = random.Next(1, 40); i > 0; i--)
        {
            var id = (trace * 1000) + (ulong)spans.Count + 1;
            var kind = (SpanKind)random.Next(6);
            spans.Add(TestRecord.Span(trace, id, random.Next(6) == 0 ? 0 : (trace * 1000) + (ulong)random.Next(1, spans.Count + 3), service: $"s{random.Next(4)}", name: $"op{random.Next(3)}") with
            {
                Time = start + random.NextInt64(3 * Minute),
                Duration = random.NextInt64(1L << random.Next(1, 36)),
                Kind = kind,
                Status = (StatusCode)random.Next(3),
                Attributes = random.Next(6) switch
                {
                    0 => [Text("db.system.name", "postgresql"), Text("db.namespace", "shop")],
                    1 => [Text("messaging.system", "kafka"), Text("messaging.destination.name", "orders")],
                    2 or 3 => [Text("server.address", $"host{random.Next(3)}")],
                    4 => [Text("url.full", $"https://host{random.Next(3)}/{id}")],
                    _ => [],
                },
            });
        }
        return spans;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Edges_RandomTracesSplitOverPartsAndMemory_AgreeWithTheRows(int seed)
    {
        var random = new Random(seed);
        using var folder = new TemporaryFolder();
        var ledger = new TraceLedger();
        // Most spans of a trace come together; some late, and some twice.
        var arrivals = Enumerable.Range(1, 120).SelectMany(trace => Trace(random, (ulong)trace).Select(span => (Span: span, Part: Math.Min(5, (trace / 24) + (random.Next(4) == 0 ? random.Next(4) : 0))))).ToList();
        var sources = new List<RowSource>();
        var parts = new List<PartSource>();
        for (var part = 0; part < 6; part++)
        {
            var spans = arrivals.Where(arrival => arrival.Part == part).Select(arrival => arrival.Span).OrderBy(_ => random.Next()).ToList();
            if (part < 4)
            {
                sources.Add(Seal(folder, ledger, parts, spans));
            }
            else
            {
                sources.AddRange(spans.Chunk(50).Select(Head));
            }
        }
        RowSource[] rows = [.. arrivals.Select(arrival => arrival.Span).Chunk(300).Select(Head)];
        for (var round = 0; round < 12; round++)
        {
            var start = random.NextInt64(200 * Minute);
            var range = round == 0 ? TimeRange.All : new TimeRange(start, start + random.NextInt64(1, 150 * Minute));
            if (round % 3 == 1)
            {
                range = new TimeRange(range.StartUnixNano / Minute * Minute, range.EndUnixNano / Minute * Minute);
            }
            var (expected, _) = await EdgesOf(rows, range, null);
            var (actual, scan) = await EdgesOf(sources, range, round % 2 == 0 ? ledger : null);
            Assert.True(expected.SequenceEqual(actual), $"seed {seed} round {round} {range}:\n{string.Join('\n', expected.Except(actual))}\nbut\n{string.Join('\n', actual.Except(expected))}");
            Assert.True(round != 0 || scan.RollupsRead == 4);
        }

        // A merged part's rollup is the sum of its inputs'.
        var merged = folder.WritePart([TestRecord.ToBatch(Signal.Traces, arrivals.Where(arrival => arrival.Part < 4).Select(arrival => arrival.Span))]);
        merged.SetRollup(folder.WriteRollup(Rollup.Sum([.. parts.Select(part => part.Rollup!)])));
        Assert.Equal((await EdgesOf(rows, TimeRange.All, null)).Lines, (await EdgesOf([merged, .. sources.Skip(4)], TimeRange.All, ledger)).Lines);
    }

    private static readonly TestRecord Call = TestRecord.Span(1, 1, duration: 20, service: "web", name: "POST") with { Kind = SpanKind.Client, Attributes = [Text("server.address", "pay")] };

    private static readonly TestRecord Answer = TestRecord.Span(1, 2, parent: 1, service: "pay") with { Kind = SpanKind.Server, Status = StatusCode.Error };

    [Fact]
    public async Task Edges_AnswerSealedAfterItsCall_CorrectsThePeerToTheService()
    {
        using var folder = new TemporaryFolder();
        var ledger = new TraceLedger();
        var parts = new List<PartSource>();
        Seal(folder, ledger, parts, [Call]);
        Assert.StartsWith("web>pay External", Assert.Single((await EdgesOf(parts, TimeRange.All, ledger)).Lines), StringComparison.Ordinal);
        Assert.StartsWith("web>pay Service [] POST 1/1 20", Assert.Single((await EdgesOf([.. parts, Head([Answer])], TimeRange.All, ledger)).Lines), StringComparison.Ordinal);
        Seal(folder, ledger, parts, [Answer]);
        var (lines, scan) = await EdgesOf(parts, TimeRange.All, ledger);
        Assert.StartsWith("web>pay Service [] POST 1/1 20", Assert.Single(lines), StringComparison.Ordinal);
        Assert.Equal((0, 2), (scan.BlocksRead, scan.RollupsRead));
    }

    internal static readonly TestRecord Send = TestRecord.Span(1, 1, service: "web", name: "send") with { Kind = SpanKind.Producer };

    internal static readonly TestRecord Receive = TestRecord.Span(2, 2, duration: 30, service: "ship", name: "process") with
    {
        Kind = SpanKind.Consumer,
        Attributes = [Text("messaging.system", "kafka")],
        Links = [TestRecord.NoOwner],
        LinkTarget = (new TraceId(0, 1), new SpanId(1)),
    };

    [Theory]
    [InlineData("one batch")]
    [InlineData("one part")]
    [InlineData("sent before")]
    [InlineData("sent after")]
    [InlineData("received in memory")]
    public async Task Edges_ConsumerJoinedByALinkOnly_IsAnEdge(string how)
    {
        using var folder = new TemporaryFolder();
        var ledger = new TraceLedger();
        var parts = new List<PartSource>();
        var memory = new List<RowSource>();
        switch (how)
        {
            case "one batch":
                memory.Add(Head([Receive, Send]));
                break;
            case "one part":
                Seal(folder, ledger, parts, [Send, Receive]);
                break;
            case "sent before":
                Seal(folder, ledger, parts, [Send]);
                Seal(folder, ledger, parts, [Receive]);
                break;
            case "sent after":
                Seal(folder, ledger, parts, [Receive]);
                Seal(folder, ledger, parts, [Send]);
                break;
            default:
                Seal(folder, ledger, parts, [Send]);
                memory.Add(Head([Receive]));
                break;
        }
        Assert.StartsWith("web>ship Service [kafka] send 1/0 30", Assert.Single((await EdgesOf([.. parts, .. memory], TimeRange.All, ledger)).Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void Build_MoreSplitTracesThanTheLimit_JoinsWhatFitsAndSaysHowManyNot()
    {
        using var folder = new TemporaryFolder();
        var first = folder.WritePart([TestRecord.ToBatch(Signal.Traces, Enumerable.Range(1, 20).Select(trace => Call with { TraceId = new TraceId(0, (ulong)trace) }))]);
        var second = folder.WritePart([TestRecord.ToBatch(Signal.Traces, Enumerable.Range(1, 20).Select(trace => Answer with { TraceId = new TraceId(0, (ulong)trace) }))]);
        var sums = new EdgeSums();
        Assert.Equal(0, Add(first, []));
        Assert.Equal(15, Add(second, [first]));
        // The calls whose answers were not joined go to the service that answers the others.
        var edge = Assert.Single(sums.ToEdges());
        Assert.Equal((20, 5, PeerType.Service), (edge.Calls, edge.Errors, edge.Type));

        int Add(PartSource part, IReadOnlyList<RowSource> earlier)
        {
            var join = new EdgeJoin(new Apm.Storage.Columns.StringTable(), TimeRange.All, earlier, null, new EdgeJoinLimits(5, 1), (source, number, visit) =>
            {
                using var opened = source.OpenBlock(number);
                visit(source, opened);
                return true;
            });
            using var block = part.OpenBlock(0);
            join.Add(part, block);
            join.Finish([part]);
            sums.Add(join.Log.Groups, [(join.Log.ToCells(), int.MinValue, int.MaxValue)]);
            return join.LeftOut;
        }
    }
}
