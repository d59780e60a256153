using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Apm.Web.Api;

namespace Apm.Web.Pages;

/// <summary>Log records: how many of what, narrowed by facets, read in a list that pages on or follows.</summary>
public sealed partial class Logs
{
    /// <summary>Rendered with the page; the list asks for more as one scrolls.</summary>
    private const int FirstRecords = 200;

    /// <summary>Bars of the histogram.</summary>
    private const int HistogramSteps = 120;

    private const int ValuesOfAFacet = 6;

    /// <summary>Attributes offered as facets beside the fixed ones.</summary>
    private const int MostAttributes = 3;

    /// <summary>An attribute with more values than this identifies records; as checkboxes it helps nobody.</summary>
    private const int MostDistinct = 200;

    private static readonly string[] FixedFields = ["severity", "resource.service.name", "resource.service.instance.id", "log.exception.type", "instrumentation:name"];

    private JsonElement[] _records = [];
    private LogHistogram? _histogram;
    private List<Facet> _facets = [];
    private ImmutableArray<FacetTerm> _terms = [];
    private ScanInfo? _scan;
    private long? _total;
    private long _errors;
    private string? _cursor;
    private string _json = "[]", _series = "", _termsJson = "[]", _version = "";

    private string Text => Page.State.Values.GetValueOrDefault("text", "");

    private string TraceId => Page.State.Values.GetValueOrDefault("trace", "");

    private bool Tailing => Page.State.Values.GetValueOrDefault("tail") == "1";

    private bool Oldest => Page.State.Values.GetValueOrDefault("order") == "oldest";

    private bool IsEverything => Page.State.EffectiveFilter.Length == 0 && Text.Length == 0 && TraceId.Length == 0;

    protected override async Task LoadAsync(CancellationToken cancellationToken)
    {
        _terms = FacetTerm.Read(Page.State.Filter);
        _termsJson = JsonSerializer.Serialize(_terms.Select(term => new { text = term.Text, field = term.Field }));
        var ofTrace = TraceId.Length > 0 ? FilterText.Equal("trace:id", TraceId) : "";
        var filter = FilterText.And(Page.State.EffectiveFilter, ofTrace);
        ApiParameters Query() => Page.Range().Add("q", filter).Add("text", Text);
        var histogram = Api.LogHistogramAsync(Query().Add("step", Steps.For(Page.State, HistogramSteps)), cancellationToken);
        var facets = FacetsAsync(ofTrace, cancellationToken);
        var records = Tailing
            ? Task.FromResult<LogList?>(null)
            : FirstAsync(Page.Range().Add("q", Page.State.EffectiveFilter).Add("text", Text).Add("traceId", TraceId).Add("order", Oldest ? "oldest" : null).Add("limit", FirstRecords), cancellationToken);
        await Task.WhenAll(histogram, facets, records);
        _histogram = await histogram;
        _facets = await facets;
        _scan = _histogram.Scan;
        _total = _histogram.Totals.Values.Sum();
        _errors = _histogram.Totals.GetValueOrDefault("error") + _histogram.Totals.GetValueOrDefault("fatal");
        _series = JsonSerializer.Serialize(new { start = _histogram.StartUnixNano / 1e9, step = _histogram.StepNano / 1e9, series = _histogram.Series });
        if (await records is { } list)
        {
            _records = list.Records;
            _cursor = list.NextCursor;
            _json = JsonSerializer.Serialize(_records);
            _version = string.Create(CultureInfo.InvariantCulture, $"{_total}-{_records.Length}-{(_records.Length > 0 ? JsonText.Of(_records[0].GetProperty("timeUnixNano")) : "")}");
        }
    }

    private async Task<LogList?> FirstAsync(ApiParameters parameters, CancellationToken cancellationToken) => await Api.LogsAsync(parameters, cancellationToken);

