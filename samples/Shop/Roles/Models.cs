namespace Apm.Shop.Roles;

internal sealed record CartLine(string Sku, int Quantity);

internal sealed record Product(string Sku, string Name, double Price);

internal sealed record CheckoutRequest(string CartId, string UserId, string Tenant, string CardNetwork, string CardCountry);

internal sealed record ChargeRequest(string CartId, double Amount, string Currency, string CardNetwork, string CardCountry, string Tenant);

internal sealed record Quote(string Carrier, double Price, int Days);

internal sealed record OrderPlaced(string OrderId, string UserId, string Country, CartLine[] Lines);
