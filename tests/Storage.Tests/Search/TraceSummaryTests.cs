using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

public sealed class TraceSummaryTests
{
    private static async Task<TraceSummary> SummaryOf(params TestRecord[] spans)
    {
        var result = await new StoreSearch(TimeProvider.System).SearchTracesAsync(
            [new HeadSource(TestRecord.ToBatch(Signal.Traces, spans))], new TraceQuery(Filter.All, TimeRange.All, TraceOrder.Newest, 10),
            QueryBudget.Default, TestContext.Current.CancellationToken);
        return Assert.Single(result.Traces);
    }

    [Fact]
    public async Task Summary_OverlappingChildren_SelfTimeIsWhatNoChildCovers()
    {
        var summary = await SummaryOf(
            TestRecord.Span(1, 1, start: 0, duration: 100, service: "web", name: "GET /") with { Attributes = [("http.response.status_code", AttributeValue.FromInt64(502))], Status = StatusCode.Error },
            TestRecord.Span(1, 2, parent: 1, start: 10, duration: 30, service: "db"),
            TestRecord.Span(1, 3, parent: 1, start: 20, duration: 30, service: "db"),
            TestRecord.Span(1, 4, parent: 1, start: 90, duration: 50, service: "mail"));

        Assert.Equal(("web", "GET /", StatusCode.Error, 502), (summary.RootServiceName, summary.RootName, summary.RootStatus, summary.RootHttpStatusCode));
        Assert.Equal((0, 140, 4, 1), (summary.StartUnixNano, summary.DurationNano, summary.SpanCount, summary.ErrorSpanCount));
        Assert.Equal([new("db", 2, 0, 60), new("mail", 1, 0, 50), new("web", 1, 1, 50)], summary.Services.OrderBy(service => service.ServiceName));
    }

    [Fact]
    public async Task Summary_ParentMissing_RootIsTheEarliestOrphan()
    {
        var summary = await SummaryOf(TestRecord.Span(1, 2, parent: 9, start: 5, name: "late"), TestRecord.Span(1, 3, parent: 8, start: 1, name: "early"), TestRecord.Span(1, 4, parent: 3, start: 0));
        Assert.Equal(("early", true, 2), (summary.RootName, summary.RootMissing, summary.OrphanSpanCount));
    }

    [Fact]
    public async Task Summary_ParentCycleAndSelfParent_Answers()
    {
        var cycle = await SummaryOf(TestRecord.Span(1, 1, parent: 2, start: 5), TestRecord.Span(1, 2, parent: 1, start: 3, name: "first"));
        Assert.Equal(("first", true, 0), (cycle.RootName, cycle.RootMissing, cycle.OrphanSpanCount));

        var self = await SummaryOf(TestRecord.Span(1, 1, parent: 1, name: "self"));
        Assert.Equal(("self", false, 0), (self.RootName, self.RootMissing, self.OrphanSpanCount));
    }

    [Fact]
    public async Task Summary_TraceOfAHundredThousandSpans_CountsThemAll()
    {
        var spans = Enumerable.Range(1, 100_000).Select(i => TestRecord.Span(1, (ulong)i, parent: (ulong)(i / 2), start: i, duration: 100_000));
        var summary = await SummaryOf([.. spans]);
        Assert.Equal((100_000, 0, 100_000), (summary.SpanCount, summary.OrphanSpanCount, summary.MatchedSpanCount));
    }
}
