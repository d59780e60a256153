namespace Apm.Shop.Roles;

internal static class Cart
{
    public static void Map(WebApplication app, ShopOptions options)
    {
        var database = new ShopDatabase(options, "cart", "CREATE TABLE IF NOT EXISTS cart_lines (cart_id TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (cart_id, sku));");
        var logger = app.Logger;
        app.MapGet("/carts/{id}", async (string id) =>
        {
            var rows = await database.QueryAsync("SELECT sku, quantity FROM cart_lines WHERE cart_id = @id", ("@id", id));
            return rows.Select(row => new CartLine((string)row[0]!, (int)(long)row[1]!)).ToArray();
        });
        app.MapPost("/carts/{id}/lines", async (string id, CartLine line) =>
        {
            await database.QueryAsync("INSERT INTO cart_lines (cart_id, sku, quantity) VALUES (@id, @sku, @quantity) ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = quantity + @quantity",
                ("@id", id), ("@sku", line.Sku), ("@quantity", line.Quantity));
            logger.LogInformation("Added {Quantity} of {Sku} to cart {CartId}", line.Quantity, line.Sku, id);
            return Results.Created();
        });
        app.MapDelete("/carts/{id}", async (string id) =>
        {
            await database.QueryAsync("DELETE FROM cart_lines WHERE cart_id = @id", ("@id", id));
            return Results.NoContent();
        });
    }
}
