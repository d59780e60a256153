using Apm.Query.Services;
using Apm.Storage;

namespace Apm.Query.Traces;

/// <summary>How a span's duration ranks among those of its operation.</summary>
/// <param name="Count">Spans it is compared with.</param>
/// <param name="SlowerThan">The share of them that took less time, 0 to 1.</param>
internal sealed record DurationRank(long Count, long P50Nano, long P95Nano, long P99Nano, double SlowerThan)
{
    public static DurationRank Of(DurationHistogram? durations, long durationNano) => durations is null || durations.Count == 0
        ? new DurationRank(0, 0, 0, 0, 0)
        : new DurationRank(
            durations.Count, durations.QuantileNano(0.5), durations.QuantileNano(0.95), durations.QuantileNano(0.99),
            Math.Round(Math.Clamp(ServiceEndpoints.CountBelow(durations, durationNano) / durations.Count, 0, 1), 4));
}
