using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage;

/// <summary>
/// Spans. One that is appended again (same trace and span id) is dropped, so that it counts once; lists and traces show a span once even where a copy slipped
/// through, as the store remembers only so many.
/// </summary>
public interface ISpanStore : ITelemetryStore
{
    /// <summary>Every span of the trace, each once, ordered by start; an empty batch when there is none. Bounded by <see cref="QueryBudget.Rows"/>.</summary>
    Task<TraceFetch> GetTraceAsync(TraceId traceId, QueryBudget budget, CancellationToken cancellationToken);

    /// <summary>Traces of which at least one span matches the filter and starts in the range.</summary>
    Task<TraceSearchResult> SearchTracesAsync(TraceQuery query, QueryBudget budget, CancellationToken cancellationToken);

    /// <summary>Calls between services, from parent and child spans, and from client spans to peers that send none (databases, queues, hosts).</summary>
    Task<EdgeResult> GetEdgesAsync(TimeRange range, QueryBudget budget, CancellationToken cancellationToken);
}
