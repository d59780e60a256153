using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Apm.Storage.Embedded;

/// <summary>Unhealthy while new data is refused for want of room; degraded while merges fail, or when damaged parts were set aside.</summary>
internal sealed class StoreHealth(StoreMonitor monitor) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        var status = monitor.Status;
        var data = new Dictionary<string, object>
        {
            ["parts"] = status.Signals.Sum(static signal => signal.Parts),
            ["bytes"] = status.Signals.Sum(static signal => signal.Bytes),
            ["mergeBacklogParts"] = status.Merging.BacklogParts,
            ["damagedParts"] = status.DamagedParts,
            ["freeBytes"] = status.Disk.FreeBytes,
            ["watermarkBytes"] = status.Disk.WatermarkBytes,
        };
        if (status.Disk.Refusal is { } refusal)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy(refusal, data: data));
        }
        return Task.FromResult(status.Problems().ToArray() is { Length: > 0 } problems
            ? HealthCheckResult.Degraded(string.Join(" ", problems), data: data)
            : HealthCheckResult.Healthy(data: data));
    }
}
