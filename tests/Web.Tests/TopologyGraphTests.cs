using Apm.Web.Api;
using Apm.Web.Pages;

namespace Apm.Web.Tests;

public sealed class TopologyGraphTests
{
    [Fact]
    public void Of_AFailingChain_SaysWhereItBegins()
    {
        var graph = Graph([Service("shop", 100, 10), Service("pay", 100, 10)], [Edge("shop", "pay", 100, 10), Edge("pay", "bank", 100, 10, "external"), Edge("pay", "db", 100, 0, "database", "sqlite")]);
        Assert.Equal(
            ["service:pay → database:db:sqlite ok False", "service:pay → external:bank bad True", "service:shop → service:pay bad False"],
            graph.Edges.Select(edge => $"{edge.Key} {edge.State} {edge.Begins}").Order(StringComparer.Ordinal));
        Assert.Equal(
            ["database:db:sqlite ok", "external:bank bad", "service:pay bad", "service:shop bad"],
            graph.Nodes.Select(node => $"{node.Key} {node.State}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(1000, 2, 0, 0, "ok")] // Two failures are chance.
    [InlineData(1000, 12, 0, 0, "warn")]
    [InlineData(1000, 12, 1000, 11, "ok")] // As before.
    [InlineData(1000, 60, 1000, 60, "bad")]
    public void Of_AnEdge_HasAStateByItsErrorsAndThoseBefore(long calls, long errors, long callsBefore, long errorsBefore, string state)
    {
        var before = callsBefore == 0 ? [] : new[] { Edge("a", "b", callsBefore, errorsBefore) };
        var graph = TopologyGraph.Of([], [Edge("a", "b", calls, errors)], [], before, 60, "", [], "Users");
        Assert.Equal(state, graph.Edges.Single().State);
    }

    [Fact]
    public void Of_AnEdgeThatFailsNow_IsNotHiddenByTheRange()
    {
        var graph = TopologyGraph.Of([], [Edge("a", "b", 10_000, 40)], [Edge("a", "b", 100, 40)], [], 60, "", [], "Users");
        Assert.Equal(("bad", 0.004, 0.4), (graph.Edges.Single().State, graph.Edges.Single().Now.ErrorRate, graph.Edges.Single().Now.RecentErrorRate));
    }

    [Fact]
    public void Of_ASlowEdge_IsDegraded()
    {
        var graph = TopologyGraph.Of([], [Edge("a", "b", 100, 0) with { P95Nano = 900e6 }], [], [Edge("a", "b", 100, 0) with { P95Nano = 200e6 }], 60, "", [], "Users");
        Assert.Equal("warn", graph.Edges.Single().State);
    }

    [Fact]
    public void Of_AQueue_IsOneNodeBetweenProducerAndConsumer()
    {
        var graph = TopologyGraph.Of([], [Edge("shop", "orders", 10, 0, "queue", "kafka"), Edge("orders", "mailer", 10, 0, "service", "kafka")], [], [], 60, "", [], "Users");
        Assert.Equal(["queue:orders:kafka", "service:mailer", "service:shop"], graph.Nodes.Select(node => node.Key).Order(StringComparer.Ordinal));
        Assert.Equal(["queue:orders:kafka>service:mailer", "service:shop>queue:orders:kafka"], graph.Edges.Select(edge => $"{edge.From}>{edge.To}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Of_OneEnvironment_HasItsServicesAndWhatTheyCall()
    {
        ServiceRow[] services = [Service("shop", 9, 0, "production"), Service("pay", 9, 0, "production", "staging"), Service("trial", 9, 0, "staging")];
        DependencyEdge[] edges = [Edge("shop", "pay", 9, 0), Edge("trial", "pay", 9, 0), Edge("shop", "db", 9, 0, "database", "sqlite"), Edge("trial", "mock", 9, 0, "external")];
        var all = TopologyGraph.Of(services, edges, [], [], 60, "", [], "Users");
        Assert.Equal("production", string.Join(' ', all.Nodes.Single(node => node.Name == "db").Environments));
        var production = TopologyGraph.Of(services, edges, [], [], 60, "production", [], "Users");
        Assert.Equal(["db", "pay", "shop"], production.Nodes.Select(node => node.Name).Order(StringComparer.Ordinal));
        Assert.Equal(2, production.Edges.Count);
    }

    [Fact]
    public void Of_MoreNodesThanAMapHolds_KeepsTheUnhealthyAndTheBusiest()
    {
        var edges = Enumerable.Range(0, 300).Select(i => Edge("hub", $"host{i}", 1000 + i, 0, "external")).Append(Edge("hub", "faulty", 5, 5, "external")).ToArray();
        var graph = TopologyGraph.Of([], edges, [], [], 60, "", [], "Users");
        Assert.Equal((TopologyGraph.MostNodes, 302 - TopologyGraph.MostNodes), (graph.Nodes.Count, graph.LeftOut));
        Assert.Contains(graph.Nodes, node => node.Name == "faulty");
        Assert.Contains(graph.Nodes, node => node.Name == "host299");
        Assert.DoesNotContain(graph.Nodes, node => node.Name == "host0");
        Assert.All(graph.Edges, edge => Assert.Contains(graph.Nodes, node => node.Key == edge.To));
    }

    [Fact]
    public void Around_ANode_HasItsOwnCallsOnly()
    {
        var graph = TopologyGraph.Of([], [Edge("a", "b", 1, 0), Edge("b", "c", 1, 0), Edge("c", "d", 1, 0), Edge("a", "c", 1, 0)], [], [], 60, "", [], "Users").Around("service:b");
        Assert.Equal(["a", "b", "c"], graph.Nodes.Select(node => node.Name).Order(StringComparer.Ordinal));
        Assert.Equal(2, graph.Edges.Count);
    }

    [Fact]
    public void Of_RequestsThatNoCallExplains_ComeFromOutside()
    {
        var graph = Graph(
            [Service("shop", 1000, 60), Service("pay", 500, 50), Service("mail", 40, 0)],
            [Edge("shop", "pay", 400, 50), Edge("shop", "mail", 38, 0)],
            Requests("shop", 1000, 60), Requests("pay", 500, 50), Requests("mail", 40, 0), Requests("unknown", 9, 0));
        var entries = graph.Edges.Where(edge => edge.From == TopologyGraph.EntryKey).ToArray();
        // All requests to the shop, a fifth of those to pay; what mail has more than its calls is too little to tell from calls whose spans are on their way.
        Assert.Equal(
            [("service:shop", "bad", 1000L, 60L, (double?)2e6, false), ("service:pay", "ok", 100L, 0L, null, false)],
            entries.Select(edge => (edge.To, edge.State, edge.Now.Count, edge.Now.Errors, edge.Now.P95Nano, edge.Begins)));
        var entry = graph.Nodes.Single(node => node.Type == "entry");
        Assert.Equal(("Users", "ok", 1100L), (entry.Name, entry.State, entry.Now!.Count));
        Assert.True(graph.Edges.Single(edge => edge.To == "service:pay" && edge.From != TopologyGraph.EntryKey).Begins);
    }

    [Fact]
    public void Of_AServiceThatFailsByItself_BeginsTheFailureForThoseOutside()
    {
        var graph = Graph([Service("shop", 1000, 100)], [Edge("shop", "db", 900, 0, "database", "sqlite")], Requests("shop", 1000, 100));
        var edge = graph.Edges.Single(edge => edge.To == "service:shop");
        Assert.Equal((TopologyGraph.EntryKey, "bad", true), (edge.From, edge.State, edge.Begins));
    }

    private static TopologyGraph Graph(ServiceRow[] services, DependencyEdge[] edges, params RedGroup[] requests) => TopologyGraph.Of(services, edges, [], [], 60, "", requests, "Users");

    private static RedGroup Requests(string service, long count, long errors) =>
        new([System.Text.Json.JsonSerializer.SerializeToElement(service)], false, count, errors, count / 60.0, (double)errors / count, 1e6, 2e6, 3e6, 1e6 * count, null);

    private static ServiceRow Service(string name, long count, long errors, params string[] environments) => new(
        new ServiceSummary(name, null, null, null, null, 1, count / 60.0, (double)errors / count, 1e6, 2e6, 3e6, 1, count, errors, null) { Environments = environments }, null);

    private static DependencyEdge Edge(string client, string server, long calls, long errors, string type = "service", string? system = null) =>
        new(client, server, type, system, "GET", calls, errors, 1e6, 2e6, 3e6);
}
