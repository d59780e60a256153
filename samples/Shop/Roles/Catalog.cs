using System.Diagnostics;

namespace Apm.Shop.Roles;

internal static class Catalog
{
    public const int ProductCount = 48;
    private const int WarehouseCount = 24;

    private static readonly string[] Adjectives = ["Walnut", "Linen", "Copper", "Ceramic", "Oak", "Wool", "Glass", "Marble"];
    private static readonly string[] Nouns = ["desk", "lamp", "kettle", "vase", "chair", "throw"];

    public static string Sku(int number) => $"SKU-{number:D4}";

    public static void Map(WebApplication app, ShopOptions options)
    {
        var switches = app.Services.GetRequiredService<FaultSwitches>();
        var database = new ShopDatabase(options, "catalog", Schema(), () => switches.IsOn(Faults.SlowDatabase) ? TimeSpan.FromMilliseconds(150 + Random.Shared.Next(450)) : TimeSpan.Zero);
        var logger = app.Logger;
        app.MapGet("/products", async (string? category) =>
        {
            var rows = await database.QueryAsync("SELECT sku, name, price FROM products WHERE name LIKE @pattern ORDER BY sku LIMIT 12", ("@pattern", $"%{category}%"));
            return rows.Select(ToProduct).ToArray();
        });
        app.MapGet("/products/{sku}", async (string sku) =>
        {
            var rows = await database.QueryAsync("SELECT sku, name, price FROM products WHERE sku = @sku", ("@sku", sku));
            if (rows.Count == 0)
            {
                logger.LogWarning("Product {Sku} is not in the catalog", sku);
                return Results.NotFound();
            }
            return Results.Ok(ToProduct(rows[0]));
        });
        app.MapPost("/prices", async (CartLine[] lines) =>
        {
            double total = 0;
            var rows = await database.QueryAsync($"SELECT sku, name, price FROM products WHERE sku IN ({string.Join(", ", lines.Select((_, i) => $"@sku{i}"))})",
                [.. lines.Select((line, i) => ($"@sku{i}", (object)line.Sku))]);
            foreach (var product in rows.Select(ToProduct))
            {
                total += product.Price * lines.First(line => line.Sku == product.Sku).Quantity;
            }
            return Math.Round(total, 2);
        });
        app.MapPost("/stock/reserve", (CartLine[] lines) => ReserveAsync(database, switches, logger, lines));
    }

    private static async Task<IResult> ReserveAsync(ShopDatabase database, FaultSwitches switches, ILogger logger, CartLine[] lines)
    {
        Activity.Current?.SetTag("cart.items", lines.Length);
        await database.TransactAsync(async connection =>
        {
            if (switches.IsOn(Faults.NPlusOne))
            {
                foreach (var line in lines)
                {
                    for (var warehouse = 0; warehouse < WarehouseCount; warehouse++)
                    {
                        await database.QueryAsync(connection, "SELECT quantity FROM stock WHERE sku = @sku AND warehouse = @warehouse", ("@sku", line.Sku), ("@warehouse", warehouse));
                    }
                }
            }
            else
            {
                await database.QueryAsync(connection, $"SELECT sku, sum(quantity) FROM stock WHERE sku IN ({string.Join(", ", lines.Select((_, i) => $"@sku{i}"))}) GROUP BY sku",
                    [.. lines.Select((line, i) => ($"@sku{i}", (object)line.Sku))]);
            }
            foreach (var line in lines)
            {
                await database.QueryAsync(connection, "UPDATE stock SET quantity = max(quantity - @quantity, 0) WHERE sku = @sku AND warehouse = 0", ("@quantity", line.Quantity), ("@sku", line.Sku));
            }
        });
        logger.LogInformation("Reserved {Items} items", lines.Sum(line => line.Quantity));
        return Results.Ok();
    }

    private static Product ToProduct(object?[] row) => new((string)row[0]!, (string)row[1]!, (double)row[2]!);

    private static string Schema()
    {
        var sql = new System.Text.StringBuilder("""
            CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, price REAL NOT NULL);
            CREATE TABLE IF NOT EXISTS stock (sku TEXT NOT NULL, warehouse INTEGER NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (sku, warehouse));
            BEGIN;
            """);
        for (var i = 0; i < ProductCount; i++)
        {
            var price = ((19 + (i * 37 % 280)) + 0.9).ToString(System.Globalization.CultureInfo.InvariantCulture);
            sql.Append($"INSERT OR IGNORE INTO products VALUES ('{Sku(i)}', '{Adjectives[i % Adjectives.Length]} {Nouns[i / Adjectives.Length % Nouns.Length]}', {price});");
            for (var warehouse = 0; warehouse < WarehouseCount; warehouse++)
            {
                sql.Append($"INSERT OR IGNORE INTO stock VALUES ('{Sku(i)}', {warehouse}, 100000);");
            }
        }
        return sql.Append("COMMIT;").ToString();
    }
}
