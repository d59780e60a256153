using Apm.Collector.Admission;
using Apm.Collector.Otlp;
using Apm.DurableBuffer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Apm.Collector;

/// <summary>Adds the Collector to a host. The host has an <see cref="IBufferWriter"/>, and listens on the receivers' ports.</summary>
public static class CollectorRegistration
{
    /// <param name="receivers">Every receiver, also those that are closed or failed; shown by <c>GET /api/v1/ingest</c> and the health check "receivers".</param>
    public static IServiceCollection AddCollector(this IServiceCollection services, CollectorOptions options, OtlpHttpReceiverOptions otlpHttp, IReadOnlyList<ReceiverPort> receivers)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton(options);
        services.AddSingleton(otlpHttp);
        services.AddSingleton(receivers);
        services.AddSingleton(new InFlightBytes(options.MaxInFlightBytes));
        services.AddSingleton<IngestMeter>();
        services.AddSingleton<IngestLedger>();
        services.AddSingleton<OtlpIntake>();
        services.AddSingleton<OtlpGrpcReceiver>();
        services.AddSingleton<OtlpHttpReceiver>();
        services.AddHealthChecks().AddCheck<ReceiversHealthCheck>("receivers");
        return services;
    }

    /// <summary>Puts the receivers' ports in front of everything else, and maps <c>/v1/*</c> and <c>GET /api/v1/ingest</c>.</summary>
    public static void MapCollector(this WebApplication app)
    {
        var receivers = app.Services.GetRequiredService<IReadOnlyList<ReceiverPort>>();
        ReceiverGate.Use(app, receivers, app.Services.GetRequiredService<OtlpGrpcReceiver>());
        var http = app.Services.GetRequiredService<OtlpHttpReceiver>();
        foreach (var signal in OtlpSignal.All)
        {
            app.Map(signal.HttpPath, context => http.HandleAsync(context, signal)).ExcludeFromDescription();
        }
        MapIngestReport(app, receivers);
    }

    private static void MapIngestReport(WebApplication app, IReadOnlyList<ReceiverPort> receivers)
    {
        var ledger = app.Services.GetRequiredService<IngestLedger>();
        var buffer = app.Services.GetRequiredService<IBufferWriter>();
        app.MapGet("/api/v1/ingest", () =>
        {
            var snapshot = ledger.Snapshot();
            var report = new IngestReport(receivers, buffer.Status, snapshot.Totals, snapshot.Rejections, snapshot.Recent, snapshot.Series);
            return TypedResults.Json(report, IngestJson.Default.IngestReport);
        }).WithSummary("What came in, what was rejected and why");
    }

    /// <summary>Degraded, which is still ready, when a default port was taken.</summary>
    private sealed class ReceiversHealthCheck(IReadOnlyList<ReceiverPort> receivers) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
        {
            var data = receivers.ToDictionary(receiver => receiver.Name,
                receiver => (object)FormattableString.Invariant($"{receiver.Port} {receiver.State.ToString().ToLowerInvariant()}{(receiver.Detail is null ? "" : ": " + receiver.Detail)}"));
            var failed = receivers.Where(receiver => receiver.State == ReceiverState.Failed).Select(receiver => $"{receiver.Name}: {receiver.Detail}").ToArray();
            return Task.FromResult(failed.Length > 0 ? HealthCheckResult.Degraded(string.Join("; ", failed), data: data) : HealthCheckResult.Healthy(data: data));
        }
    }
}
