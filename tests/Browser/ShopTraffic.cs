using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Apm.Browser;

/// <summary>
/// A quarter of an hour of a small shop, made up the same way every time and sent over OTLP/HTTP: browsing that is fine, and checkouts of which those
/// with amex time out at the bank since payments v2.14.0.
/// </summary>
internal sealed class ShopTraffic(HttpClient client)
{
    public const int Minutes = 15;
    private const int CheckoutsPerMinute = 6;
    private const int RolloutMinute = 10;

    /// <summary>About 4 MB as JSON, well below the largest body the receiver takes.</summary>
    private const int SpansPerRequest = 10_000;

    private readonly Random _random = new(7);
    private readonly Dictionary<(string Service, string Version), JsonArray> _spans = [];
    private readonly Dictionary<(string Service, string Version), JsonArray> _logs = [];
    private long _id;

    /// <summary>The newest failed checkout.</summary>
    public string FailedTraceId { get; private set; } = "";

    /// <summary>A trace with 30 like queries under one parent.</summary>
    public string RepeatedTraceId { get; private set; } = "";

    public async Task SendAsync(DateTimeOffset now)
    {
        for (var minute = 0; minute < Minutes; minute++)
        {
            for (var i = 0; i < CheckoutsPerMinute; i++)
            {
                var start = Nano(now.AddMinutes(minute - Minutes).AddSeconds(i * 10));
                Checkout(start, i % 3 == 0 ? "amex" : i % 3 == 1 ? "visa" : "mastercard", minute >= RolloutMinute ? "2.14.0" : "2.13.4");
                Browse(start + 3_000_000_000);
            }
        }
        await PostAsync("v1/traces", "resourceSpans", "scopeSpans", "spans", _spans);
        await PostAsync("v1/logs", "resourceLogs", "scopeLogs", "logRecords", _logs);
    }

    /// <summary>One trace of a given number of spans, a chunk for every ten of them, for what must stay quick when traces are large.</summary>
    public async Task<string> SendLargeTraceAsync(DateTimeOffset now, int spans)
    {
        var traceId = NewTraceId();
        var start = Nano(now.AddMinutes(-5));
        var root = Span("batch", "1.0.0", traceId, "", "nightly batch", 1, start, spans * 1_000_000L);
        var parent = root;
        for (var i = 1; i < spans; i++)
        {
            var id = Span("batch", "1.0.0", traceId, i % 10 == 0 ? root : parent, string.Concat(i % 10 == 0 ? "chunk " : "step ", (i % 10 == 0 ? i / 10 : i % 10).ToString(CultureInfo.InvariantCulture)), 1, start + (i * 1_000_000L), 900_000);
            if (i % 10 == 0)
            {
                parent = id;
            }
            if (i % SpansPerRequest == 0)
            {
                await PostAsync("v1/traces", "resourceSpans", "scopeSpans", "spans", _spans);
            }
        }
        await PostAsync("v1/traces", "resourceSpans", "scopeSpans", "spans", _spans);
        return traceId;
    }

    /// <summary>A trace of one span, with a log record, of a service with any name.</summary>
    public async Task<string> SendSpanAsync(DateTimeOffset now, string service, string name)
    {
        var traceId = NewTraceId();
        var spanId = Span(service, "1.0.0", traceId, "", name, 2, Nano(now), 20_000_000, true, [("note", name), (name, "a hostile key")]);
        Log(service, "1.0.0", traceId, spanId, Nano(now), 17, name);
        await PostAsync("v1/traces", "resourceSpans", "scopeSpans", "spans", _spans);
        await PostAsync("v1/logs", "resourceLogs", "scopeLogs", "logRecords", _logs);
        return traceId;
    }

    public async Task SendLogAsync(DateTimeOffset now, string service, string body)
    {
        Log(service, "1.0.0", "", "", Nano(now), 9, body);
        await PostAsync("v1/logs", "resourceLogs", "scopeLogs", "logRecords", _logs);
    }

    private void Browse(long start)
    {
        var traceId = NewTraceId();
        var root = Span("storefront", "5.31.2", traceId, "", "GET /products/{sku}", 2, start, 30_000_000, ("http.route", "/products/{sku}"), ("http.request.method", "GET"), ("http.response.status_code", 200));
        var call = Span("storefront", "5.31.2", traceId, root, "GET", 3, start + 2_000_000, 25_000_000, ("server.address", "catalog"));
        var catalog = Span("catalog", "4.2.0", traceId, call, "GET /products/{sku}", 2, start + 4_000_000, 20_000_000, ("http.route", "/products/{sku}"));
        Span("catalog", "4.2.0", traceId, catalog, "SELECT products", 3, start + 6_000_000, 8_000_000, ("db.system.name", "sqlite"), ("db.namespace", "catalog"), ("db.query.text", "SELECT name, price FROM products WHERE sku = @sku"));
    }

