using System.Text.Json;
using Apm.Web.Api;
using Microsoft.AspNetCore.Components;

namespace Apm.Web.Pages;

/// <summary>One service: RED, what it calls, what fails, what changed with its version.</summary>
public sealed partial class Service
{
    /// <summary>Points of a chart: one every 4 to 8 pixels.</summary>
    private const int ChartPoints = 120;

    /// <summary>Operations shown before "all".</summary>
    private const int FirstOperations = 12;

    /// <summary>Less of a step than this says nothing about a rate.</summary>
    private const double LeastCovered = 0.5;

    private const int MostInstances = 50, MostExceptions = 8;

    private ServiceRow? _row;
    private RedGroup? _total;
    private VersionChange? _change;
    private Cause? _cause;
    private ScanInfo? _scan;
    private string?[] _beyond = [];
    private DependencyEdge[] _edges = [];
    private OperationSummary[] _operations = [];
    private RedGroup[] _instances = [];
    private FacetValue[] _exceptions = [];
    private double _operationTime;
    private int _operationsCut;
    private string _operationSort = "time", _requests = "", _marks = "[]", _rateSeries = "", _errorSeries = "", _durationSeries = "";

    [Parameter] public string Name { get; set; } = "";

    /// <summary>The length of "lately".</summary>
    private long RecentNano => (long)((Page.State.ToUnixNano - Page.State.FromUnixNano) * ServiceRow.RecentShare);

    private double Seconds => (Page.State.ToUnixNano - Page.State.FromUnixNano) / 1e9;

    protected override async Task LoadAsync(CancellationToken cancellationToken)
    {
        _operationSort = Page.State.Values.GetValueOrDefault("osort", "time");
        var own = FilterText.And(Page.State.EffectiveFilter, Paths.ServiceTerm(Name));
        _requests = FilterText.And(own, "(kind = server || kind = consumer || span:parentID = nil)");
        var list = Api.ServicesAsync(Page.Range().Add("step", Steps.For(Page.State, 30)), cancellationToken);
        var earlier = Api.ServicesAsync(Comparing.Of(Page.State).Range(Page.State), cancellationToken);
        var red = Api.RedAsync(Page.Range().Add("q", _requests).Add("step", Steps.For(Page.State, ChartPoints)), cancellationToken);
        var operations = Api.OperationsAsync(Page.Range().Add("service", Name), cancellationToken);
        var dependencies = Api.DependenciesAsync(Page.Range(), cancellationToken);
        var instances = Api.RedAsync(
            Page.Range().Add("q", _requests).Add("by", "resource.service.instance.id").Add("by", "resource.host.name").Add("by", "resource.service.version"), cancellationToken);
        var exceptions = Api.SpanFacetsAsync(Page.Range().Add("q", own).Add("field", "event.exception.type").Add("limit", MostExceptions), cancellationToken);
        // All are awaited before the first failure is shown, so none is left to fail unseen.
        await Task.WhenAll(list, earlier, red, operations, dependencies, instances, exceptions);

        _row = ServiceRow.Join(await list, await earlier).FirstOrDefault(row => row.Now.Name == Name);
        var measured = await red;
        _scan = measured.Scan;
        _total = measured.Groups.FirstOrDefault(group => group.Count > 0);
        if (_row is null || _total is null)
            return;
        _edges = [.. (await dependencies).Edges.Where(edge => edge.Client == Name && (edge.Type != "service" || edge.Server != Name))
            .OrderByDescending(edge => edge.Calls == 0 ? 0 : (double)edge.Errors / edge.Calls).ThenByDescending(edge => edge.Calls)];
        SetOperations((await operations).Operations);
        var told = (await instances).Groups.Where(group => !group.Overflow).OrderByDescending(group => group.Count).ToArray();
        _instances = [.. told.Take(MostInstances)];
        _beyond =
        [
            (await operations).Others is { } others ? T["Service.OperationsBeyond", Format.Integer(others.Count), Format.Integer((await operations).Operations.Length)] : null,
            told.Length > MostInstances || (await instances).Groups.Length > told.Length
                ? T["Service.InstancesBeyond", Format.Integer((await instances).Groups.Sum(group => group.Count) - _instances.Sum(group => group.Count)), Format.Integer(_instances.Length)]
                : null,
            (await dependencies).Truncated ? T["Topology.CallsCut", Format.Integer((await dependencies).Edges.Length)] : null,
        ];
        _exceptions = (await exceptions).Facets.FirstOrDefault(facet => facet.Field == "event.exception.type")?.Values ?? [];
        SetCharts(measured, _total);
        await ExplainAsync((await dependencies).Edges, cancellationToken);
    }

