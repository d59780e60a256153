using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Apm.Web.Tests;

/// <summary>The logs of the story.</summary>
internal static class FakeLogs
{
    private static readonly (string Severity, int Number, string Body)[] Lines =
    [
        ("info", 9, "Captured 84.20 EUR (visa) in 94 ms"),
        ("error", 17, "Charge ch_91Fq7 failed: bank unavailable, amex 212.00 EUR"),
        ("error", 17, "Bank API did not answer within 2500 ms (amex, attempt 2), giving up"),
        ("info", 9, "Authorize 31.50 EUR (mastercard), attempt 1"),
        ("warn", 13, "Bank API did not answer within 2500 ms (amex, attempt 1), retrying in 200 ms"),
        ("info", 9, "Fraud rules passed, score 0.04"),
        ("debug", 5, "Pool has 3 idle connections"),
    ];

    public static void Map(IEndpointRouteBuilder api, Func<long> now, Func<FakeMode> mode)
    {
        api.MapGet("/logs", (HttpContext context) =>
        {
            var range = FakeQuery.Range.Of(context, now());
            var limit = int.TryParse(context.Request.Query["limit"], out var asked) ? asked : 20;
            var start = int.TryParse(context.Request.Query["cursor"], out var cursor) ? cursor : 0;
            var records = mode() == FakeMode.Empty ? [] : Enumerable.Range(start, limit).Select(i => Record(range.To - 70_000_000L * (i + 1), i, mode())).ToArray();
            return new { records, matched = mode() == FakeMode.Empty ? 0 : 69469, nextCursor = mode() == FakeMode.Empty ? null : FakeQuery.Text(start + limit), scan = FakeQuery.Scan };
        });
        api.MapGet("/logs/histogram", (HttpContext context) =>
        {
            var range = FakeQuery.Range.Of(context, now());
            var deploy = now() - 360_000_000_000L;
            long[] Series(double before, double after) => mode() == FakeMode.Empty ? new long[range.Steps] : range.Each(i => (long)Math.Max(0, (range.At(i) >= deploy ? after : before) * (1 + 0.04 * FakeQuery.Wave(i, before))));
            var series = new Dictionary<string, long[]> { ["fatal"] = Series(0, 0), ["error"] = Series(0, 70), ["warn"] = Series(1, 34), ["info"] = Series(560, 565), ["debug"] = Series(0, 0), ["trace"] = Series(0, 0), ["unspecified"] = Series(0, 0) };
            return new { startUnixNano = FakeQuery.Text(range.From), stepNano = range.StepNano, steps = range.Steps, series, totals = series.ToDictionary(s => s.Key, s => s.Value.Sum()), scan = FakeQuery.Scan };
        });
        api.MapGet("/logs/facets", (HttpContext context) =>
        {
            object Value(object value, long count, long errors) => new { value, count, errors };
            var asked = context.Request.Query["field"];
            object? Facet(string field, params object[] values) => asked.Contains(field) ? new { field, present = 69469, distinct = values.Length, truncated = false, values } : null;
            return mode() == FakeMode.Empty
                ? new { matched = 0, facets = Enumerable.Empty<object>(), scan = FakeQuery.Scan }
                : new
                {
                    matched = 69469,
                    facets = new[]
                    {
                        Facet("severity", Value("error", 1594, 1594), Value("warn", 1033, 0), Value("info", 66842, 0)),
                        Facet("resource.service.name", Value(mode() == FakeMode.Hostile ? FakeQuery.Hostile : "payments", 60000, 1594), Value("storefront", 9469, 0)),
                        Facet("resource.service.instance.id", Value("payments-7c9d-0", 23120, 500), Value("payments-7c9d-1", 23308, 500), Value("payments-7c9d-2", 23041, 594)),
                        Facet("log.card.network", Value("visa", 33780, 0), Value("mastercard", 21785, 0), Value("amex", 13904, 1592)),
                        Facet("log.exception.type", Value("System.TimeoutException", 1592, 1592), Value("BankUnavailableException", 796, 796)),
                        Facet("instrumentation:name", Value("Payments.ChargeHandler", 41820, 0), Value("Payments.Bank.BankClient", 26402, 0), Value("Payments.FraudRules", 1247, 0)),
                    }.OfType<object>(),
                    scan = FakeQuery.Scan,
                };
        });
        api.MapGet("/logs/tail", async (HttpContext context) =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; !context.RequestAborted.IsCancellationRequested; i++)
            {
                var json = System.Text.Json.JsonSerializer.Serialize(Record(now(), i, mode()), System.Text.Json.JsonSerializerOptions.Web);
                await context.Response.WriteAsync($"event: record\ndata: {json}\n\n", context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(400, context.RequestAborted);
            }
        });
    }

    private static object Record(long at, int i, FakeMode mode)
    {
        var (severity, number, body) = Lines[(int)((uint)(i * 2654435761) % 7)];
        var failed = severity == "error";
        return new
        {
            timeUnixNano = FakeQuery.Text(at),
            observedTimeUnixNano = FakeQuery.Text(at + 1000),
            severityNumber = number,
            severity,
            severityText = severity.ToUpperInvariant()[..3],
            body = mode == FakeMode.Hostile ? (object)FakeQuery.Hostile : body,
            eventName = "",
            traceId = i % 5 == 3 ? null : $"5d02ce41{i:x8}77ab000000000000"[..32],
            spanId = i % 5 == 3 ? null : "9be2017c44d0a1f3",
            service = "payments",
            resource = new { attributes = new Dictionary<string, object> { ["service.name"] = "payments", ["service.instance.id"] = $"payments-7c9d-{i % 3}", ["service.version"] = "2.14.0" } },
            scope = new { name = "Payments.Bank.BankClient", version = "1.0", attributes = new { } },
            attributes = failed
                ? new Dictionary<string, object> { ["card.network"] = "amex", ["attempt"] = 2, ["timeout"] = 2500, ["server.address"] = "api.bank.example", ["exception.type"] = "System.TimeoutException", ["exception.stacktrace"] = "System.TimeoutException: The operation has timed out.\n   at Payments.Bank.BankClient.AuthorizeAsync()\n   at Payments.ChargeHandler.Handle()" }
                : new Dictionary<string, object> { ["card.network"] = i % 2 == 0 ? "visa" : "mastercard", ["amount"] = 84.2 },
            droppedAttributesCount = 0,
            flags = 1,
        };
    }
}
