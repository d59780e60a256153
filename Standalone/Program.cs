using Apm.Collector;
using Apm.DurableBuffer.Embedded;
using Apm.Ingester;
using Apm.Query;
using Apm.ServiceDefaults;
using Apm.ServiceDefaults.Settings;
using Apm.Standalone;
using Apm.Standalone.Tools;
using Apm.Storage.Embedded;
using Apm.Web;

return await ServiceHost.RunAsync(async () =>
{
    var arguments = Arguments.Parse(args);
    if (arguments.Answer is { } answer)
    {
        Console.WriteLine(answer);
        return 0;
    }
    if (arguments.Tool is { } tool)
    {
        return await ToolRun.RunAsync(tool);
    }
    var builder = ServiceHost.CreateBuilder("Apm.Standalone", arguments.Settings);
    var settings = StandaloneSettings.Read(builder.Configuration, arguments);
    using var data = DataDirectory.Lock(settings.Data);
    using var ports = PortBindings.Open(settings.Listen, settings.Ports());
    var receivers = settings.Receivers(ports);
    var port = ports.Ports[0].Port;

    builder.AddServiceDefaults(settings.Listen);
    ports.Use(builder.WebHost);
    builder.Services.AddEmbeddedStore(builder.Configuration, settings.Data.FullPath);
    builder.Services.AddEmbeddedBuffer(builder.Configuration, settings.Data.FullPath, services => services.EmbeddedStoreCoveredPosition(), services => services.EmbeddedStoreRefusal());
    builder.Services.AddIngester();
    builder.Services.AddCollector(settings.Collector, settings.OtlpHttp, receivers);
    builder.Services.AddQuery();
    builder.Services.AddWeb(web => web.QueryAddress ??= settings.Listen.OwnAddress(port));
    if (settings.Demo.Enabled)
    {
        builder.Services.AddSingleton(settings.Demo);
        builder.Services.AddHostedService<DemoShop>();
    }

    await using var app = builder.Build();
    app.MapCollector();
    app.UseServiceDefaults();
    app.MapQueryApi();
    app.MapOpenApi();
    app.MapWeb();
    await app.StartAsync();
    await ReadyAnnouncement.PrintAsync(app, port, TimeProvider.System, app.Lifetime.ApplicationStopping);
    await app.WaitForShutdownAsync();
    return 0;
});
