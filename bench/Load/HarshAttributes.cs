using Apm.Telemetry.Otlp;

namespace Apm.Bench;

/// <summary>
/// What makes a load hard to store, added to every span: values that are all different (a user, a URL with a query, a UUID, SQL with its literals) and keys of
/// which there are many (headers, feature flags, custom dimensions). About 750 bytes a span more.
/// </summary>
internal static class HarshAttributes
{
    /// <summary>Distinct keys over all spans: above what a part keeps columns for easily.</summary>
    private const int Keys = 600;

    private const int KeysPerSpan = 6;

    private const int Users = 5_000_000;

    public static void Write(ProtobufWriter span, ref SeededRandom random, string route)
    {
        span.Attribute(9, "user.id", $"{random.Below(Users):d8}");
        span.Attribute(9, "session.id", Uuid(ref random));
        span.Attribute(9, "url.query", $"page={random.Below(500)}&session={Uuid(ref random)}&ref=%2F{route}%2F{random.Below(10_000_000):d8}&utm_source=newsletter-{random.Below(2_000)}");
        span.Attribute(9, "db.statement", $"SELECT o.id, o.customer_id, o.status, o.total, l.sku, l.quantity, l.price FROM {route} o JOIN {route}_lines l ON l.order_id = o.id "
            + $"WHERE o.customer_id = '{Uuid(ref random)}' AND o.created_at > '2026-11-{1 + random.Below(28):d2}T{random.Below(24):d2}:00:00Z' AND o.total > {random.Below(100_000)}.{random.Below(100):d2} AND l.sku IN ({Skus(ref random)}) ORDER BY o.created_at DESC LIMIT {random.Below(200)}");
        for (var i = 0; i < KeysPerSpan; i++)
        {
            var key = random.Skewed(Keys);
            span.Attribute(9, $"app.dimension.{key:d3}", key % 3 == 0 ? $"{random.Next() & 0xffffffffffff:x12}" : $"value-{random.Below(50)}");
        }
    }

    private static string Skus(ref SeededRandom random) => $"'{random.Below(900_000) + 100_000}','{random.Below(900_000) + 100_000}','{random.Below(900_000) + 100_000}'";

    private static string Uuid(ref SeededRandom random)
    {
        var (high, low) = (random.Next(), random.Next());
        return $"{high >> 32:x8}-{high >> 16 & 0xffff:x4}-{high & 0xffff:x4}-{low >> 48:x4}-{low & 0xffffffffffff:x12}";
    }
}
