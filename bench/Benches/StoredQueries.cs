using System.Globalization;
using System.Text.Json;

namespace Apm.Bench;

/// <param name="GateP95">Of the 95th percentile.</param>
/// <param name="GateP99">Of the 99th.</param>
/// <param name="Repeats">Most times it is asked: a scan is asked less often than a look-up.</param>
internal sealed record StoredQuery(string Name, Func<string> Path, Gate? GateP95 = null, Gate? GateP99 = null, int Repeats = int.MaxValue);

/// <summary>What on-call engineers ask of the spans that <see cref="SpanGenerator"/> made. Used by one thread.</summary>
internal sealed class StoredQueries
{
    private const int Scans = 20;

    /// <summary>A day, and what runs over its ends.</summary>
    private const string Day = "from=now-24h&to=now";

    private const string Everything = "from=now-30d&to=now%2B1h";

    /// <summary>Order ids looked up, of spans that are stored.</summary>
    private const int Orders = 50;

    private readonly IReadOnlyList<TraceSample> _traces;
    private readonly List<string> _orders = [];
    private SeededRandom _random = new(7);

    private StoredQueries(IReadOnlyList<TraceSample> traces) => _traces = traces;

    public static async Task<StoredQueries> CreateAsync(Server server, IReadOnlyList<TraceSample> traces)
    {
        var queries = new StoredQueries(traces);
        for (var i = 0; i < traces.Count && queries._orders.Count < Orders; i++)
        {
            using var answer = JsonDocument.Parse(await server.Client.GetStringAsync(TracePath(traces[i])));
            queries._orders.AddRange(answer.RootElement.GetProperty("spans").EnumerateArray().SelectMany(Order));
        }
        return queries;
    }

    public StoredQuery Trace => new("trace by id", () => TracePath(_traces[_random.Below(_traces.Count)]), GateP99: Gate.TraceWarm);

    /// <param name="spans">Spans stored, for the gates that depend on it.</param>
    public IEnumerable<StoredQuery> All(long spans)
    {
        yield return Trace;
        yield return new("trace outline", () => $"{TracePath(_traces[_random.Below(_traces.Count)])}/outline");
        yield return new("newest 20, everything", () => Newest("{ }"), Gate.Newest(spans));
        yield return new("newest 20, a service", () => Newest($"{{ resource.service.name = \"{Service()}\" }}"), Gate.Newest(spans));
        yield return new("newest 20, a service and a duration", () => Newest($"{{ resource.service.name = \"{Service()}\" && duration > 20ms }}"), Gate.Newest(spans));
        yield return new("newest 20, errors of a service", () => Newest($"{{ resource.service.name = \"{Service()}\" && status = error }}"), Gate.Newest(spans));
        yield return new("newest 20, a tenant", () => Newest($"{{ span.app.tenant = \"tenant-{_random.Below(200)}\" }}"), Gate.Newest(spans));
        yield return new("newest 20, a status code", () => Newest("{ span.http.response.status_code = 503 }"), Gate.Newest(spans));
        if (_orders.Count > 0)
        {
            yield return new("exact value, present", () => Newest($"{{ span.app.order.id = \"{_orders[_random.Below(_orders.Count)]}\" }}"), Gate.ExactValue);
        }
        yield return new("exact value, absent", () => Newest($"{{ span.app.order.id = \"ord-{_random.Next() & 0xffffffffffff:x12}\" }}"), Gate.ExactValue);
        yield return new("full scan, count one attribute", () => Red("{ span.http.response.status_code = 503 }"), Gate.FullScan(spans), Repeats: Scans);
        yield return new("full scan, three predicates", () => Red("{ kind = server && duration > 10ms && span.http.route = \"/api/v1/orders/{id}\" }"), Gate.FullScan(spans), Repeats: Scans);
        yield return new("text, a part of a raw value", () => Red($"{{ span.url.path contains \"{_random.Below(900_000) + 100_000}\" }}"), Gate.Text(spans), Repeats: Scans);
        yield return new("text, a part of a dictionary value", () => Red("{ span.db.query.text contains \"join stock\" }"), Gate.Text(spans), Repeats: Scans);
        foreach (var dashboard in Dashboards())
        {
            yield return dashboard;
        }
        yield return new("heatmap, 24 h", () => $"api/v1/spans/heatmap?{Day}&step=10m", Repeats: Scans);
        yield return new("facets of errors, 24 h", () => $"api/v1/spans/facets?{Day}&q={Uri.EscapeDataString("{ status = error }")}", Repeats: Scans);
    }

    /// <summary>What a team on call asks while things go wrong: mostly single traces and short lists, now and then a page that looks at a day.</summary>
    public IReadOnlyList<StoredQuery> Mix(Func<TraceSample?> recent) =>
    [
        new("recent trace by id", () => TracePath(recent() ?? _traces[0])),
        new("newest 20, errors of a service", () => Newest($"{{ resource.service.name = \"{Service()}\" && status = error }}", "from=now-15m&to=now")),
        new("newest 20, a service and a duration", () => Newest($"{{ resource.service.name = \"{Service()}\" && duration > 20ms }}", "from=now-15m&to=now")),
        new("services page, 1 h", () => "api/v1/services?from=now-1h&to=now&step=60s"),
        new("topology, 1 h", () => "api/v1/dependencies?from=now-1h&to=now"),
    ];

    public static StoredQueries ForMix(TraceSample first) => new([first]);

    private IEnumerable<StoredQuery> Dashboards()
    {
        yield return new("services page, 24 h", () => $"api/v1/services?{Day}&step=10m", Gate.Dashboard, Repeats: 5 * Scans);
        yield return new("operations of a service, 24 h", () => $"api/v1/spans/red?{Day}&step=10m&by=name&q={Uri.EscapeDataString($"{{ resource.service.name = \"{Service()}\" }}")}", Gate.Dashboard, Repeats: 5 * Scans);
        yield return new("topology, 24 h", () => $"api/v1/dependencies?{Day}", Gate.Dashboard, Repeats: 5 * Scans);
    }

    private static IEnumerable<string> Order(JsonElement span) =>
        span.GetProperty("attributes") is { ValueKind: JsonValueKind.Object } attributes && attributes.TryGetProperty("app.order.id", out var order) && order.GetString() is { } id ? [id] : [];

    private static string TracePath(TraceSample trace) => string.Create(CultureInfo.InvariantCulture, $"api/v1/traces/{trace.High:x16}{trace.Low:x16}");

    private static string Newest(string filter, string range = Everything) => $"api/v1/traces?limit=20&{range}&q={Uri.EscapeDataString(filter)}";

    private static string Red(string filter) => $"api/v1/spans/red?{Everything}&q={Uri.EscapeDataString(filter)}";

    private string Service() => Shop.Services[_random.Below(Shop.Services.Count)];
}
