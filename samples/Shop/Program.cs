using Apm.Shop;
using Apm.Shop.Roles;

ShopOptions options;
try
{
    if (args.Contains("--help"))
    {
        Console.WriteLine(ShopOptions.Usage);
        return 0;
    }
    options = ShopOptions.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n\n{ShopOptions.Usage}");
    return 2;
}

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    stop.Cancel();
};
using var terminated = System.Runtime.InteropServices.PosixSignalRegistration.Create(System.Runtime.InteropServices.PosixSignal.SIGTERM, context =>
{
    context.Cancel = true;
    stop.Cancel();
});
if (options.WatchStdin)
{
    // The parent holds the other end of standard input: when it ends, however it ends, so does this process.
    _ = Task.Run(async () =>
    {
        await Console.OpenStandardInput().CopyToAsync(Stream.Null);
        stop.Cancel();
    });
}

switch (options.Role)
{
    case "all": return await Supervisor.RunAsync(options, stop.Token);
    case "storefront": await RoleHost.RunAsync(options, Storefront.Map, stop.Token); return 0;
    case "cart": await RoleHost.RunAsync(options, Cart.Map, stop.Token); return 0;
    case "catalog": await RoleHost.RunAsync(options, Catalog.Map, stop.Token); return 0;
    case "payments": await RoleHost.RunAsync(options, Payments.Map, stop.Token); return 0;
    case "shipping": await RoleHost.RunAsync(options, Shipping.Map, stop.Token); return 0;
    case "recommendation": await RoleHost.RunAsync(options, Recommendation.Map, stop.Token); return 0;
    case "bank": await Bank.RunAsync(options, stop.Token); return 0;
    case "load": await LoadGenerator.RunAsync(options, stop.Token); return 0;
    default:
        Console.Error.WriteLine($"unknown role {options.Role}\n\n{ShopOptions.Usage}");
        return 2;
}
