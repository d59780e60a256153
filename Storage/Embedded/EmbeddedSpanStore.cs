using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>The spans of an <see cref="EmbeddedEngine"/>.</summary>
internal sealed class EmbeddedSpanStore(EmbeddedEngine engine) : ISpanStore
{
    private const Signal Spans = Signal.Traces;

    public long CoveredPosition => engine.CoveredPosition(Spans);

    public ValueTask AppendAsync(ColumnBatch batch, long position, CancellationToken cancellationToken) => batch.Signal == Spans
        ? engine.AppendAsync(batch, position, cancellationToken)
        : throw new ArgumentException($"a batch of {batch.Signal} was appended to the spans", nameof(batch));

    public Task<TraceFetch> GetTraceAsync(TraceId traceId, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Spans).RunAsync((sources, token) => engine.Search.GetTraceAsync(sources, traceId, budget, token), cancellationToken);

    public Task<TraceSearchResult> SearchTracesAsync(TraceQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Spans).RunAsync((sources, token) => engine.Search.SearchTracesAsync(sources, query, budget, token), cancellationToken);

    public Task<EdgeResult> GetEdgesAsync(TimeRange range, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Spans).RunAsync((sources, token) => engine.Search.GetEdgesAsync(sources, range, budget, token), cancellationToken);

    public Task<AggregateResult> AggregateAsync(AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Spans).RunAsync((sources, token) => engine.Search.AggregateAsync(sources, Spans, query, budget, token), cancellationToken);

    public Task<FacetResult> GetFacetsAsync(FacetQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Spans).RunAsync((sources, token) => engine.Search.GetFacetsAsync(sources, Spans, query, budget, token), cancellationToken);

    public Task<IReadOnlyList<AttributeName>> GetAttributeNamesAsync(AttributeNameQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Spans).RunAsync((sources, token) => engine.Search.GetAttributeNamesAsync(sources, query, budget, token), cancellationToken);
}
