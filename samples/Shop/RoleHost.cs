using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Apm.Shop;

/// <summary>What every instrumented service of the shop is built on: Kestrel on one port, the OpenTelemetry SDK sending traces and logs over OTLP/gRPC, and its fault switches.</summary>
internal static class RoleHost
{
    /// <summary>Spans that the shop's own code starts, beside those of ASP.NET Core and HttpClient.</summary>
    public static readonly ActivitySource Source = new("Shop");

    public static async Task RunAsync(ShopOptions options, Action<WebApplication, ShopOptions> map, CancellationToken stop)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(options.Port));
        builder.Services.AddSingleton<FaultSwitches>();
        builder.Services.AddSingleton(new ShopNetwork(options.Ports));
        foreach (var peer in new[] { "cart", "catalog", "payments", "shipping", "recommendation" })
        {
            builder.Services.AddHttpClient(peer, client => client.BaseAddress = ShopNetwork.UriOf(peer))
                .ConfigurePrimaryHttpMessageHandler(services => services.GetRequiredService<ShopNetwork>().CreateHandler());
        }
        builder.Services.AddHttpClient("bank", client =>
        {
            client.BaseAddress = new Uri($"http://{ShopNetwork.BankHost}/");
            client.Timeout = Timeout.InfiniteTimeSpan; // each call has its own
        }).ConfigurePrimaryHttpMessageHandler(services => services.GetRequiredService<ShopNetwork>().CreateHandler());
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.Clear()
                .AddService(options.Role, serviceNamespace: "shop", serviceVersion: options.Version, serviceInstanceId: $"{options.Role}-{Environment.ProcessId}")
                .AddTelemetrySdk()
                .AddAttributes([new("deployment.environment.name", "production"), new("host.name", Environment.MachineName), new("process.runtime.name", ".NET"), new("process.runtime.version", Environment.Version.ToString())]))
            .WithTracing(tracing => tracing
                .AddSource(Source.Name)
                .AddAspNetCoreInstrumentation(http => http.Filter = context => !context.Request.Path.StartsWithSegments("/internal"))
                .AddHttpClientInstrumentation()
                .AddOtlpExporter(exporter => Configure(exporter, options)))
            .WithLogging(logging => logging.AddOtlpExporter((exporter, processor) =>
            {
                Configure(exporter, options);
                processor.BatchExportProcessorOptions.ScheduledDelayMilliseconds = exporter.BatchExportProcessorOptions.ScheduledDelayMilliseconds;
            }), logger =>
            {
                logger.IncludeFormattedMessage = true;
                logger.IncludeScopes = true;
            });
        builder.Logging.ClearProviders();
        builder.Logging.AddOpenTelemetry();
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        var app = builder.Build();
        app.MapGet("/internal/ready", () => "ready");
        app.MapPut("/internal/settings", (Settings settings, FaultSwitches switches, ShopNetwork network) =>
        {
            switches.Set(settings.On);
            network.Move(settings.Ports);
        });
        map(app, options);
        await app.StartAsync(stop);
        await app.WaitForShutdownAsync(stop);
    }

    private static void Configure(OtlpExporterOptions exporter, ShopOptions options)
    {
        exporter.Endpoint = new Uri(options.Otlp);
        exporter.Protocol = OtlpExportProtocol.Grpc;
        exporter.BatchExportProcessorOptions = new BatchExportActivityProcessorOptions { ScheduledDelayMilliseconds = 1000 };
    }
}