    private void SetOperations(OperationSummary[] all)
    {
        Func<OperationSummary, double> value = _operationSort switch
        {
            "rate" => operation => operation.Rate,
            "errors" => operation => operation.ErrorRate,
            "p50" => operation => operation.P50Nano ?? -1,
            "p95" => operation => operation.P95Nano ?? -1,
            "p99" => operation => operation.P99Nano ?? -1,
            _ => operation => operation.TotalNano,
        };
        var sorted = Page.State.Values.GetValueOrDefault("osortdir") == "asc" ? all.OrderBy(value) : all.OrderByDescending(value);
        _operations = [.. sorted];
        _operationTime = all.Sum(operation => operation.TotalNano);
        if (Page.State.Values.GetValueOrDefault("ops") != "all" && _operations.Length > FirstOperations)
        {
            _operationsCut = _operations.Length;
            _operations = _operations[..FirstOperations];
        }
    }

    private void SetCharts(RedResult red, RedGroup total)
    {
        if (total.Series is not { } series || red.StartUnixNano is not { } start || red.StepNano is not { } step)
            return;
        var seconds = step / 1e9;
        string Json(params IReadOnlyList<double?>[] values) => JsonSerializer.Serialize(new { start = start / 1e9, step = seconds, values });
        _rateSeries = Json([.. series.Count.Select((count, i) => Covered(start + i * step, step) is > LeastCovered and var covered ? (double?)(count / (seconds * covered)) : null)]);
        _errorSeries = Json([.. series.Count.Zip(series.Errors, (count, errors) => count == 0 ? null : (double?)errors / count)]);
        _durationSeries = Json(series.P50Nano, series.P99Nano, series.P95Nano);
        if (_row!.Now is { VersionChangedUnixNano: { } changed, Version: { Length: > 0 } version })
            _marks = JsonSerializer.Serialize(new[] { new { seconds = changed / 1e9, label = Paths.Version(version) } });
    }

    /// <summary>The share of a step that lies in the range: the first and the last are cut, as steps are aligned to the clock.</summary>
    private double Covered(long startUnixNano, long stepNano) =>
        (double)(Math.Min(startUnixNano + stepNano, Page.State.ToUnixNano) - Math.Max(startUnixNano, Page.State.FromUnixNano)) / stepNano;

    /// <summary>Compares before and after the deploy, when it is in the range; and looks for the cause when the service fails.</summary>
    private async Task ExplainAsync(DependencyEdge[] edges, CancellationToken cancellationToken)
    {
        var now = _row!.Now;
        if (now is { VersionChangedUnixNano: { } changed, Version: { Length: > 0 } version } && changed > Page.State.FromUnixNano && changed < Page.State.ToUnixNano)
        {
            var before = Api.RedAsync(new ApiParameters().Add("from", Page.State.FromUnixNano).Add("to", changed).Add("q", _requests), cancellationToken);
            var after = Api.RedAsync(new ApiParameters().Add("from", changed).Add("to", Page.State.ToUnixNano).Add("q", _requests), cancellationToken);
            if ((await before).Groups.FirstOrDefault() is { Count: > 0 } was && (await after).Groups.FirstOrDefault() is { Count: > 0 } becomes
                && new VersionChange(version, was, becomes) is { IsNotable: true } change)
            {
                _change = change;
            }
        }
        if (_row.State == "bad")
            _cause = await Cause.ExplainAsync(Api, Page, _row, [], edges, cancellationToken);
    }

    private IEnumerable<string> Facts(ServiceSummary service)
    {
        if (Paths.LanguageName(service.Language) is { Length: > 0 } language)
            yield return language;
        if (service.Version is { Length: > 0 } version)
        {
            yield return service.VersionChangedUnixNano is { } changed
                ? T["Service.Deployed", Paths.Version(version), Page.Ago(changed)] + (service.PreviousVersion is { Length: > 0 } previous ? $" ({T["Services.Was", Paths.Version(previous)]})" : "")
                : Paths.Version(version);
        }
        if (service.Instances > 0)
            yield return T.Count("Services.Instances", service.Instances);
    }

    private string Was(Quantity before) => before.Value == Format.None ? "" : T["Services.Was", before];

    private static string Instance(RedGroup group) => group.KeyText(0) ?? group.KeyText(1) ?? Format.None;

    /// <summary>RED of the requests before and after a version appeared.</summary>
    private sealed record VersionChange(string Version, RedGroup Before, RedGroup After)
    {
        private const double NotablePoints = 0.01, NotableFactor = 1.5;

        public bool IsWorse => After.ErrorRate - Before.ErrorRate >= NotablePoints || After.P95Nano >= NotableFactor * Before.P95Nano;

        public bool IsNotable => IsWorse || Before.ErrorRate - After.ErrorRate >= NotablePoints || Before.P95Nano >= NotableFactor * After.P95Nano;
    }
}
