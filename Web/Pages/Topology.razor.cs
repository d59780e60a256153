using System.Globalization;
using System.Text.Json;
using Apm.Web.Api;
using Apm.Web.Controls;
using Microsoft.AspNetCore.Components;

namespace Apm.Web.Pages;

/// <summary>Who calls whom: a map (js/topology.js draws it) and the same calls as a table.</summary>
public sealed partial class Topology
{
    /// <summary>Rows before "all": a table of more is exported or filtered, not read.</summary>
    private const int FirstEdges = 200;

    /// <summary>On a map with more lines only those that fail, and those pointed at, say their figures.</summary>
    private const int MostLabels = 40;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private TopologyGraph _all = TopologyGraph.Empty;
    private TopologyEdge[] _edges = [];
    private Dictionary<string, TopologyNode> _nodes = [];
    private HashSet<TopologyEdge> _hidden = [];
    private ScanInfo? _scan;
    private string?[] _beyond = [];
    private int _edgesCut;
    private bool _grouped, _shared;
    private string _json = "", _show = "", _of = "", _mode = "errors", _sort = "errors";

    private bool HasMap => !Loading && Failure is null && _all.Nodes.Count > 0;

    private int Peers => _all.Nodes.Count(node => node.Type is not ("service" or "entry"));

    private int Unhealthy => _all.Edges.Count(edge => edge.State != "ok");

    protected override async Task LoadAsync(CancellationToken cancellationToken)
    {
        var values = Page.State.Values;
        (_show, _of, _sort) = (values.GetValueOrDefault("show") == "bad" ? "bad" : "", values.GetValueOrDefault("of", ""), values.GetValueOrDefault("esort", "errors"));
        _mode = values.GetValueOrDefault("edges") is "latency" or "rate" ? values["edges"] : "errors";
        _grouped = values.GetValueOrDefault("by") == "env";

        var against = Comparing.Of(Page.State);
        var recentFrom = Page.State.ToUnixNano - (long)((Page.State.ToUnixNano - Page.State.FromUnixNano) * ServiceRow.RecentShare);
        var services = Api.ServicesAsync(Page.Range().Add("step", Steps.For(Page.State, 30)), cancellationToken);
        var servicesBefore = Api.ServicesAsync(against.Range(Page.State), cancellationToken);
        var edges = Api.DependenciesAsync(Page.Range(), cancellationToken);
        var recent = Api.DependenciesAsync(new ApiParameters().Add("from", recentFrom).Add("to", Page.State.ToUnixNano), cancellationToken);
        var before = Api.DependenciesAsync(against.Range(Page.State), cancellationToken);
        var requests = Api.RedAsync(Page.Range().Add("q", "kind = server").Add("by", "resource.service.name"), cancellationToken);
        // All are awaited before the first failure is shown, so none is left to fail unseen.
        await Task.WhenAll(services, servicesBefore, edges, recent, before, requests);

        var rows = ServiceRow.Join(await services, await servicesBefore);
        _scan = (await edges).Scan is { Complete: false } cut ? cut : (await services).Scan;
        _beyond =
        [
            (await edges).Truncated ? T["Topology.CallsCut", Format.Integer((await edges).Edges.Length)] : null,
            (await services).Others is { } others ? T["Services.Beyond", Format.Integer(others.Count), Format.Integer(rows.Length)] : null,
        ];
        _all = TopologyGraph.Of(
            rows, (await edges).Edges, (await recent).Edges, (await before).Edges, (Page.State.ToUnixNano - Page.State.FromUnixNano) / 1e9, Page.State.Environment,
            // Where calls are missing, what they would explain looks as if it came from outside.
            (await edges).Truncated ? [] : (await requests).Groups, T["Topology.Outside"]);
        _nodes = _all.Nodes.ToDictionary(node => node.Key, StringComparer.Ordinal);
        _shared = Page.State.Environment.Length > 0 && _all.Nodes.Any(node => node.Type == "service" && node.Environments.Count > 1);
        foreach (var name in _all.Nodes.Where(node => node.Type == "service").Select(node => node.Name).Order(StringComparer.Ordinal))
            _ = Page.Colors[name];
        _json = JsonSerializer.Serialize(_all, s_json);
        SetEdges();
    }

    private void SetEdges()
    {
        var around = _of.Length > 0 && _nodes.ContainsKey(_of) ? _all.Around(_of).Edges.Select(edge => edge.Key).ToHashSet(StringComparer.Ordinal) : null;
        bool IsShown(TopologyEdge edge) => around is null ? _show != "bad" || edge.State != "ok" : around.Contains(edge.Key);
        Func<TopologyEdge, double> value = _sort switch
        {
            "calls" => edge => edge.Now.Rate,
            "p50" => edge => edge.Now.P50Nano ?? -1,
            "p95" => edge => edge.Now.P95Nano ?? -1,
            "p99" => edge => edge.Now.P99Nano ?? -1,
            _ => edge => (edge.State switch { "bad" => 20, "warn" => 10, _ => 0 }) + edge.Now.WorstErrorRate,
        };
        var ascending = Page.State.Values.GetValueOrDefault("esortdir") == "asc";
        var sorted = ascending ? _all.Edges.OrderBy(value) : _all.Edges.OrderByDescending(value);
        // Those that the view hides are there too, as the map's controls show them without asking the server.
        _edges = [.. sorted.ThenByDescending(edge => edge.Now.Count).ThenBy(edge => edge.Key, StringComparer.Ordinal).OrderByDescending(IsShown)];
        _hidden = _edges.Where(edge => !IsShown(edge)).ToHashSet();
        if (_edges.Length > FirstEdges && Page.State.Values.GetValueOrDefault("all") != "1")
        {
            _edgesCut = _edges.Length;
            _edges = _edges[..FirstEdges];
        }
    }

    private TopologyNode NodeOf(string key) => _nodes[key];

    /// <summary>What the key of the URL names; the key itself when it is not on the map.</summary>
    private string NameOf(string key) => _nodes.TryGetValue(key, out var node) ? node.Name : key[(key.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private RenderFragment Side(string key) => builder =>
    {
        var node = NodeOf(key);
        if (node.Type == "service")
        {
            builder.OpenComponent<ServiceName>(0);
            builder.AddComponentParameter(1, nameof(ServiceName.Name), node.Name);
            builder.AddComponentParameter(2, nameof(ServiceName.Href), Paths.Service(Page, node.Name));
        }
        else
        {
            builder.OpenComponent<PeerName>(3);
            builder.AddComponentParameter(4, nameof(PeerName.Name), node.Name);
            builder.AddComponentParameter(5, nameof(PeerName.Type), node.Type);
            builder.AddComponentParameter(6, nameof(PeerName.System), node.System);
        }
        builder.CloseComponent();
    };

    private static string Raw(double? value) => value?.ToString("R", CultureInfo.InvariantCulture) ?? "";
}
