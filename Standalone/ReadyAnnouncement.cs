using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Apm.Standalone;

/// <summary>Prints the one line that says it works, when it does: every health check says ready, so what was in the buffer is readable too.</summary>
internal static class ReadyAnnouncement
{
    /// <summary>Short beside the start's seconds, long beside a check's microseconds.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public static async Task PrintAsync(IHost host, int port, TimeProvider time, CancellationToken cancellationToken)
    {
        var health = (HealthCheckService)host.Services.GetService(typeof(HealthCheckService))!;
        while ((await health.CheckHealthAsync(cancellationToken)).Status == HealthStatus.Unhealthy)
        {
            await Task.Delay(Interval, time, cancellationToken);
        }
        Console.WriteLine(FormattableString.Invariant($"Apm is ready: http://localhost:{port}"));
    }
}
