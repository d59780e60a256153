using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Apm.DurableBuffer;

/// <summary>Unhealthy while appends fail, degraded when the backlog nears its bound.</summary>
internal sealed class BufferHealth(IBufferWriter buffer) : IHealthCheck
{
    /// <summary>Share of the bound from which somebody should look at storage.</summary>
    private const double DegradedShare = 0.8;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        var status = buffer.Status;
        var data = new Dictionary<string, object>
        {
            ["appendedPosition"] = status.AppendedPosition,
            ["readPosition"] = status.ReadPosition,
            ["committedPosition"] = status.CommittedPosition,
            ["uncommittedBytes"] = status.UncommittedBytes,
            ["limitBytes"] = status.LimitBytes,
        };
        if (status.Fault is { } fault)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy(fault, data: data));
        }
        return Task.FromResult(status.UncommittedBytes >= status.LimitBytes * DegradedShare
            ? HealthCheckResult.Degraded("Storage does not keep up: the backlog nears its bound.", data: data)
            : HealthCheckResult.Healthy(data: data));
    }
}
