using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Answers the queries of <see cref="ISpanStore"/> and <see cref="ILogStore"/> from a snapshot of sources. Holds no state; runs on the thread pool, one
/// thread a query. The caller keeps the sources alive until the task ends.
/// </summary>
/// <param name="onDamage">Told of damaged blocks, which are left out of an answer that is then incomplete.</param>
internal sealed class StoreSearch(TimeProvider time, Action<CorruptPartException>? onDamage = null)
{
    public Task<TraceFetch> GetTraceAsync(IReadOnlyList<RowSource> sources, TraceId traceId, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => TraceReader.Run(scan, traceId), cancellationToken);

    public Task<TraceSearchResult> SearchTracesAsync(IReadOnlyList<RowSource> sources, TraceQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => TraceSearch.Run(scan, query), cancellationToken);

    public Task<LogSearchResult> SearchLogsAsync(IReadOnlyList<RowSource> sources, LogQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => LogSearch.Run(scan, query), cancellationToken);

    public Task<AggregateResult> AggregateAsync(IReadOnlyList<RowSource> sources, Signal signal, AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => Aggregation.Run(scan, query, signal), cancellationToken);

    public Task<FacetResult> GetFacetsAsync(IReadOnlyList<RowSource> sources, Signal signal, FacetQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => FacetCount.Run(scan, query, signal), cancellationToken);

    public Task<IReadOnlyList<AttributeName>> GetAttributeNamesAsync(IReadOnlyList<RowSource> sources, AttributeNameQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => AttributeNameScan.Run(scan, query), cancellationToken);

    public Task<EdgeResult> GetEdgesAsync(IReadOnlyList<RowSource> sources, TimeRange range, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => EdgeScan.Run(scan, range), cancellationToken);

    private Task<T> RunAsync<T>(IReadOnlyList<RowSource> sources, QueryBudget budget, Func<Scan, T> run, CancellationToken cancellationToken)
    {
        var scan = new Scan(sources, budget, time, onDamage, cancellationToken);
        return Task.Run(() => run(scan), cancellationToken);
    }
}
