using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Web.Tests;

/// <summary>
/// Answers /api/v1 as docs/http-api.md says, with one story: six minutes before <c>now</c> payments 2.14.0 was deployed; its calls to the bank API time out for
/// card.network = amex. The numbers follow from the range asked for, so a page looks alike at any time.
/// </summary>
internal sealed class FakeQuery(TimeProvider time)
{
    private const long SecondNano = 1_000_000_000;

    /// <summary>Names that would be markup, were they not encoded.</summary>
    public const string Hostile = "<img src=x onerror=alert(1)></script>\"'&";

    /// <summary>What the API answers with; a test changes it before it asks for a page.</summary>
    public FakeMode Mode { get; set; }

    public List<string> Requests { get; } = [];

    private long Now => (time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.Ticks) * 100;

    private long Deploy => Now - 360 * SecondNano;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        var api = endpoints.MapGroup("/api/v1").AddEndpointFilter(async (context, next) =>
        {
            lock (Requests)
                Requests.Add(context.HttpContext.Request.Path + context.HttpContext.Request.QueryString);
            return Mode switch
            {
                FakeMode.Starting => Results.Problem(title: "Starting", detail: "The store is opening 12 parts.", statusCode: 503),
                FakeMode.BadFilter => Results.Problem(new Microsoft.AspNetCore.Mvc.ProblemDetails
                {
                    Status = 400,
                    Title = "Bad filter",
                    Detail = "line 1, column 12: 100 has no unit",
                    Extensions = { ["parameter"] = "q", ["line"] = 1, ["column"] = 12, ["expected"] = new[] { "a duration" } },
                }),
                FakeMode.Garbage => Results.Text("<html>proxy</html>", "text/html"),
                FakeMode.Failing => Results.Text("boom", "text/plain", statusCode: 500),
                _ => await next(context),
            };
        });
        api.MapGet("/services", (HttpContext context) => Mode == FakeMode.Empty ? new { services = Array.Empty<object>(), peers = Array.Empty<object>(), scan = Scan } : (object)Services(Range.Of(context, Now)));
        api.MapGet("/operations", (HttpContext context) => new { operations = Mode == FakeMode.Empty ? [] : Operations(context.Request.Query["service"]), others = Others, scan = Scan });
        api.MapGet("/dependencies", () => new { edges = Mode == FakeMode.Empty ? [] : Edges, truncated = Mode == FakeMode.Capped, scan = Mode == FakeMode.Cut ? CutScan : Scan });
        api.MapGet("/spans/red", (HttpContext context) => Red(Range.Of(context, Now), context.Request.Query["by"].ToArray()!, context.Request.Query["q"] == "kind = server"));
        api.MapGet("/spans/heatmap", (HttpContext context) => Heatmap(Range.Of(context, Now)));
        api.MapGet("/spans/facets", (HttpContext context) => SpanFacets(context));
        api.MapGet("/spans/compare", () => Compare);
        api.MapGet("/attributes", () => new { names = Names });
        api.MapGet("/attributes/values", (HttpContext context) => new { values = Values(context.Request.Query["field"]!), scan = Scan });
        api.MapGet("/filter/parse", (string? q) => q?.Contains("???", StringComparison.Ordinal) == true
            ? Results.Problem(new Microsoft.AspNetCore.Mvc.ProblemDetails { Status = 400, Title = "Bad filter", Detail = "unexpected ?", Extensions = { ["line"] = 1, ["column"] = 3, ["expected"] = new[] { "a field" } } })
            : Results.Json(new { }));
        api.MapGet("/filter/complete", (string? q) => new
        {
            replaceFrom = (q ?? "").LastIndexOf(' ') + 1,
            replaceTo = (q ?? "").Length,
            expecting = q?.EndsWith("= ", StringComparison.Ordinal) == true ? "value" : "field",
            items = q?.EndsWith("= ", StringComparison.Ordinal) == true
                ? new object[] { new { text = "\"amex\"", kind = "value", detail = "4,150" }, new { text = "\"amazon_pay\"", kind = "value", detail = "12" } }
                : [new { text = "span.card.network", kind = "attribute", detail = "22,320" }, new { text = "duration", kind = "intrinsic", detail = "duration" }],
        });
        api.MapGet("/traces", () => new { traces = Array.Empty<object>(), matchedSpans = 0, matchedTraces = 0, nextCursor = (string?)null, scan = Scan });
        FakeLogs.Map(api, () => Now, () => Mode);
        api.MapGet("/platform/storage", () => FakeStorage.Answer(Now, Mode));
        api.MapGet("/ingest", () => FakeIngest.Answer(Now, Mode == FakeMode.Empty));
    }

    public static readonly object Scan = new { complete = true, stoppedBy = (string?)null, partsRead = 4, partsSkipped = 20, rollupsRead = 3, blocksRead = 30, blocksSkipped = 90, rowsScanned = 69469, bytesRead = 4_000_000, elapsedMs = 12.5 };

    private static readonly object CutScan = new { complete = false, stoppedBy = "time", partsRead = 4, partsSkipped = 20, rollupsRead = 3, blocksRead = 30, blocksSkipped = 90, rowsScanned = 69469, bytesRead = 4_000_000, elapsedMs = 10_000.0 };

    public static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    private object Services(Range range)
    {
        object Service(string name, string language, string version, string? previous, long? changed, int instances, double rate, double failing, double before, double p50, double p95, double p95Now, double p99, double apdex)
        {
            var bad = range.To > Deploy ? Math.Clamp((double)(range.To - Math.Max(range.From, Deploy)) / (range.To - range.From), 0, 1) : 0;
            var errorRate = before + (failing - before) * bad;
            var count = (long)(rate * range.Seconds);
            return new
            {
                name, language, version, previousVersion = previous, versionChangedUnixNano = changed is { } at ? Text(at) : null, instances, rate, errorRate,
                p50Nano = p50 * 1e6, p95Nano = (bad > 0 ? p95Now : p95) * 1e6, p99Nano = (bad > 0 ? Math.Max(p99, p95Now * 1.01) : p99) * 1e6, apdex, count, errors = (long)(count * errorRate),
                series = new
                {
                    startUnixNano = Text(range.From), stepNano = range.StepNano,
                    count = range.Each(i => (long)(rate * range.StepNano / 1e9 * (1 + 0.04 * Wave(i, rate)))),
                    errors = range.Each(i => (long)(rate * range.StepNano / 1e9 * (range.At(i) >= Deploy ? failing : before))),
                    p95Nano = range.Each(i => (range.At(i) >= Deploy ? p95Now : p95) * 1e6 * (1 + 0.05 * Wave(i, p95))),
                },
            };
        }
        var day = 86400 * SecondNano;
        var services = new List<object>
        {
            Service("payments", "dotnet", "2.14.0", "2.13.4", Deploy, 3, 12.4, 0.186, 0.004, 96, 164, 5280, 231, 0.81),
            Service("storefront", "dotnet", "5.31.2", "5.31.1", Now - 2 * day, 6, 214, 0.012, 0.001, 38, 232, 246, 612, 0.97),
            Service("recommendation", "python", "1.19.3", null, Now - 5 * day, 2, 39.6, 0.003, 0.003, 24, 118, 118, 310, 0.98),
            Service("identity", "dotnet", "3.2.0", null, Now - 12 * day, 2, 46.2, 0.002, 0.002, 11, 36, 36, 70, 1),
            Service("cart", "dotnet", "3.8.1", null, Now - 9 * day, 3, 61.8, 0.001, 0.001, 6, 22, 22, 41, 1),
            Service("shipping", "go", "2.6.4", null, Now - 3 * day, 2, 24.8, 0.001, 0.001, 31, 84, 84, 140, 1),
            Service("catalog", "dotnet", "4.2.0", null, Now - day, 4, 148, 0, 0, 9, 38, 38, 402, 0.99),
            Service("notifier", "nodejs", "1.4.7", null, null, 1, 12.4, 0, 0, 14, 47, 47, 88, 1),
        };
        if (Mode == FakeMode.Hostile)
            services.Insert(0, Service(Hostile, "go", Hostile, Hostile, Deploy, 1, 1, 0.5, 0, 5, 10, 10, 11, 0.5));
        return new { services, others = Others, identitiesTruncated = Mode == FakeMode.Capped, peers = Peers, peersTruncated = Mode == FakeMode.Capped, scan = Scan };
    }

    private object? Others => Mode == FakeMode.Capped ? new { count = 4321, errors = 21, rate = 2.4, errorRate = 0.005, p50Nano = 9e6, p95Nano = 80e6, p99Nano = 120e6, totalNano = 1e12 } : null;

    private object[] Peers =>
    [
        Peer("bank API", "external", null, ["payments"], 14.7, 0.31, 88, 2500, 2500, "POST /v2/authorize"),
        Peer("shop", "database", "postgresql", ["payments", "cart", "identity", "catalog", "shipping", "storefront"], 312, 0, 1.1, 6.4, 18, "INSERT INTO payments (…)"),
        Peer("catalog", "database", "postgresql", ["catalog"], 1284, 0, 1.3, 4.8, 22, Mode == FakeMode.Hostile ? Hostile : "SELECT … FROM stock WHERE sku = $1 …"),
        Peer("cache", "database", "redis", ["cart", "identity", "catalog", "payments"], 468, 0, 0.4, 1.2, 3.1, "HGETALL cart:*"),
        Peer("orders", "queue", "rabbitmq", ["storefront", "payments"], 24.8, 0, 2.1, 8, 14, "publish order.placed"),
    ];

    private static object Peer(string name, string type, string? system, string[] callers, double rate, double errorRate, double p50, double p95, double p99, string operation) =>
        new { name, type, system, callers, rate, errorRate, count = (long)(rate * 1800), errors = (long)(rate * 1800 * errorRate), p50Nano = p50 * 1e6, p95Nano = p95 * 1e6, p99Nano = p99 * 1e6, operation };

    private object[] Edges =>
    [
        new { client = "storefront", server = "payments", type = "service", system = (string?)null, operation = "POST /charge", calls = 22320, errors = 4150, p50Nano = 97e6, p95Nano = 5290e6, p99Nano = 5400e6 },
        new { client = "payments", server = Mode == FakeMode.Hostile ? Hostile : "bank API", type = "external", system = (string?)null, operation = "POST /v2/authorize", calls = 26460, errors = 8200, p50Nano = 88e6, p95Nano = 2500e6, p99Nano = 2500e6 },
        new { client = "payments", server = "shop", type = "database", system = "postgresql", operation = "INSERT INTO payments (…)", calls = 89000, errors = 0, p50Nano = 1.9e6, p95Nano = 7.1e6, p99Nano = 18e6 },
        new { client = "payments", server = "cache", type = "database", system = "redis", operation = "GET", calls = 22000, errors = 0, p50Nano = 0.4e6, p95Nano = 1.1e6, p99Nano = 3e6 },
        new { client = "payments", server = "orders", type = "queue", system = "rabbitmq", operation = "publish order.placed", calls = 22000, errors = 0, p50Nano = 2e6, p95Nano = 7.6e6, p99Nano = 12e6 },
    ];

    private static object[] Operations(string? service)
    {
        object Operation(string owner, string name, string kind, double rate, double errorRate, double p50, double p95, double p99) =>
            new { service = owner, name, kind, count = (long)(rate * 1800), rate, errors = (long)(rate * 1800 * errorRate), errorRate, p50Nano = p50 * 1e6, p95Nano = p95 * 1e6, p99Nano = p99 * 1e6, totalNano = rate * 1800 * (p50 + 0.1 * p95) * 1e6 };
        var all = new[]
        {
            Operation("payments", "POST /charge", "server", 12.4, 0.186, 96, 5280, 5310),
            Operation("payments", "POST /refunds", "server", 1.4 / 60, 0, 142, 310, 310),
            Operation("payments", "GET /payments/{id}", "server", 4.2, 0, 8, 21, 30),
            Operation("storefront", "POST /checkout", "server", 12.4, 0.18, 240, 5600, 5800),
        };
        return service is { Length: > 0 } ? all[..3] : all;
    }

    /// <param name="ofServers">All server spans, and not those of payments.</param>
    private object Red(Range range, string[] by, bool ofServers)
    {
        object Group(object?[] key, double rate, double failing, double before, double p50, double p95, double p95Now)
        {
            var series = new
            {
                count = range.Each(i => (long)(rate * range.StepNano / 1e9 * (1 + 0.04 * Wave(i, rate)))),
                errors = range.Each(i => (long)Math.Round(rate * range.StepNano / 1e9 * (range.At(i) >= Deploy ? failing * (1 + 0.05 * Wave(i, 3)) : before))),
                p50Nano = range.Each(i => (double?)(p50 * 1e6 * (1 + 0.05 * Wave(i, p50)))),
                p95Nano = range.Each(i => (double?)((range.At(i) >= Deploy ? p95Now : p95) * 1e6 * (1 + 0.03 * Wave(i, p95)))),
                p99Nano = range.Each(i => (double?)((range.At(i) >= Deploy ? p95Now * 1.02 : p95 * 1.4) * 1e6 * (1 + 0.05 * Wave(i, 7)))),
            };
            var count = series.count.Sum();
            var errors = series.errors.Sum();
            var after = range.To > Deploy;
            return new
            {
                key, overflow = false, count, errors, rate = count / range.Seconds, errorRate = count == 0 ? 0 : (double)errors / count,
                p50Nano = p50 * 1e6, p95Nano = (after ? p95Now : p95) * 1e6, p99Nano = (after ? p95Now * 1.02 : p95 * 1.4) * 1e6, totalNano = count * p50 * 1e6, series = range.HasStep ? series : null,
            };
        }
        object[] groups = by switch
        {
            [] => [Group([], 12.4, 0.186, 0.004, 96, 164, 5280)],
            ["resource.service.name"] when ofServers => Mode == FakeMode.Empty ? [] : [Group(["storefront"], 214, 0.012, 0.001, 38, 232, 246), Group(["payments"], 12.4, 0.186, 0.004, 96, 164, 5280)],
            ["resource.service.name"] => [Group(["payments"], 12.4, 0.186, 0.004, 96, 164, 5280), Group(["cart"], 61.8, 0.001, 0.001, 6, 22, 22)],
            ["resource.service.version"] => [Group(["2.14.0"], 12.4, 0.186, 0.186, 96, 5280, 5280), Group(["2.13.4"], 12.4, 0.004, 0.004, 96, 164, 164)],
            _ => [.. Enumerable.Range(0, 3).Select(i => Group([.. by.Select(field => field.Contains("instance", StringComparison.Ordinal) || field.Contains("host", StringComparison.Ordinal) ? $"payments-7c9d-{i}" : (object?)"2.14.0")], 4.1 + 0.1 * i, 0.186, 0.004, 96, 164, 5280))],
        };
        return new { startUnixNano = Text(range.From), stepNano = range.StepNano, steps = range.Steps, groups, scan = Scan };
    }

    private object Heatmap(Range range)
    {
        double[] bounds = [20, 30, 45, 67, 100, 150, 225, 337, 506, 759, 1139, 1708, 2562, 3844, 5766, 8649];
        var rows = new List<object>();
        for (var row = bounds.Length - 2; row >= 0; row--)
        {
            var density = row switch { 4 => 60, 3 => 40, 5 => 22, 2 => 6, 6 => 9, 7 => 2, _ => 0 };
            var at = row;
            var errors = range.Each(i => bounds[at] == 3844 && range.At(i) >= Deploy ? (long)(40 + 8 * Wave(i, 1)) : at == 2 && i == 37 ? 1L : 0L);
            var count = range.Each(i => errors[i] + Math.Max(0, (long)(density * (1 + 0.6 * Wave(i * 3 + at, density + 1)))));
            if (count.Any(n => n > 0))
                rows.Add(new { fromNano = bounds[row] * 1e6, toNano = bounds[row + 1] * 1e6, count, errors });
        }
        return new { startUnixNano = Text(range.From), stepNano = range.StepNano, steps = range.Steps, rows, scan = Scan };
    }

    private object SpanFacets(HttpContext context)
    {
        var fields = context.Request.Query["field"].ToArray();
        object Value(object value, long count, long errors) => new { value, count, errors };
        var exceptions = new object[] { Value(Mode == FakeMode.Hostile ? Hostile : "System.TimeoutException", 1592, 1592), Value("BankUnavailableException", 796, 796), Value("CardDeclinedException", 412, 0) };
        return new
        {
            matched = 22320,
            facets = fields.Select(field => new { field, present = 2800, distinct = 3, truncated = false, values = field == "event.exception.type" ? exceptions : [Value("a", 10, 1)] }),
            scan = Scan,
        };
    }

    private object Compare => new
    {
        inside = 4150,
        outside = 18170,
        attributes = new object[]
        {
            new { field = "span.http.response.status_code", difference = 1.0, values = new object[] { new { value = 502, inside = 1.0, outside = 0.0 } } },
            new { field = Mode == FakeMode.Hostile ? "span." + Hostile : "span.card.network", difference = 0.93, values = new object[] { new { value = Mode == FakeMode.Hostile ? Hostile : "amex", inside = 1.0, outside = 0.07 }, new { value = "visa", inside = 0.0, outside = 0.6 } } },
        },
        scan = Scan,
    };

    private static object[] Names => [.. new[] { ("resource", "service.name"), ("resource", "service.version"), ("resource", "deployment.environment.name"), ("span", "card.network"), ("span", "http.route"), ("span", "http.response.status_code"), ("event", "exception.type"), ("log", "card.network") }
        .Select(name => new { scope = name.Item1, key = name.Item2, field = $"{name.Item1}.{name.Item2}", records = 22320 })];

    private object[] Values(string field) => field switch
    {
        "resource.deployment.environment.name" => [new { value = "production", count = 200000 }, new { value = "staging", count = 4000 }, .. Mode == FakeMode.Hostile ? new object[] { new { value = Hostile, count = 1 } } : []],
        "span.card.network" => [new { value = "visa", count = 13000 }, new { value = "amex", count = 4150 }, new { value = "amazon_pay", count = 12 }],
        "resource.service.name" => [new { value = "payments", count = 22320 }, new { value = "storefront", count = 385200 }],
        _ => [new { value = "a", count = 10 }],
    };

    /// <summary>Between -1 and 1, the same for the same input.</summary>
    public static double Wave(int i, double seed) => Math.Sin(i * 12.9898 + seed * 78.233) * 0.7 + Math.Sin(i * 1.7 + seed) * 0.3;

    /// <summary>The range and step of a request.</summary>
    internal readonly record struct Range(long From, long To, long StepNano, bool HasStep)
    {
        public double Seconds => (To - From) / 1e9;

        public int Steps => (int)((To - From + StepNano - 1) / StepNano);

        public long At(int step) => From + step * StepNano;

        public T[] Each<T>(Func<int, T> value) => [.. Enumerable.Range(0, Steps).Select(value)];

        public static Range Of(HttpContext context, long now)
        {
            var from = Read(context.Request.Query["from"], now, now - 3600 * SecondNano);
            var to = Read(context.Request.Query["to"], now, now);
            var step = context.Request.Query["step"].ToString();
            var seconds = step.Length > 1 ? long.Parse(step[..^1], CultureInfo.InvariantCulture) : Math.Max(1, (to - from) / SecondNano / 60);
            return new Range(from, to, seconds * SecondNano, step.Length > 0);
        }

        private static long Read(string? text, long now, long otherwise) =>
            text is { Length: > 0 } && TimeExpression.TryParse(text, DateTimeOffset.UnixEpoch.AddTicks(now / 100), out var at) ? at : otherwise;
    }
}

public enum FakeMode
{
    Story,
    Empty,
    /// <summary>Started a minute ago: all rows are in memory.</summary>
    Young,
    /// <summary>The query of calls was stopped by its limit of time.</summary>
    Cut,
    /// <summary>There are more services, operations, instances and calls than are told apart.</summary>
    Capped,
    Hostile,
    Starting,
    BadFilter,
    Garbage,
    Failing,
}
