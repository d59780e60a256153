namespace Apm.Shop.Roles;

/// <summary>An external system: it sends no telemetry, so it is seen only through its callers' client spans.</summary>
internal static class Bank
{
    public static async Task RunAsync(ShopOptions options, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(options.Port));
        var app = builder.Build();
        app.MapGet("/internal/ready", () => "ready");
        app.MapPut("/internal/settings", () => Results.NoContent());
        app.MapPost("/v1/authorize", () => AnswerAsync());
        app.MapPost("/v2/authorize", async (Authorization authorization, CancellationToken aborted) =>
        {
            if (authorization.Network == "amex")
            {
                await Task.Delay(TimeSpan.FromMinutes(1), aborted); // the new endpoint never reaches the amex gateway
            }
            return await AnswerAsync();
        });
        await app.StartAsync(stop);
        await app.WaitForShutdownAsync(stop);
    }

    private static async Task<IResult> AnswerAsync()
    {
        await Task.Delay(40 + (int)(60 * Random.Shared.NextDouble() * Random.Shared.NextDouble()));
        return Random.Shared.Next(1000) switch
        {
            < 20 => Results.StatusCode(StatusCodes.Status402PaymentRequired),
            < 24 => Results.StatusCode(StatusCodes.Status503ServiceUnavailable),
            _ => Results.Ok(new { approved = true }),
        };
    }

    private sealed record Authorization(string Network);
}