    /// <summary>A field that is filtered is counted without its own term, so that its other values stay to choose from.</summary>
    private async Task<List<Facet>> FacetsAsync(string ofTrace, CancellationToken cancellationToken)
    {
        var fields = FixedFields.ToList();
        var names = await Api.GetAsync<AttributeNames>("attributes", Page.Range().Add("signal", "logs").Add("scope", "log"), cancellationToken);
        fields.AddRange(names.Names.Where(name => name.Scope == "log" && !name.Key.StartsWith("exception.", StringComparison.Ordinal)).OrderByDescending(name => name.Records)
            .Select(name => name.Field).Where(field => !fields.Contains(field)).Take(2 * MostAttributes));
        fields.AddRange(_terms.Select(term => term.Field).OfType<string>().Where(field => !fields.Contains(field)).Distinct());
        var filtered = fields.Where(field => _terms.Any(term => term.Field == field)).ToArray();
        var environment = Page.State.Environment.Length == 0 ? "" : FilterText.Equal(PageState.EnvironmentField, Page.State.Environment);

        Task<FacetList> Ask(string filter, IEnumerable<string> of)
        {
            var parameters = Page.Range().Add("q", FilterText.And(environment, filter, ofTrace)).Add("text", Text).Add("limit", ValuesOfAFacet);
            foreach (var field in of)
                parameters.Add("field", field);
            return Api.LogFacetsAsync(parameters, cancellationToken);
        }
        var asked = filtered.Select(field => Ask(FacetTerm.Without(_terms, field), [field])).Append(Ask(Page.State.Filter, fields.Except(filtered))).ToArray();
        var found = (await Task.WhenAll(asked)).SelectMany(list => list.Facets).ToDictionary(facet => facet.Field, StringComparer.Ordinal);
        var shown = new List<Facet>();
        var attributes = 0;
        foreach (var field in fields)
        {
            if (!found.TryGetValue(field, out var facet) || facet.Values.Length == 0)
                continue;
            var isFixed = FixedFields.Contains(field) || filtered.Contains(field);
            if (!isFixed && (facet.Distinct > MostDistinct || facet.Distinct < 2 || attributes++ >= MostAttributes))
                continue;
            shown.Add(facet);
        }
        return shown;
    }

    private bool IsChecked(string field, string value) => _terms.Any(term => term.Field == field && term.Values.Contains(value));

    private string FacetName(string field) => field switch
    {
        "severity" => T["Logs.Severity"],
        "resource.service.name" => T["Services.Service"],
        "resource.service.instance.id" => T["Service.Instance"],
        "instrumentation:name" => T["Logs.Logger"],
        "log.\"{OriginalFormat}\"" => T["Logs.Template"],
        _ => field[(field.IndexOf('.', StringComparison.Ordinal) + 1)..],
    };

    /// <summary>Loggers and exceptions by their last part; the whole is in the tooltip.</summary>
    private static string ShortValue(string field, string value) =>
        field is "instrumentation:name" or "log.exception.type" && value.Length > 18 ? value[(value.LastIndexOf('.') + 1)..] : value;

    /// <summary>"15 s", "1 min", "1 h": steps are round.</summary>
    private string StepName(long stepNano) => (stepNano / 1_000_000_000) switch
    {
        < 60 and var seconds => Controls.RangeName.Span(Page, seconds.ToString(CultureInfo.InvariantCulture), 's'),
        < 3600 and var seconds => Controls.RangeName.Span(Page, (seconds / 60).ToString(CultureInfo.InvariantCulture), 'm'),
        < 86400 and var seconds => Controls.RangeName.Span(Page, (seconds / 3600).ToString(CultureInfo.InvariantCulture), 'h'),
        var seconds => Controls.RangeName.Span(Page, (seconds / 86400).ToString(CultureInfo.InvariantCulture), 'd'),
    };

    private static string? SeverityClass(string severity) => severity switch { "error" or "fatal" => "bad", "warn" => "warn", _ => null };

    private static string Color(string severity) => severity switch { "error" or "fatal" => "--bad", "warn" => "--warn", "info" => "--c-3", _ => "--c-fill" };
}
