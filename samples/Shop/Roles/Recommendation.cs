using System.Diagnostics;

namespace Apm.Shop.Roles;

internal static class Recommendation
{
    public static void Map(WebApplication app, ShopOptions options)
    {
        var catalog = app.Services.GetRequiredService<IHttpClientFactory>();
        var logger = app.Logger;
        app.MapGet("/recommendations", async (string? user) =>
        {
            var picks = new List<Product>();
            using (var score = RoleHost.Source.StartActivity("score candidates"))
            {
                score?.SetTag("candidates", 24).SetTag("model", "als-2026-11");
                await Task.Delay(Random.Shared.Next(4, 14));
            }
            using var client = catalog.CreateClient("catalog");
            foreach (var number in new[] { Random.Shared.Next(Catalog.ProductCount), Random.Shared.Next(Catalog.ProductCount) })
            {
                picks.Add((await client.GetFromJsonAsync<Product>($"products/{Catalog.Sku(number)}"))!);
            }
            Activity.Current?.SetTag("enduser.id", user);
            logger.LogDebug("{Count} recommendations for {User}", picks.Count, user);
            return picks;
        });
    }
}
