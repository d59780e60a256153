using Apm.Web.Api;

namespace Apm.Web.Pages;

/// <summary>A service, a database, queue or host that services call, or where requests come in.</summary>
/// <param name="Key">Tells nodes apart: type, name and system. In the URL and in the map.</param>
/// <param name="Type">"service", "database", "queue", "external" or "entry".</param>
/// <param name="State">"bad", "warn" or "ok".</param>
/// <param name="Environments">deployment.environment.name of a service, or of those that call a peer.</param>
/// <param name="Now">Requests to a service, calls to a peer; null for a service that nobody calls.</param>
internal sealed record TopologyNode(
    string Key, string Name, string Type, string? System, string State, IReadOnlyList<string> Environments, string? Version, long? VersionChangedUnixNano,
    TopologyFigures? Now, TopologyFigures? Before);

/// <param name="State">"bad", "warn" or "ok".</param>
/// <param name="Begins">It fails, and nothing that its callee calls does: here the failure begins.</param>
internal sealed record TopologyEdge(
    string Key, string From, string To, string? System, string? Operation, string State, bool Begins, TopologyFigures Now, TopologyFigures? Before);

/// <param name="Rate">Per second.</param>
/// <param name="ErrorRate">0–1, over the whole range.</param>
/// <param name="RecentErrorRate">0–1, at the end of the range; 0 when there are too few failures to speak of.</param>
internal sealed record TopologyFigures(long Count, long Errors, double Rate, double ErrorRate, double RecentErrorRate, double? P50Nano, double? P95Nano, double? P99Nano)
{
    public double WorstErrorRate => Math.Max(ErrorRate, RecentErrorRate);
}

/// <summary>Who calls whom, and how well: from the lists of services and of calls, now, at the end of the range, and in the period before.</summary>
/// <param name="LeftOut">Quiet and healthy nodes beyond <see cref="MostNodes"/>.</param>
internal sealed record TopologyGraph(IReadOnlyList<TopologyNode> Nodes, IReadOnlyList<TopologyEdge> Edges, int LeftOut)
{
    /// <summary>Nodes on a map: above it nobody finds anything, and a browser begins to feel it.</summary>
    public const int MostNodes = 200;

    /// <summary>A few failures are no state of a call.</summary>
    private const int FewestErrors = 3;

    /// <summary>
    /// A service is entered from outside from this share of requests that no call explains: callers send their spans up to seconds after their callees do, so
    /// that the last calls of a range have no caller yet.
    /// </summary>
    private const double LeastEntering = 0.1;

    /// <summary>The key of the node that stands for all who call and send no spans.</summary>
    public const string EntryKey = "entry:";

    /// <summary>An error rate counts as risen from this multiple of the one before.</summary>
    private const double RisenFactor = 1.5;

    public static TopologyGraph Empty { get; } = new([], [], 0);

    public static string KeyOf(string type, string name, string? system) => string.IsNullOrEmpty(system) || type == "service" ? $"{type}:{name}" : $"{type}:{name}:{system}";

    /// <param name="environment">Only services of this environment and what they call; "" for all.</param>
    /// <param name="requests">The server spans by service. What of them no call explains came from outside.</param>
    /// <param name="outside">The name of where that comes from.</param>
    public static TopologyGraph Of(
        IReadOnlyList<ServiceRow> services, DependencyEdge[] now, DependencyEdge[] recent, DependencyEdge[] before, double seconds, string environment,
        IReadOnlyList<RedGroup> requests, string outside)
    {
        var known = services.Where(row => environment.Length == 0 || row.Now.EnvironmentNames.Contains(environment)).ToDictionary(row => row.Now.Name, StringComparer.Ordinal);
        var others = environment.Length == 0 ? [] : services.Select(row => row.Now.Name).Where(name => !known.ContainsKey(name)).ToHashSet(StringComparer.Ordinal);
        bool IsIn(DependencyEdge edge) => !IsOther(ClientKey(edge)) && !IsOther(ServerKey(edge));
        bool IsOther(string key) => key.StartsWith("service:", StringComparison.Ordinal) && others.Contains(key["service:".Length..]);
        var calls = now.Where(IsIn).ToArray();

        var recently = ByKey(recent);
        var earlier = ByKey(before);
        var edges = calls.GroupBy(EdgeKey).Select(group =>
        {
            var edge = group.First();
            var figures = Figures(group, recently.GetValueOrDefault(group.Key, []), seconds);
            var was = earlier.TryGetValue(group.Key, out var old) ? Figures(old, [], seconds) : null;
            return new TopologyEdge(group.Key, ClientKey(edge), ServerKey(edge), edge.System, edge.Operation, StateOf(figures, was), false, figures, was);
        }).ToList();
        edges.AddRange(Entries(known, edges, requests, seconds));
        var failing = edges.Where(edge => edge.State == "bad").Select(edge => edge.From).ToHashSet(StringComparer.Ordinal);
        for (var i = 0; i < edges.Count; i++)
            edges[i] = edges[i] with { Begins = edges[i].State == "bad" && !failing.Contains(edges[i].To) };

        var nodes = known.Values.Select(NodeOf).ToDictionary(node => node.Key, StringComparer.Ordinal);
        foreach (var edge in calls)
        {
            // A queue that services take from, and a service whose own spans are not in the range, are known from calls alone.
            AddPeer(nodes, ClientKey(edge), edge.Client, IsOutOfQueue(edge) ? "queue" : "service", edge.System, edges);
            AddPeer(nodes, ServerKey(edge), edge.Server, edge.Type, edge.Type == "service" ? null : edge.System, edges);
        }
        if (Sum(edges.Where(edge => edge.From == EntryKey).Select(edge => edge.Now)) is { } entering)
            nodes.Add(EntryKey, new TopologyNode(EntryKey, outside, "entry", null, "ok", [], null, null, entering with { P50Nano = null, P95Nano = null, P99Nano = null }, null));
        var environments = Inherit(nodes, edges);
        return Cut([.. nodes.Values.Select(node => environments.TryGetValue(node.Key, out var names) ? node with { Environments = names } : node)], edges);
    }

