using System.Text.Json;
using Apm.Web.Api;

namespace Apm.Web.Pages;

/// <summary>
/// Why a service fails, as far as its spans say: which call fails, with which exception, and what the failing spans have in common that the others have not.
/// Everything in it was counted; what the data does not show is null.
/// </summary>
/// <param name="Service">The service where the failure starts: of those that fail, the one that calls no other failing one.</param>
/// <param name="Callers">Failing services on the way to it, outermost first.</param>
/// <param name="Exception">The commonest exception type of its failing spans.</param>
/// <param name="ExceptionShare">Its share of the exceptions, 0–1.</param>
/// <param name="Peer">The call that fails most.</param>
/// <param name="Difference">The attribute value that sets the failing spans apart.</param>
internal sealed record Cause(ServiceRow Service, IReadOnlyList<string> Callers, string? Exception, double ExceptionShare, DependencyEdge? Peer, CauseDifference? Difference)
{
    /// <summary>A chain of calls is followed this far; beyond it the sentence would not help.</summary>
    private const int MaximumSteps = 5;

    /// <summary>A call counts as the failing one from this share of errors.</summary>
    private const double FailingCallRate = 0.05;

    /// <summary>A value is named when at least half of the failing spans have it, and clearly more of them than of the others.</summary>
    private const double LeastShare = 0.5, LeastDifference = 0.3;

    /// <summary>Attributes that say that a span failed, or which one it is, not why.</summary>
    private static readonly HashSet<string> Symptoms = new(StringComparer.Ordinal)
    {
        "status", "statusMessage", "name", "kind", "duration", "span.error.type", "span.http.response.status_code", "span.http.status_code",
        "span.rpc.grpc.status_code", "span.otel.status_code", "span.otel.status_description", "span.error", "resource.service.name", "span.exception.type",
        "span.exception.message", "event.exception.type", "event.exception.message", "event.exception.stacktrace", "span.http.request.resend_count",
    };

    /// <summary>The filter of the failing spans that the sentence speaks of.</summary>
    public string Filter => FilterText.And(Paths.ServiceTerm(Service.Now.Name), "status = error", Difference?.Term ?? "");

    /// <summary>Follows failing calls from the worst service down, then asks what is special about the spans that fail there.</summary>
    public static async Task<Cause?> FindAsync(QueryClient api, PageContext page, IReadOnlyList<ServiceRow> rows, CancellationToken cancellationToken)
    {
        var failing = rows.Where(row => row.State == "bad").OrderByDescending(row => row.Now.Errors).ToDictionary(row => row.Now.Name, StringComparer.Ordinal);
        if (failing.Count == 0)
            return null;
        var edges = (await api.DependenciesAsync(page.Range(), cancellationToken)).Edges;
        var current = failing.Values.First();
        var callers = new List<string>();
        for (var step = 0; step < MaximumSteps; step++)
        {
            var next = edges.Where(edge => edge.Type == "service" && edge.Client == current.Now.Name && Fails(edge) && failing.ContainsKey(edge.Server))
                .MaxBy(edge => edge.Errors);
            if (next is null || next.Server == current.Now.Name || callers.Contains(next.Server))
                break;
            callers.Add(current.Now.Name);
            current = failing[next.Server];
        }
        return await ExplainAsync(api, page, current, callers, edges, cancellationToken);
    }

    public static async Task<Cause> ExplainAsync(
        QueryClient api, PageContext page, ServiceRow service, IReadOnlyList<string> callers, DependencyEdge[] edges, CancellationToken cancellationToken)
    {
        var own = FilterText.And(page.State.EffectiveFilter, Paths.ServiceTerm(service.Now.Name));
        // Spans that answer a request: what is true of them is not diluted by the calls that they make.
        var comparing = api.CompareAsync(page.Range().Add("q", FilterText.And(own, "(kind = server || kind = consumer || span:parentID = nil)")).Add("box", "status = error"), cancellationToken);
        var exceptions = await api.SpanFacetsAsync(
            page.Range().Add("q", FilterText.And(own, "status = error")).Add("field", "event.exception.type").Add("limit", 5), cancellationToken);
        var peer = edges.Where(edge => edge.Client == service.Now.Name && edge.Type != "service" && Fails(edge)).MaxBy(edge => edge.Errors);
        var types = exceptions.Facets.FirstOrDefault(facet => facet.Field == "event.exception.type");
        var commonest = types?.Values.Where(value => value.Value.ValueKind == JsonValueKind.String).MaxBy(value => value.Count);
        return new Cause(
            service, callers, commonest?.Value.GetString(), types is { Present: > 0 } && commonest is not null ? Math.Min(1, (double)commonest.Count / types.Present) : 0,
            peer, Distinguish((await comparing).Attributes));
    }

    private static bool Fails(DependencyEdge edge) => edge is { Calls: > 0, Errors: > 2 } && (double)edge.Errors / edge.Calls >= FailingCallRate;

    private static CauseDifference? Distinguish(ComparedAttribute[] attributes)
    {
        foreach (var attribute in attributes)
        {
            if (attribute.Difference < LeastDifference || Symptoms.Contains(attribute.Field) || Identifies(attribute.Field))
                continue;
            var value = attribute.Values.Where(value => value.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)).MaxBy(value => value.Inside - value.Outside);
            if (value is not null && value.Inside >= LeastShare && value.Inside - value.Outside >= LeastDifference)
                return new CauseDifference(attribute.Field, value.Value, value.Inside, value.Outside);
        }
        return null;
    }

    /// <summary>Code locations and thread numbers differ between any two kinds of spans; an instance, its process or its version is said beside the sentence.</summary>
    private static readonly string[] Identifying =
    [
        "span.code.", "span.thread.", "instrumentation", "resource.service.", "resource.process.", "resource.host.", "resource.container.", "resource.k8s.pod.", "event.", "link.",
    ];

    /// <summary>Fields that explain nothing, for a module: whole names, and beginnings of names.</summary>
    public static string UntellingJson { get; } = JsonSerializer.Serialize(new { names = Symptoms.Order(StringComparer.Ordinal), beginnings = Identifying });

    private static bool Identifies(string field) => Array.Exists(Identifying, beginning => field.StartsWith(beginning, StringComparison.Ordinal));
}

/// <summary>A value that failing spans have and others have not. Shares 0–1.</summary>
internal sealed record CauseDifference(string Field, JsonElement Value, double Inside, double Outside)
{
    public string Term => JsonText.Term(Field, Value);

    /// <summary>Without its scope, as one reads it aloud: <c>card.network = "amex"</c>.</summary>
    public string Readable => JsonText.Term(Field[(Field.IndexOf('.', StringComparison.Ordinal) + 1)..], Value);
}
