using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>The log records of an <see cref="EmbeddedEngine"/>.</summary>
internal sealed class EmbeddedLogStore(EmbeddedEngine engine) : ILogStore
{
    public long CoveredPosition => engine.CoveredPosition(Signal.Logs);

    public ValueTask AppendAsync(ColumnBatch batch, long position, CancellationToken cancellationToken) => batch.Signal == Signal.Logs
        ? engine.AppendAsync(batch, position, cancellationToken)
        : throw new ArgumentException($"a batch of {batch.Signal} was appended to the log records", nameof(batch));

    public Task<LogSearchResult> SearchLogsAsync(LogQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Signal.Logs).RunAsync((sources, token) => engine.Search.SearchLogsAsync(sources, query, budget, token), cancellationToken);

    public Task<AggregateResult> AggregateAsync(AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Signal.Logs).RunAsync((sources, token) => engine.Search.AggregateAsync(sources, Signal.Logs, query, budget, token), cancellationToken);

    public Task<FacetResult> GetFacetsAsync(FacetQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Signal.Logs).RunAsync((sources, token) => engine.Search.GetFacetsAsync(sources, Signal.Logs, query, budget, token), cancellationToken);

    public Task<IReadOnlyList<AttributeName>> GetAttributeNamesAsync(AttributeNameQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        engine.Lease(Signal.Logs).RunAsync((sources, token) => engine.Search.GetAttributeNamesAsync(sources, query, budget, token), cancellationToken);
}