    /// <summary>The node and its neighbours, and the calls between it and them.</summary>
    public TopologyGraph Around(string key)
    {
        var edges = Edges.Where(edge => edge.From == key || edge.To == key).ToArray();
        var keys = edges.SelectMany(edge => new[] { edge.From, edge.To }).Append(key).ToHashSet(StringComparer.Ordinal);
        return new TopologyGraph([.. Nodes.Where(node => keys.Contains(node.Key))], edges, 0);
    }

    private static string ClientKey(DependencyEdge edge) => IsOutOfQueue(edge) ? KeyOf("queue", edge.Client, edge.System) : KeyOf("service", edge.Client, null);

    private static string ServerKey(DependencyEdge edge) => KeyOf(edge.Type, edge.Server, edge.System);

    /// <summary>A service takes from a queue: such an edge has the queue as its client, and the messaging system.</summary>
    private static bool IsOutOfQueue(DependencyEdge edge) => edge.Type == "service" && !string.IsNullOrEmpty(edge.System);

    private static string EdgeKey(DependencyEdge edge) => $"{ClientKey(edge)} → {ServerKey(edge)}";

    private static Dictionary<string, DependencyEdge[]> ByKey(DependencyEdge[] edges) =>
        edges.GroupBy(EdgeKey).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);

    /// <summary>
    /// An edge to each service with requests that nobody known made. Where that is all of them, they are as fast and as healthy as the service; of a part the
    /// durations are not known.
    /// </summary>
    private static IEnumerable<TopologyEdge> Entries(Dictionary<string, ServiceRow> known, List<TopologyEdge> edges, IReadOnlyList<RedGroup> requests, double seconds)
    {
        var incoming = edges.Where(edge => edge.From.StartsWith("service:", StringComparison.Ordinal)).ToLookup(edge => edge.To, StringComparer.Ordinal);
        foreach (var group in requests.Where(group => !group.Overflow))
        {
            if (group.KeyText(0) is not { } name || !known.TryGetValue(name, out var row))
                continue;
            var key = KeyOf("service", name, null);
            var count = group.Count - incoming[key].Sum(edge => edge.Now.Count);
            if (count < 1 || count < LeastEntering * group.Count)
                continue;
            var node = NodeOf(row);
            var isAll = !incoming[key].Any();
            var errors = Math.Clamp(group.Errors - incoming[key].Sum(edge => edge.Now.Errors), 0, count);
            var figures = new TopologyFigures(
                count, errors, seconds > 0 ? count / seconds : 0, Share(errors, count), isAll ? node.Now?.RecentErrorRate ?? 0 : 0,
                isAll ? group.P50Nano : null, isAll ? group.P95Nano : null, isAll ? group.P99Nano : null);
            yield return new TopologyEdge(
                $"{EntryKey} → {key}", EntryKey, key, null, null, isAll ? node.State : StateOf(figures, null), false, figures, isAll ? node.Before : null);
        }
    }

    /// <summary>Of one edge as a rule. Percentiles of several cannot be added up: those of the busiest stand.</summary>
    private static TopologyFigures Figures(IEnumerable<DependencyEdge> edges, IReadOnlyCollection<DependencyEdge> recent, double seconds)
    {
        var all = edges.ToArray();
        var busiest = all.MaxBy(edge => edge.Calls)!;
        var calls = all.Sum(edge => edge.Calls);
        var errors = all.Sum(edge => edge.Errors);
        var (recentCalls, recentErrors) = (recent.Sum(edge => edge.Calls), recent.Sum(edge => edge.Errors));
        return new TopologyFigures(
            calls, errors, seconds > 0 ? calls / seconds : 0, Share(errors, calls), recentErrors >= FewestErrors ? Share(recentErrors, recentCalls) : 0,
            busiest.P50Nano, busiest.P95Nano, busiest.P99Nano);
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    private static string StateOf(TopologyFigures now, TopologyFigures? before)
    {
        if (now.Errors >= FewestErrors && now.WorstErrorRate >= ServiceRow.FailingErrorRate)
            return "bad";
        var errorsAreHigh = now.Errors >= FewestErrors && now.ErrorRate >= ServiceRow.DegradedErrorRate && now.ErrorRate >= RisenFactor * (before?.ErrorRate ?? 0);
        return errorsAreHigh || ServiceRow.IsSlow(now.P95Nano, before?.P95Nano) ? "warn" : "ok";
    }

    private static TopologyNode NodeOf(ServiceRow row)
    {
        static TopologyFigures? Figures(ServiceSummary? service, double recentErrorRate) => service is not { Count: > 0 } ? null : new TopologyFigures(
            service.Count, service.Errors, service.Rate, service.ErrorRate, recentErrorRate, service.P50Nano, service.P95Nano, service.P99Nano);
        return new TopologyNode(
            KeyOf("service", row.Now.Name, null), row.Now.Name, "service", null, row.State, row.Now.EnvironmentNames, row.Now.Version, row.Now.VersionChangedUnixNano,
            Figures(row.Now, row.RecentErrorRate), Figures(row.Before, 0));
    }

    private static void AddPeer(Dictionary<string, TopologyNode> nodes, string key, string name, string type, string? system, List<TopologyEdge> edges)
    {
        if (nodes.ContainsKey(key))
            return;
        var incoming = edges.Where(edge => edge.To == key).ToArray();
        var now = Sum(incoming.Select(edge => edge.Now));
        var before = Sum(incoming.Select(edge => edge.Before).OfType<TopologyFigures>());
        nodes.Add(key, new TopologyNode(key, name, type, string.IsNullOrEmpty(system) ? null : system, now is null ? "ok" : StateOf(now, before), [], null, null, now, before));
    }

    private static TopologyFigures? Sum(IEnumerable<TopologyFigures> figures)
    {
        var all = figures.ToArray();
        if (all.Length == 0)
            return null;
        var busiest = all.MaxBy(one => one.Count)!;
        var (count, errors) = (all.Sum(one => one.Count), all.Sum(one => one.Errors));
        var recent = count == 0 ? 0 : all.Sum(one => one.RecentErrorRate * one.Count) / count;
        return new TopologyFigures(count, errors, all.Sum(one => one.Rate), Share(errors, count), recent, busiest.P50Nano, busiest.P95Nano, busiest.P99Nano);
    }

    /// <summary>The environments of a peer are those of its callers, and of what takes from it.</summary>
    private static Dictionary<string, IReadOnlyList<string>> Inherit(Dictionary<string, TopologyNode> nodes, List<TopologyEdge> edges)
    {
        var found = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var node in nodes.Values.Where(node => node.Environments.Count == 0))
        {
            var near = edges.Where(edge => edge.To == node.Key || edge.From == node.Key).SelectMany(edge => nodes[edge.To == node.Key ? edge.From : edge.To].Environments);
            found[node.Key] = [.. near.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        }
        return found;
    }

    private static TopologyGraph Cut(List<TopologyNode> nodes, List<TopologyEdge> edges)
    {
        if (nodes.Count <= MostNodes)
            return new TopologyGraph(nodes, edges, 0);
        var unhealthy = edges.Where(edge => edge.State != "ok").SelectMany(edge => new[] { edge.From, edge.To }).ToHashSet(StringComparer.Ordinal);
        var kept = nodes.OrderByDescending(node => node.State != "ok" || unhealthy.Contains(node.Key)).ThenByDescending(node => node.Now?.Count ?? 0)
            .ThenBy(node => node.Key, StringComparer.Ordinal).Take(MostNodes).ToArray();
        var keys = kept.Select(node => node.Key).ToHashSet(StringComparer.Ordinal);
        return new TopologyGraph(kept, [.. edges.Where(edge => keys.Contains(edge.From) && keys.Contains(edge.To))], nodes.Count - kept.Length);
    }
}
