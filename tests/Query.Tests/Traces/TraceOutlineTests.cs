using System.Diagnostics;
using Apm.Query.Traces;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Query.Tests.Traces;

public sealed class TraceOutlineTests
{
    private static TraceOutline Outline(params IEnumerable<SpanRow> spans) => TraceOutline.Of(Batches.Trace(1), Batches.Spans(spans), false, new ColumnBatch(Signal.Logs), false);

    private static SpanRow Span(ulong id, ulong parent, double start, double duration, string service = "a", string? name = null) =>
        new(service, name ?? $"s{id}", start, duration) { Id = id, Parent = parent };

    /// <summary>Each row as depth and name.</summary>
    private static string Tree(TraceOutline outline) =>
        string.Join(' ', Enumerable.Range(0, outline.Tree.Count).Select(row => $"{outline.Tree.Depth[row]}{outline.Names.All[outline.Name[row]]}"));

    private static string Path(TraceOutline outline) =>
        string.Join(' ', outline.Path.Select(section => $"{outline.Names.All[outline.Name[section.Row]]}:{section.FromNano / 1_000_000}-{section.ToNano / 1_000_000}"));

    private static void AssertWellFormed(TraceOutline outline, int spans)
    {
        var tree = outline.Tree;
        Assert.Equal(spans, tree.Count);
        Assert.Equal(Enumerable.Range(0, spans), tree.Source.Order());
        for (var row = 0; row < spans; row++)
        {
            var parent = tree.Parent[row];
            Assert.InRange(parent, -1, row - 1);
            Assert.Equal(parent < 0 ? 0 : tree.Depth[parent] + 1, tree.Depth[row]);
            Assert.True(row == 0 || tree.Depth[row] <= tree.Depth[row - 1] + 1);
            Assert.InRange(outline.SelfNano[row], 0, outline.SpanDurationNano[row]);
        }
        for (var i = 1; i < outline.Path.Count; i++)
        {
            Assert.True(outline.Path[i - 1].ToNano <= outline.Path[i].FromNano);
        }
    }

    [Fact]
    public void Of_Tree_IsDepthFirstByStart()
    {
        var outline = Outline(Span(1, 0, 0, 100), Span(4, 1, 50, 10), Span(2, 1, 10, 20), Span(3, 2, 12, 5), Span(5, 4, 51, 1));
        Assert.Equal("0s1 1s2 2s3 1s4 2s5", Tree(outline));
        AssertWellFormed(outline, 5);
        Assert.Empty(outline.Warnings);
        Assert.Equal(0, outline.Root);
    }