    private void Checkout(long start, string network, string version)
    {
        var failed = network == "amex" && version == "2.14.0";
        var traceId = NewTraceId();
        var charge = failed ? 5_220_000_000 : 110_000_000 + _random.Next(40_000_000);
        var root = Span("storefront", "5.31.2", traceId, "", "POST /checkout", 2, start, charge + 120_000_000, failed, [("http.route", "/checkout"), ("http.request.method", "POST"), ("http.response.status_code", failed ? 502 : 200), ("card.network", network)]);
        var reserve = Span("catalog", "4.2.0", traceId, root, "POST /stock/reserve", 2, start + 10_000_000, 60_000_000, ("http.route", "/stock/reserve"));
        for (var i = 0; i < 30; i++)
        {
            Span("catalog", "4.2.0", traceId, reserve, "SELECT stock", 3, start + 11_000_000 + (i * 1_500_000), 1_200_000, ("db.system.name", "sqlite"), ("db.namespace", "catalog"), ("db.query.text", "SELECT quantity FROM stock WHERE sku = @sku AND warehouse = @warehouse"));
        }
        RepeatedTraceId = traceId;
        var client = Span("storefront", "5.31.2", traceId, root, "POST", 3, start + 90_000_000, charge + 10_000_000, failed, [("server.address", "payments")]);
        var payments = Span("payments", version, traceId, client, "POST /charge", 2, start + 92_000_000, charge, failed, [("http.route", "/charge"), ("card.network", network), ("card.country", "US"), ("http.response.status_code", failed ? 502 : 200)]);
        for (var attempt = 1; attempt <= (failed ? 2 : 1); attempt++)
        {
            var at = start + 95_000_000 + ((attempt - 1) * 2_700_000_000);
            var bank = Span("payments", version, traceId, payments, "POST", 3, at, failed ? 2_500_000_000 : 90_000_000, failed, [("server.address", "api.bank.example"), ("http.request.method", "POST"), ("error.type", failed ? "timeout" : "none"), ("card.network", network)]);
            Log("payments", version, traceId, bank, at, failed ? 17 : 9, failed ? string.Create(CultureInfo.InvariantCulture, $"Bank API did not answer within 2500 ms ({network}, attempt {attempt})") : $"Captured 84.20 EUR ({network})");
        }
        if (failed)
        {
            FailedTraceId = traceId;
        }
    }

    private string Span(string service, string version, string traceId, string parent, string name, int kind, long start, long duration, params (string Key, object Value)[] attributes) =>
        Span(service, version, traceId, parent, name, kind, start, duration, false, attributes);

    private string Span(string service, string version, string traceId, string parent, string name, int kind, long start, long duration, bool failed, (string Key, object Value)[] attributes)
    {
        var id = (++_id).ToString("x16", CultureInfo.InvariantCulture);
        var span = new JsonObject
        {
            ["traceId"] = traceId, ["spanId"] = id, ["parentSpanId"] = parent, ["name"] = name, ["kind"] = kind,
            ["startTimeUnixNano"] = start.ToString(CultureInfo.InvariantCulture), ["endTimeUnixNano"] = (start + duration).ToString(CultureInfo.InvariantCulture),
            ["attributes"] = Attributes(attributes), ["status"] = new JsonObject { ["code"] = failed ? 2 : 0 },
        };
        if (failed && name == "POST /charge")
        {
            span["events"] = new JsonArray(new JsonObject
            {
                ["timeUnixNano"] = (start + duration).ToString(CultureInfo.InvariantCulture), ["name"] = "exception",
                ["attributes"] = Attributes([("exception.type", "BankUnavailableException"), ("exception.message", "The bank could not authorize the charge"), ("exception.stacktrace", "BankUnavailableException: The bank could not authorize the charge\n   at BankClient.AuthorizeAsync")]),
            });
        }
        Of(_spans, service, version).Add(span);
        return id;
    }

    private void Log(string service, string version, string traceId, string spanId, long at, int severity, string body) => Of(_logs, service, version).Add(new JsonObject
    {
        ["timeUnixNano"] = at.ToString(CultureInfo.InvariantCulture), ["severityNumber"] = severity, ["severityText"] = severity >= 17 ? "Error" : "Information",
        ["body"] = new JsonObject { ["stringValue"] = body }, ["traceId"] = traceId, ["spanId"] = spanId, ["attributes"] = Attributes([("logger", "Payments.Bank.BankClient")]),
    });

    private static JsonArray Of(Dictionary<(string, string), JsonArray> items, string service, string version)
    {
        if (!items.TryGetValue((service, version), out var list))
        {
            items.Add((service, version), list = []);
        }
        return list;
    }

    private static JsonArray Attributes((string Key, object Value)[] attributes) => new([.. attributes.Select(attribute => new JsonObject
    {
        ["key"] = attribute.Key,
        ["value"] = attribute.Value is int number ? new JsonObject { ["intValue"] = number } : new JsonObject { ["stringValue"] = (string)attribute.Value },
    })]);

    private async Task PostAsync(string path, string outer, string inner, string items, Dictionary<(string Service, string Version), JsonArray> content)
    {
        var resources = new JsonArray([.. content.Select(pair => new JsonObject
        {
            ["resource"] = new JsonObject { ["attributes"] = Attributes([("service.name", pair.Key.Service), ("service.version", pair.Key.Version), ("service.instance.id", $"{pair.Key.Service}-1"), ("deployment.environment.name", "production"), ("telemetry.sdk.language", "dotnet")]) },
            [inner] = new JsonArray(new JsonObject { ["scope"] = new JsonObject { ["name"] = "shop" }, [items] = pair.Value }),
        })]);
        content.Clear();
        using var response = await client.PostAsJsonAsync(path, new JsonObject { [outer] = resources });
        Assert.Equal("{}", (await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync()).Replace("""{"partialSuccess":{}}""", "{}", StringComparison.Ordinal));
    }

    private string NewTraceId() => $"7c1e4f0a9b2d4e6f{++_id:x16}";

    private static long Nano(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
