using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Apm.Ingester;

/// <summary>Unhealthy until what the log held at the start is visible, and while storage takes nothing.</summary>
internal sealed class IngesterHealth(IngestLoop loop) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        var data = new Dictionary<string, object> { ["appendedPosition"] = loop.AppendedPosition };
        var result = loop.Fault is { } fault ? HealthCheckResult.Unhealthy(fault, data: data)
            : !loop.CaughtUp.IsCompleted ? HealthCheckResult.Unhealthy("reading what was received before the start", data: data)
            : HealthCheckResult.Healthy(data: data);
        return Task.FromResult(result);
    }
}
