using System.Diagnostics;
using System.Net;

namespace Apm.Shop.Roles;

/// <summary>What the customers' browsers talk to.</summary>
internal static class Storefront
{
    public static void Map(WebApplication app, ShopOptions options)
    {
        var clients = app.Services.GetRequiredService<IHttpClientFactory>();
        var checkout = new Checkout(clients, new OrderQueue(options), app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Storefront.Checkout"));
        app.MapGet("/", async (string? user) =>
        {
            var products = await GetAsync<Product[]>(clients, "catalog", "products");
            var picks = await GetAsync<Product[]>(clients, "recommendation", $"recommendations?user={user}");
            return new { products, picks };
        });
        app.MapGet("/products", (string? category) => GetAsync<Product[]>(clients, "catalog", $"products?category={category}"));
        app.MapGet("/products/{sku}", async (string sku) =>
        {
            using var client = clients.CreateClient("catalog");
            using var response = await client.GetAsync($"products/{sku}");
            return response.StatusCode == HttpStatusCode.NotFound ? Results.NotFound() : Results.Ok(await response.Content.ReadFromJsonAsync<Product>());
        });
        app.MapGet("/cart/{id}", (string id) => GetAsync<CartLine[]>(clients, "cart", $"carts/{id}"));
        app.MapPost("/cart/{id}", async (string id, CartLine line) =>
        {
            using var client = clients.CreateClient("cart");
            using var response = await client.PostAsJsonAsync($"carts/{id}/lines", line);
            response.EnsureSuccessStatusCode();
            return Results.Created();
        });
        app.MapPost("/checkout", checkout.HandleAsync);
    }

    private static async Task<T?> GetAsync<T>(IHttpClientFactory clients, string service, string path)
    {
        using var client = clients.CreateClient(service);
        return await client.GetFromJsonAsync<T>(path);
    }
}

internal sealed class Checkout(IHttpClientFactory clients, OrderQueue queue, ILogger logger)
{
    public async Task<IResult> HandleAsync(CheckoutRequest request)
    {
        var activity = Activity.Current;
        activity?.SetTag("card.network", request.CardNetwork).SetTag("card.country", request.CardCountry).SetTag("tenant.id", request.Tenant).SetTag("enduser.id", request.UserId);
        await AuthenticateAsync(request.UserId);
        using var cart = clients.CreateClient("cart");
        var lines = (await cart.GetFromJsonAsync<CartLine[]>($"carts/{request.CartId}"))!;
        if (lines.Length == 0)
        {
            logger.LogWarning("Checkout of an empty cart {CartId}", request.CartId);
            return Results.Conflict();
        }
        activity?.SetTag("cart.items", lines.Length);
        using var catalog = clients.CreateClient("catalog");
        var total = await PostAsync<double>(catalog, "prices", lines);
        await PostAsync(catalog, "stock/reserve", lines);
        using var shipping = clients.CreateClient("shipping");
        var quote = await PostAsync<Quote>(shipping, $"quotes?country={request.CardCountry}", lines);
        var status = await ChargeAsync(request, Math.Round(total + quote!.Price, 2));
        if (status != HttpStatusCode.OK)
        {
            return Fail(request, status);
        }
        var order = new OrderPlaced($"ord-{Guid.NewGuid():N}"[..14], request.UserId, request.CardCountry, lines);
        activity?.SetTag("order.id", order.OrderId);
        await queue.PublishAsync("order.placed", order);
        using var deleted = await cart.DeleteAsync($"carts/{request.CartId}");
        logger.LogInformation("Order {OrderId} placed: {Items} items, {Total} EUR", order.OrderId, lines.Sum(line => line.Quantity), total);
        return Results.Ok(order.OrderId);
    }

    private IResult Fail(CheckoutRequest request, HttpStatusCode status)
    {
        if (status == HttpStatusCode.PaymentRequired)
        {
            logger.LogInformation("Payment declined for cart {CartId}", request.CartId);
            return Results.StatusCode(StatusCodes.Status402PaymentRequired);
        }
        Activity.Current?.SetStatus(ActivityStatusCode.Error, "payment failed");
        logger.LogError("Checkout of cart {CartId} failed: payments answered {Status}", request.CartId, (int)status);
        return Results.StatusCode(StatusCodes.Status502BadGateway);
    }

    private static async Task AuthenticateAsync(string user)
    {
        using var activity = RoleHost.Source.StartActivity("authenticate");
        activity?.SetTag("enduser.id", user).SetTag("auth.method", "session");
        using (RoleHost.Source.StartActivity("read session"))
        {
            await Task.Delay(Random.Shared.Next(1, 4));
        }
        using (RoleHost.Source.StartActivity("verify signature"))
        {
            await Task.Delay(Random.Shared.Next(1, 3));
        }
    }

    private async Task<HttpStatusCode> ChargeAsync(CheckoutRequest request, double amount)
    {
        using var payments = clients.CreateClient("payments");
        try
        {
            using var response = await payments.PostAsJsonAsync("charge", new ChargeRequest(request.CartId, amount, "EUR", request.CardNetwork, request.CardCountry, request.Tenant));
            return response.StatusCode;
        }
        catch (HttpRequestException e)
        {
            logger.LogError(e, "payments could not be reached");
            return HttpStatusCode.ServiceUnavailable;
        }
    }

    private static async Task PostAsync(HttpClient client, string path, CartLine[] lines)
    {
        using var response = await client.PostAsJsonAsync(path, lines);
        response.EnsureSuccessStatusCode();
    }

    private static async Task<T?> PostAsync<T>(HttpClient client, string path, CartLine[] lines)
    {
        using var response = await client.PostAsJsonAsync(path, lines);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<T>();
    }
}
