using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage;

/// <summary>Spans. A span stored twice (same trace and span id) shows once in every answer.</summary>
public interface ISpanStore : ITelemetryStore
{
    /// <summary>Every span of the trace, each once, ordered by start; an empty batch when there is none. Bounded by <see cref="QueryBudget.Rows"/>.</summary>
    Task<TraceFetch> GetTraceAsync(TraceId traceId, QueryBudget budget, CancellationToken cancellationToken);

    /// <summary>Traces of which at least one span matches the filter and starts in the range.</summary>
    Task<TraceSearchResult> SearchTracesAsync(TraceQuery query, QueryBudget budget, CancellationToken cancellationToken);

    /// <summary>Calls between services, from parent and child spans, and from client spans to peers that send none (databases, queues, hosts).</summary>
    Task<EdgeResult> GetEdgesAsync(TimeRange range, QueryBudget budget, CancellationToken cancellationToken);
}