    [Fact]
    public void Of_SelfParent_IsARootWithAWarning()
    {
        var outline = Outline(Span(1, 1, 0, 10), Span(2, 1, 1, 2));
        Assert.Equal("0s1 1s2", Tree(outline));
        Assert.Contains(outline.Warnings, warning => warning.Contains("themselves", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(100)]
    public void Of_Cycle_IsCutAtItsEarliestSpan(int length)
    {
        // Each span names the next as its parent, and the last the first.
        var spans = Enumerable.Range(1, length).Select(i => Span((ulong)i, (ulong)((i % length) + 1), i * 10, 5)).Append(Span(9999, 2, 15, 1));
        var outline = Outline(spans);
        AssertWellFormed(outline, length + 1);
        Assert.StartsWith("0s1 1s", Tree(outline), StringComparison.Ordinal);
        Assert.Contains(outline.Warnings, warning => warning.StartsWith("1 cycles", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_MissingParent_IsListed()
    {
        var outline = Outline(Span(2, 77, 0, 10), Span(3, 2, 1, 2), Span(4, 78, 5, 2));
        Assert.Equal("0s2 1s3 0s4", Tree(outline));
        Assert.Equal([(0, new SpanId(77)), (2, new SpanId(78))], outline.Tree.MissingParents);
        Assert.Equal(0, outline.Root);
    }

    [Fact]
    public void Of_RootLaterThanAnOrphan_IsStillTheRoot()
    {
        var outline = Outline(Span(2, 77, 0, 10), Span(3, 0, 1, 20));
        Assert.Equal("s3", outline.Names.All[outline.Name[outline.Root]]);
    }

    [Fact]
    public void Of_RandomParents_IsWellFormed()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var count = random.Next(1, 60);
            var outline = Outline(Enumerable.Range(1, count).Select(i => Span((ulong)i, (ulong)random.Next(0, count + 3), random.Next(100), random.Next(50))));
            AssertWellFormed(outline, count);
        }
    }

    [Theory]
    [InlineData("chain")]
    [InlineData("flat")]
    [InlineData("cycle")]
    [InlineData("comb")]
    public void Of_HundredThousandSpans_IsFast(string shape)
    {
        const int count = 100_000;
        var spans = Batches.Spans(Enumerable.Range(1, count).Select(i =>
        {
            var parent = shape switch { "chain" => i - 1, "flat" => i == 1 ? 0 : 1, "cycle" => i == 1 ? count : i - 1, _ => i % 2 == 0 ? i - 1 : Math.Max(0, i - 2) };
            return Span((ulong)i, (ulong)parent, i * 0.001, shape == "flat" ? 5 : 200 - (i * 0.001), name: "call");
        }));
        var watch = Stopwatch.StartNew();
        var outline = TraceOutline.Of(Batches.Trace(1), spans, false, new ColumnBatch(Signal.Logs), false);
        // Far above what linear work takes, far below what quadratic work or a recursion of that depth would.
        Assert.InRange(watch.ElapsedMilliseconds, 0, 10_000);
        Assert.Equal(count, outline.Tree.Count);
        Assert.Equal(shape is "chain" or "cycle" ? count - 1 : shape == "flat" ? 1 : count / 2, outline.Tree.Depth.Max());
        Assert.NotEmpty(outline.Path);
    }

    [Fact]
    public void SelfNano_OverlappingChildren_CountsTheirUnionOnce()
    {
        var outline = Outline(Span(1, 0, 0, 100), Span(2, 1, 10, 30), Span(3, 1, 20, 40), Span(4, 1, 90, 50));
        Assert.Equal([40_000_000, 30_000_000, 40_000_000, 50_000_000], outline.SelfNano);
        var service = Assert.Single(outline.Services);
        Assert.Equal(160_000_000, service.SelfNano);
    }

    [Fact]
    public void Path_Sequence_AlternatesBetweenParentAndChildren() =>
        Assert.Equal("s1:0-10 s2:10-30 s1:30-40 s3:40-90 s1:90-100", Path(Outline(Span(1, 0, 0, 100), Span(2, 1, 10, 20), Span(3, 1, 40, 50))));

    [Fact]
    public void Path_ParallelChildren_FollowsTheLastToEnd() =>
        Assert.Equal("s1:0-10 s2:10-80 s1:80-100", Path(Outline(Span(1, 0, 0, 100), Span(2, 1, 10, 70), Span(3, 1, 10, 50), Span(4, 1, 20, 30))));

    [Fact]
    public void Path_Nested_GoesDown() =>
        Assert.Equal("s1:0-10 s2:10-20 s3:20-70 s2:70-80 s1:80-100", Path(Outline(Span(1, 0, 0, 100), Span(2, 1, 10, 70), Span(3, 2, 20, 50))));

    [Fact]
    public void Path_OverlappingChildren_SkipsTheOneThatEndsLaterThanTheNextBegan() =>
        Assert.Equal("s1:0-30 s3:30-90 s1:90-100", Path(Outline(Span(1, 0, 0, 100), Span(2, 1, 10, 40), Span(3, 1, 30, 60))));

    [Fact]
    public void Path_ChildThatOutlivesItsParent_IsCut() =>
        Assert.Equal("s1:0-50 s2:50-100", Path(Outline(Span(1, 0, 0, 100), Span(2, 1, 50, 500))));

    [Fact]
    public void Path_ChildAfterItsParent_IsLeftOut() =>
        Assert.Equal("s1:0-100", Path(Outline(Span(1, 0, 0, 100), Span(2, 1, 150, 500))));

    [Fact]
    public void Path_EmptyChildren_AreLeftOut() =>
        Assert.Equal("s1:0-100", Path(Outline(Span(1, 0, 0, 100), Span(2, 1, 50, 0), Span(3, 1, 100, 0))));

    [Fact]
    public void Repeated_SameStatementWithOtherLiterals_IsOneGroup()
    {
        var queries = Enumerable.Range(0, 7).Select(i => new SpanRow("catalog", "SELECT items", 10 + (i * 10), 5)
        {
            Id = (ulong)(10 + i),
            Parent = 1,
            Kind = SpanKind.Client,
            Attributes = [("db.query.text", $"SELECT *  FROM items\n WHERE id = {i} AND name = 'x{i}'"), ("db.system.name", "sqlite"), ("db.namespace", "shop")],
        });
        var outline = Outline([Span(1, 0, 0, 100, "catalog"), .. queries, Span(30, 1, 95, 1, "catalog", "SELECT items")]);
        var repeated = Assert.Single(outline.Repeated);
        Assert.Equal((0, 7, 35_000_000), (repeated.ParentRow, repeated.Rows.Count, repeated.DurationNano));
        Assert.Equal("SELECT * FROM items WHERE id = 0 AND name = 'x0'", outline.Names.All[outline.Detail[1]]);
        Assert.Equal("shop", outline.Names.All[outline.Peer[1]]);
    }

    [Fact]
    public void Repeated_FourCalls_AreNoPattern() =>
        Assert.Empty(Outline([Span(1, 0, 0, 100), .. Enumerable.Range(0, 4).Select(i => Span((ulong)(10 + i), 1, i, 1, name: "q"))]).Repeated);

    [Theory]
    [InlineData("peer.service", "bank", "bank")]
    [InlineData("server.address", "bank.example", "bank.example")]
    [InlineData("net.peer.name", "bank.example", "bank.example")]
    [InlineData("messaging.destination.name", "orders", "orders")]
    [InlineData("url.full", "https://user@bank.example:8443/pay?x=1", "bank.example")]
    public void Peer_ClientSpan_IsNamedByItsAttributes(string key, string value, string peer)
    {
        var outline = Outline(Span(1, 0, 0, 100), Span(2, 1, 10, 20) with { Kind = SpanKind.Client, Attributes = [(key, value)] });
        Assert.Equal(peer, outline.Names.All[outline.Peer[1]]);
        Assert.Equal(-1, outline.Peer[0]);
    }

    [Fact]
    public void Peer_InstrumentedCallee_IsNotNamed()
    {
        var outline = Outline(Span(1, 0, 0, 100) with { Kind = SpanKind.Client, Attributes = [("server.address", "cart")] }, Span(2, 1, 10, 20, "cart"));
        Assert.Equal(-1, outline.Peer[0]);
    }

    [Fact]
    public void Headline_CallsToAnUninstrumentedPeer_AreTold()
    {
        SpanRow Call(ulong id, double start, double duration) => Span(id, 2, start, duration, "payments", "POST /charge") with
        {
            Kind = SpanKind.Client,
            Attributes = [("peer.service", "bank API")],
        };
        var outline = Outline(Span(1, 0, 0, 6120, "storefront"), Span(2, 1, 500, 5400, "payments", "charge"), Call(3, 600, 2500), Call(4, 3200, 2500));
        Assert.Equal(new Headline(0.817, 5_000_000_000, 2, "payments", "bank API", "POST /charge", true), outline.Headline);
    }

    [Fact]
    public void Headline_OwnWork_IsTold()
    {
        var outline = Outline(Span(1, 0, 0, 100, "a"), Span(2, 1, 10, 80, "b", "render"));
        Assert.Equal(new Headline(0.8, 80_000_000, 1, "b", null, "render", false), outline.Headline);
    }

    [Fact]
    public void Headline_NothingStandsOut_IsNull()
    {
        var spans = Enumerable.Range(0, 10).Select(i => Span((ulong)(10 + i), 1, i * 10, 10, "b"));
        Assert.Null(Outline([Span(1, 0, 0, 100), .. spans]).Headline);
        Assert.Null(Outline(Span(1, 0, 0, 100)).Headline);
    }

    [Fact]
    public void Logs_AreCountedBySpan()
    {
        var logs = Batches.Logs(new LogRow("a", 1, "x") { Trace = 1, Span = 2 }, new LogRow("a", 2, "y") { Trace = 1, Span = 2 }, new LogRow("a", 2, "y") { Trace = 1 });
        var outline = TraceOutline.Of(Batches.Trace(1), Batches.Spans(Span(1, 0, 0, 100), Span(2, 1, 1, 2)), true, logs, true);
        Assert.Equal([0, 2], outline.Logs);
        Assert.Equal(2, outline.Warnings.Count);
    }

    [Fact]
    public void Warnings_ChildBeforeItsParent_SaysThatClocksDiffer() =>
        Assert.Contains(Outline(Span(1, 0, 50, 100), Span(2, 1, 10, 20)).Warnings, warning => warning.Contains("clocks", StringComparison.Ordinal));
}
