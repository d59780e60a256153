using System.Net.Http.Json;

namespace Apm.Shop.Roles;

/// <summary>The customers: a steady stream of requests to storefront. Not instrumented, as browsers mostly are not, so every request is a root span of storefront.</summary>
internal static class LoadGenerator
{
    private static readonly string[] Networks = ["visa", "visa", "visa", "visa", "visa", "mastercard", "mastercard", "mastercard", "amex", "amex"];
    private static readonly string[] Countries = ["US", "US", "US", "DE", "DE", "FR", "GB", "BR", "JP"];
    private static readonly string[] Tenants = ["acme", "acme", "acme", "globex", "globex", "initech", "umbrella"];
    private static readonly string[] Categories = ["desk", "lamp", "kettle", "vase", "chair", "throw"];

    /// <summary>Requests in flight at most: when the shop is slow the customers wait, they do not pile up.</summary>
    private const int MaxInFlight = 200;

    public static async Task RunAsync(ShopOptions options, CancellationToken stop)
    {
        using var client = new HttpClient(new ShopNetwork(options.Ports).CreateHandler()) { BaseAddress = ShopNetwork.UriOf("storefront"), Timeout = TimeSpan.FromSeconds(30) };
        using var inFlight = new SemaphoreSlim(MaxInFlight);
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1 / options.RequestsPerSecond));
        try
        {
            await WaitForStorefrontAsync(client, stop);
            while (await timer.WaitForNextTickAsync(stop))
            {
                if (inFlight.Wait(0, CancellationToken.None))
                {
                    _ = VisitAsync(client, inFlight, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Console.WriteLine("load stopped");
        }
    }

    private static async Task WaitForStorefrontAsync(HttpClient client, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (await timer.WaitForNextTickAsync(stop))
        {
            try
            {
                using var response = await client.GetAsync("internal/ready", stop);
                return;
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
            {
                continue; // it is still starting
            }
        }
    }

    private static async Task VisitAsync(HttpClient client, SemaphoreSlim inFlight, CancellationToken stop)
    {
        try
        {
            var user = $"u-{Random.Shared.Next(2000)}";
            switch (Random.Shared.Next(100))
            {
                case < 30:
                    (await client.GetAsync($"?user={user}", stop)).Dispose();
                    break;
                case < 50:
                    (await client.GetAsync($"products?category={Pick(Categories)}", stop)).Dispose();
                    break;
                case < 74:
                    (await client.GetAsync($"products/{Catalog.Sku(Random.Shared.Next(Catalog.ProductCount + 1))}", stop)).Dispose();
                    break;
                case < 84:
                    await FillCartAsync(client, Guid.NewGuid().ToString("N")[..10], 1, stop);
                    break;
                default:
                    await BuyAsync(client, user, stop);
                    break;
            }
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            if (!stop.IsCancellationRequested)
            {
                Console.WriteLine($"a customer gave up: {e.Message}");
            }
        }
        finally
        {
            inFlight.Release();
        }
    }

    private static async Task BuyAsync(HttpClient client, string user, CancellationToken stop)
    {
        var cart = Guid.NewGuid().ToString("N")[..10];
        await FillCartAsync(client, cart, 1 + (int)(8 * Random.Shared.NextDouble() * Random.Shared.NextDouble()), stop);
        (await client.PostAsJsonAsync("checkout", new CheckoutRequest(cart, user, Pick(Tenants), Pick(Networks), Pick(Countries)), stop)).Dispose();
    }

    private static async Task FillCartAsync(HttpClient client, string cart, int lines, CancellationToken stop)
    {
        for (var i = 0; i < lines; i++)
        {
            (await client.PostAsJsonAsync($"cart/{cart}", new CartLine(Catalog.Sku(Random.Shared.Next(Catalog.ProductCount)), 1 + Random.Shared.Next(3)), stop)).Dispose();
        }
    }

    private static string Pick(string[] values) => values[Random.Shared.Next(values.Length)];
}
