using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

/// <summary>Budgets, cancellation, damage and pruning: what a query reads, and what it says of it.</summary>
public sealed class ScanTests
{
    private static HeadSource Source(int rows, int firstTime) => new(TestRecord.ToBatch(
        Signal.Traces, Enumerable.Range(firstTime, rows).Select(i => TestRecord.Span((ulong)i + 1, (ulong)i + 1, start: i, duration: i))), blockRows: 10);

    private static TraceQuery Newest(int limit, bool countAll = false) => new(Filter.All, TimeRange.All, TraceOrder.Newest, limit, CountAll: countAll);

    private sealed class ManualTime : TimeProvider
    {
        public long Now { get; set; }
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => Now;
    }

    [Fact]
    public async Task SearchTraces_Newest_ReadsOnlyTheBlocksThatCanBeOnThePage()
    {
        var old = new WatchedSource(Source(100, 0));
        var recent = new WatchedSource(Source(100, 100));
        var result = await new StoreSearch(TimeProvider.System).SearchTracesAsync([old, recent], Newest(5), QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.Equal([199L, 198, 197, 196, 195], result.Traces.Select(trace => trace.SortKey));
        Assert.Empty(old.Opened);
        Assert.Equal([9], recent.Opened.Distinct());
        Assert.Equal((false, "limit", 1, 1), (result.Scan.Complete, result.Scan.StoppedBy, result.Scan.PartsRead, result.Scan.PartsSkipped));
    }

    [Fact]
    public async Task SearchTraces_CountAll_CountsEveryMatch()
    {
        var result = await new StoreSearch(TimeProvider.System).SearchTracesAsync([Source(100, 0), Source(100, 100)], Newest(5, countAll: true), QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.Equal((200, 200, true), (result.MatchedSpans, result.MatchedTraces, result.Scan.Complete));
    }

    [Fact]
    public async Task SearchTraces_TimeSpent_ReturnsWhatItHas()
    {
        var time = new ManualTime();
        var source = new WatchedSource(Source(100, 0), onOpen: () => time.Now += TimeSpan.TicksPerSecond);
        var budget = QueryBudget.Default with { Time = TimeSpan.FromSeconds(3) };
        var result = await new StoreSearch(time).SearchTracesAsync([source], Newest(1000), budget, TestContext.Current.CancellationToken);
        Assert.Equal((30, "time", false), (result.Traces.Count, result.Scan.StoppedBy, result.Scan.Complete));
    }

    [Fact]
    public async Task Aggregate_Cancelled_Throws()
    {
        using var cancellation = new CancellationTokenSource();
        var source = new WatchedSource(Source(100, 0), onOpen: cancellation.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new StoreSearch(TimeProvider.System).AggregateAsync(
            [source], Signal.Traces, new AggregateQuery(Filter.All, TimeRange.All, 0, []), QueryBudget.Default, cancellation.Token));
        Assert.Single(source.Opened);
    }

    [Fact]
    public async Task Aggregate_DamagedBlock_IsLeftOutReportedAndMakesTheAnswerIncomplete()
    {
        var damages = new List<CorruptPartException>();
        var result = await new StoreSearch(TimeProvider.System, damages.Add).AggregateAsync(
            [new WatchedSource(Source(100, 0), damagedBlock: 4), Source(100, 100)], Signal.Traces, new AggregateQuery(Filter.All, TimeRange.All, 0, []),
            QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.Equal((190, false), (result.Groups[0].Total.Count, result.Scan.Complete));
        Assert.Null(result.Scan.StoppedBy);
        Assert.Equal(7, Assert.Single(damages).Offset);
    }

    [Fact]
    public async Task GetTrace_MoreSpansThanRows_IsTruncated()
    {
        var spans = Enumerable.Range(1, 50).Select(i => TestRecord.Span(1, (ulong)i, start: 100 - i));
        var fetch = await new StoreSearch(TimeProvider.System).GetTraceAsync(
            [new HeadSource(TestRecord.ToBatch(Signal.Traces, spans))], new TraceId(0, 1), QueryBudget.Default with { Rows = 10 }, TestContext.Current.CancellationToken);
        Assert.Equal((10, true, 50), (fetch.Spans.Rows, fetch.Truncated, (int)fetch.Spans.TimeUnixNano[0]));
    }

    [Fact]
    public async Task Aggregate_MoreGroupsThanAsked_AddsUpTheSmallOnes()
    {
        var spans = Enumerable.Range(1, 60).Select(i => TestRecord.Span((ulong)i, (ulong)i, name: i <= 30 ? "often" : $"op{i}"));
        var result = await new StoreSearch(TimeProvider.System).AggregateAsync(
            [new HeadSource(TestRecord.ToBatch(Signal.Traces, spans))], Signal.Traces,
            new AggregateQuery(Filter.All, TimeRange.All, 0, [Field.Of(Intrinsic.Name)], MaxGroups: 2), QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.Equal([(30, false), (29, true), (1, false)], result.Groups.Select(group => ((int)group.Total.Count, group.IsOverflow)));
    }

    [Fact]
    public async Task GetAttributeNames_TwoSources_AddsUpKeysByScope()
    {
        var span = TestRecord.Span(1, 1) with { Attributes = [("http.route", AttributeValue.FromString("/"))], Events = [TestOwner.Of(("exception.type", AttributeValue.FromString("x")))] };
        var names = await new StoreSearch(TimeProvider.System).GetAttributeNamesAsync(
            [new HeadSource(TestRecord.ToBatch(Signal.Traces, span)), new HeadSource(TestRecord.ToBatch(Signal.Traces, span))], new AttributeNameQuery(TimeRange.All),
            QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.Equal(
            [new(FieldScope.Event, "exception.type", 2), new(FieldScope.Record, "http.route", 2), new(FieldScope.Resource, "service.name", 2)],
            names.OrderBy(name => name.Key, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Aggregate_TraceIdsOfRelatedHalves_CountApart()
    {
        // Some propagators make one half of an id from the other: what makes duplicates count once must tell such ids apart.
        TraceId[] ids = [new(1, 2), new(2, 1), new(3, 3), new(4, 4), new(0, 3), new(3, 0), new(5, 6), new(6, 5)];
        var batch = TestRecord.ToBatch(Signal.Traces, ids.Select((id, i) => TestRecord.Span(1, 7, start: i) with { TraceId = id }));
        var result = await new StoreSearch(TimeProvider.System).AggregateAsync(
            [new HeadSource(batch)], Signal.Traces, new AggregateQuery(Filter.All, TimeRange.All, 0, [], 10), QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.Equal(ids.Length, Assert.Single(result.Groups).Total.Count);
    }
}
