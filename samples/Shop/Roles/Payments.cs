using System.Diagnostics;
using System.Net;

namespace Apm.Shop.Roles;

internal sealed class BankUnavailableException(string message, Exception inner) : Exception(message, inner);

internal sealed class CardDeclinedException(string message) : Exception(message);

internal sealed class PaymentProcessorException(string message) : Exception(message);

internal static class Payments
{
    public static void Map(WebApplication app, ShopOptions options)
    {
        var switches = app.Services.GetRequiredService<FaultSwitches>();
        var bank = new BankClient(app.Services.GetRequiredService<IHttpClientFactory>(), app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Payments.Bank.BankClient"), options.Version);
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Payments.ChargeHandler");
        var database = new ShopDatabase(options, "payments", """
            CREATE TABLE IF NOT EXISTS payments (id TEXT PRIMARY KEY, cart_id TEXT NOT NULL, amount REAL NOT NULL, state TEXT NOT NULL);
            CREATE TABLE IF NOT EXISTS fraud_rules (id INTEGER PRIMARY KEY, country TEXT NOT NULL, score REAL NOT NULL);
            INSERT OR IGNORE INTO fraud_rules VALUES (1, 'US', 0.02), (2, 'DE', 0.01), (3, 'FR', 0.01), (4, 'GB', 0.02), (5, 'BR', 0.08), (6, 'JP', 0.01);
            """);
        app.MapPost("/charge", async (ChargeRequest charge) =>
        {
            var activity = Activity.Current;
            activity?.SetTag("card.network", charge.CardNetwork).SetTag("card.country", charge.CardCountry).SetTag("tenant.id", charge.Tenant)
                .SetTag("payment.amount", charge.Amount).SetTag("payment.currency", charge.Currency);
            var id = $"ch_{Guid.NewGuid():N}"[..12];
            activity?.SetTag("payment.id", id);
            try
            {
                await database.QueryAsync("SELECT id FROM payments WHERE cart_id = @cart LIMIT 1", ("@cart", charge.CartId));
                await database.QueryAsync("INSERT INTO payments (id, cart_id, amount, state) VALUES (@id, @cart, @amount, 'pending')", ("@id", id), ("@cart", charge.CartId), ("@amount", charge.Amount));
                await EvaluateFraudRulesAsync(database, charge, logger);
                if (switches.IsOn(Faults.FailingPayments) && Random.Shared.Next(100) < 30)
                {
                    throw new PaymentProcessorException("The processor refused the charge: error 4021, ledger not reachable");
                }
                await bank.AuthorizeAsync(charge);
                await database.QueryAsync("UPDATE payments SET state = 'captured' WHERE id = @id", ("@id", id));
                logger.LogInformation("Captured {Amount} {Currency} ({Network})", charge.Amount, charge.Currency, charge.CardNetwork);
                return Results.Ok(id);
            }
            catch (CardDeclinedException e)
            {
                activity?.SetTag("payment.declined", true);
                logger.LogWarning("Charge {PaymentId} declined: {Reason}", id, e.Message);
                return Results.StatusCode(StatusCodes.Status402PaymentRequired);
            }
            catch (Exception e) when (e is BankUnavailableException or PaymentProcessorException)
            {
                await database.QueryAsync("UPDATE payments SET state = 'failed' WHERE id = @id", ("@id", id));
                activity?.AddException(e).SetStatus(ActivityStatusCode.Error, e.Message).SetTag("error.type", e.GetType().Name);
                logger.LogError(e, "Charge {PaymentId} failed: {Reason}, {Network} {Amount} {Currency}", id, e is BankUnavailableException ? "bank unavailable" : "processor refused", charge.CardNetwork, charge.Amount, charge.Currency);
                return Results.StatusCode(StatusCodes.Status502BadGateway);
            }
        });
    }

    private static async Task EvaluateFraudRulesAsync(ShopDatabase database, ChargeRequest charge, ILogger logger)
    {
        using var activity = RoleHost.Source.StartActivity("evaluate fraud rules");
        var rows = await database.QueryAsync("SELECT score FROM fraud_rules WHERE country = @country", ("@country", charge.CardCountry));
        var score = rows.Count == 0 ? 0.05 : (double)rows[0][0]!;
        await Task.Delay(Random.Shared.Next(2, 12));
        activity?.SetTag("fraud.score", score);
        logger.LogInformation("Fraud rules passed, score {Score}", score);
    }
}

/// <summary>Calls the bank, which is not instrumented. v2.14.0 uses the bank's new endpoint with a shorter timeout and one retry.</summary>
internal sealed class BankClient(IHttpClientFactory clients, ILogger logger, string version)
{
    private const int Attempts = 2;
    private readonly bool _new = version == "2.14.0";

    public async Task AuthorizeAsync(ChargeRequest charge)
    {
        using var activity = RoleHost.Source.StartActivity("BankClient.Authorize");
        activity?.SetTag("card.network", charge.CardNetwork);
        var timeout = TimeSpan.FromMilliseconds(_new ? 2500 : 5000);
        for (var attempt = 1; ; attempt++)
        {
            logger.LogInformation("Authorize {Amount} {Currency} ({Network}), attempt {Attempt}", charge.Amount, charge.Currency, charge.CardNetwork, attempt);
            try
            {
                await SendAsync(charge, timeout);
                return;
            }
            catch (Exception e) when (e is TaskCanceledException or HttpRequestException)
            {
                if (attempt == Attempts)
                {
                    logger.LogError("Bank API did not answer within {Timeout} ms ({Network}, attempt {Attempt}), giving up", timeout.TotalMilliseconds, charge.CardNetwork, attempt);
                    var timedOut = new TimeoutException($"The bank API did not answer within {timeout.TotalMilliseconds} ms", e);
                    activity?.AddException(timedOut).SetStatus(ActivityStatusCode.Error, timedOut.Message).SetTag("error.type", "timeout");
                    throw new BankUnavailableException($"The bank could not authorize the charge after {attempt} attempts", timedOut);
                }
                logger.LogWarning("Bank API did not answer within {Timeout} ms ({Network}, attempt {Attempt}), retrying in 200 ms", timeout.TotalMilliseconds, charge.CardNetwork, attempt);
                using (RoleHost.Source.StartActivity("wait before retry"))
                {
                    await Task.Delay(200);
                }
            }
        }
    }

    private async Task SendAsync(ChargeRequest charge, TimeSpan timeout)
    {
        using var client = clients.CreateClient("bank");
        using var cancel = new CancellationTokenSource(timeout);
        using var response = await client.PostAsJsonAsync(_new ? "v2/authorize" : "v1/authorize", new { charge.Amount, charge.Currency, network = charge.CardNetwork, country = charge.CardCountry }, cancel.Token);
        if (response.StatusCode == HttpStatusCode.PaymentRequired)
        {
            throw new CardDeclinedException("insufficient funds");
        }
        response.EnsureSuccessStatusCode();
    }
}
