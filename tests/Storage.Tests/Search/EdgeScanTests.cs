using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Tests.Search;

public sealed class EdgeScanTests
{
    private static (string, AttributeValue) Text(string key, string value) => (key, AttributeValue.FromString(value));

    private static async Task<string[]> EdgesOf(params TestRecord[][] batches)
    {
        RowSource[] sources = [.. batches.Select(batch => new HeadSource(TestRecord.ToBatch(Signal.Traces, batch)))];
        var result = await new StoreSearch(TimeProvider.System).GetEdgesAsync(sources, TimeRange.All, QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.True(result.Scan.Complete);
        return [.. result.Edges.Select(edge => $"{edge.Client}>{edge.Server} {edge.Type} [{edge.System}] {edge.Operation} {edge.Calls}/{edge.Errors} {edge.Durations.SumNano}").Order(StringComparer.Ordinal)];
    }

    private static readonly TestRecord Call = TestRecord.Span(1, 1, duration: 20, service: "web", name: "POST") with { Kind = SpanKind.Client, Attributes = [Text("server.address", "pay")] };

    private static readonly TestRecord Answer = TestRecord.Span(1, 2, parent: 1, service: "pay") with { Kind = SpanKind.Server, Status = StatusCode.Error };

    [Fact]
    public async Task Edges_ChildInAnotherService_IsOneServiceEdge() =>
        Assert.Equal(["web>pay Service [] POST 1/1 20"], await EdgesOf([Call, Answer]));

    [Fact]
    public async Task Edges_TraceSpreadOverBatchesAndSentTwice_CountsOnce() =>
        Assert.Equal(["web>pay Service [] POST 1/1 20"], await EdgesOf([Answer], [Call], [Call, Answer]));

    [Fact]
    public async Task Edges_CallAroundACallThatIsAnswered_IsNotAPeer() =>
        Assert.Equal(["web>pay Service [] POST 1/1 20"], await EdgesOf([Call with { Parent = new SpanId(9) }, Answer, Call with { SpanId = new SpanId(9), Name = "rpc" }]));

    [Fact]
    public async Task Edges_AnswerOfOneCallMissing_IsACallToTheServiceThatAnswersTheOthers() =>
        Assert.Equal(["web>pay Service [] POST 2/1 40"], await EdgesOf([Call, Answer], [Call with { TraceId = new TraceId(0, 7) }]));

    [Fact]
    public async Task Edges_ParentMissing_IsTolerated() => Assert.Empty(await EdgesOf([Answer]));

    public static TheoryData<string, (string, AttributeValue)[]> Peers => new()
    {
        { "web>shop Database [postgresql] POST 1/0 20", [Text("db.system.name", "postgresql"), Text("db.namespace", "shop"), Text("server.address", "db1")] },
        { "web>shop Database [mysql] POST 1/0 20", [Text("db.system", "mysql"), Text("db.name", "shop")] },
        { "web>db1 Database [redis] POST 1/0 20", [Text("db.system", "redis"), Text("net.peer.name", "db1")] },
        { "web>orders Queue [kafka] POST 1/0 20", [Text("messaging.system", "kafka"), Text("messaging.destination.name", "orders")] },
        { "web>bank External [] POST 1/0 20", [Text("peer.service", "bank"), Text("server.address", "10.0.0.1")] },
        { "web>bank.example External [] POST 1/0 20", [Text("url.full", "https://user@bank.example:8443/pay?x=1")] },
        { "web>[::1] External [] POST 1/0 20", [Text("http.url", "http://[::1]:80/")] },
    };

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Edges_CallThatNobodyAnswers_IsThePeerItsAttributesName(string expected, (string, AttributeValue)[] attributes) =>
        Assert.Equal([expected], await EdgesOf([Call with { Attributes = attributes }]));

    [Fact]
    public async Task Edges_ProducerAndConsumer_MeetAtTheDestination()
    {
        var producer = Call with { Kind = SpanKind.Producer, Name = "send", Attributes = [Text("messaging.system", "kafka"), Text("messaging.destination.name", "orders")] };
        var consumer = producer with { TraceId = new TraceId(0, 2), Kind = SpanKind.Consumer, Name = "process", Resource = TestOwner.Service("ship") };
        Assert.Equal(
            ["orders>ship Service [kafka] process 1/0 20", "web>orders Queue [kafka] send 1/0 20"],
            await EdgesOf([producer], [consumer, consumer with { SpanId = new SpanId(2), Parent = consumer.SpanId }]));
    }

    [Fact]
    public async Task Edges_DatabaseCallOverHttp_IsTheDatabaseOnly() =>
        Assert.Equal(
            ["web>logs Database [elasticsearch] search 1/0 20"],
            await EdgesOf([Call with { Name = "search", Attributes = [Text("db.system", "elasticsearch"), Text("db.name", "logs")] }, Call with { SpanId = new SpanId(5), Parent = Call.SpanId }]));
}
