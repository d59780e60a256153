using Apm.Telemetry;

namespace Apm.Query.Tests;

/// <summary>A little real traffic: a storefront that calls a cart (a database behind it) and payments (a bank behind it), ten requests in the minute after the origin.</summary>
internal static class Shop
{
    /// <summary>Request i begins at i × 5 s; its spans have ids i × 10 + 1 … 4. Request 7 fails at the bank, takes 2 s, and is visa's; payments 2.0 runs from request 5 on.</summary>
    public static IEnumerable<SpanRow> Spans()
    {
        for (var i = 0; i < 10; i++)
        {
            var at = i * 5_000;
            var id = (ulong)(i * 10);
            var trace = (ulong)(i + 1);
            var fails = i == 7;
            var wait = fails ? 2_000 : 20;
            (string, object?)[] version = [("service.version", i < 5 ? "1.0" : "2.0"), ("telemetry.sdk.language", "dotnet"), ("service.instance.id", $"p{i % 2}")];
            yield return new SpanRow("storefront", "POST /checkout", at, wait + 60)
            {
                Trace = trace, Id = id + 1, Kind = SpanKind.Server, Status = fails ? StatusCode.Error : StatusCode.Unset,
                Attributes = [("http.route", "/checkout"), ("http.response.status_code", fails ? 500 : 200), ("card.network", fails ? "visa" : "amex")],
            };
            yield return new SpanRow("payments", "charge", at + 10, wait + 30)
            {
                Trace = trace, Id = id + 2, Parent = id + 1, Kind = SpanKind.Server, Status = fails ? StatusCode.Error : StatusCode.Unset, Resource = version,
                Attributes = [("card.network", fails ? "visa" : "amex")],
            };
            yield return new SpanRow("payments", "POST", at + 20, wait)
            {
                Trace = trace, Id = id + 3, Parent = id + 2, Kind = SpanKind.Client, Status = fails ? StatusCode.Error : StatusCode.Unset, Resource = version,
                StatusMessage = fails ? "timed out" : "", Attributes = [("peer.service", "bank API")],
                Events = fails ? [(at + 20 + wait, "exception", [("exception.type", "TimeoutException")])] : [],
            };
            yield return new SpanRow("storefront", "SELECT carts", at + 2, 4)
            {
                Trace = trace, Id = id + 4, Parent = id + 1, Kind = SpanKind.Client,
                Attributes = [("db.system.name", "sqlite"), ("db.namespace", "carts"), ("db.query.text", "SELECT * FROM carts WHERE id = ?")],
            };
        }
    }

    public static IEnumerable<LogRow> Logs()
    {
        for (var i = 0; i < 10; i++)
        {
            var at = (i * 5_000) + 15;
            yield return new LogRow("payments", at, $"Charging order {i}") { Trace = (ulong)(i + 1), Span = (ulong)((i * 10) + 2), Attributes = [("order.id", i)] };
            if (i == 7)
            {
                yield return new LogRow("payments", at + 2_000, "The bank timed out")
                {
                    Trace = 8, Span = 72, Severity = SeverityNumber.Error, SeverityText = "ERROR", EventName = "bank.timeout", Attributes = [("order.id", i)],
                };
            }
        }
        yield return new LogRow("storefront", 1_000, "Ready") { Severity = SeverityNumber.Debug };
    }

    /// <summary>The range of the traffic, as parameters.</summary>
    public const string Range = "from=2026-01-01T00:00:00Z&to=2026-01-01T00:01:00Z";

    public static async Task<QueryHost> StartAsync(Action<QueryOptions>? configure = null)
    {
        var host = await QueryHost.StartAsync(configure);
        host.Spans.Append(Batches.Spans(Spans()));
        host.Logs.Append(Batches.Logs(Logs()));
        return host;
    }
}
