using System.Diagnostics;

namespace Apm.Shop.Roles;

internal static class Shipping
{
    private static readonly string[] Carriers = ["DHL", "UPS", "Hermes"];

    public static void Map(WebApplication app, ShopOptions options)
    {
        var database = new ShopDatabase(options, "shipping", "CREATE TABLE IF NOT EXISTS shipments (order_id TEXT PRIMARY KEY, carrier TEXT NOT NULL, country TEXT NOT NULL);");
        var logger = app.Logger;
        app.MapPost("/quotes", async (CartLine[] lines, string country) =>
        {
            var quotes = new List<Quote>();
            foreach (var carrier in Carriers)
            {
                using var activity = RoleHost.Source.StartActivity("quote carrier");
                activity?.SetTag("carrier", carrier).SetTag("country", country);
                await Task.Delay(Random.Shared.Next(2, 9));
                quotes.Add(new Quote(carrier, Math.Round(3.5 + (lines.Length * 0.9) + Random.Shared.NextDouble(), 2), country == "DE" ? 2 : 5));
            }
            return quotes.MinBy(quote => quote.Price);
        });
        var queue = new OrderQueue(options);
        _ = queue.ConsumeAsync<OrderPlaced>("order.placed", async order =>
        {
            var carrier = Carriers[Random.Shared.Next(Carriers.Length)];
            Activity.Current?.SetTag("order.id", order.OrderId).SetTag("carrier", carrier).SetTag("country", order.Country);
            using (RoleHost.Source.StartActivity("print label"))
            {
                await Task.Delay(Random.Shared.Next(5, 20));
            }
            await database.QueryAsync("INSERT INTO shipments (order_id, carrier, country) VALUES (@order, @carrier, @country)", ("@order", order.OrderId), ("@carrier", carrier), ("@country", order.Country));
            logger.LogInformation("Order {OrderId} handed to {Carrier} ({Lines} lines)", order.OrderId, carrier, order.Lines.Length);
        }, logger, app.Lifetime.ApplicationStopping);
    }
}
