using Apm.Storage.Columns;
using Apm.Storage.Embedded.Rollups;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Answers the queries of <see cref="ISpanStore"/> and <see cref="ILogStore"/> from a snapshot of sources. Holds no state; runs on the threads of a
/// <see cref="ScanScheduler"/>. The caller keeps the sources alive until the task ends.
/// </summary>
/// <param name="onDamage">Told of damaged blocks, which are left out of an answer that is then incomplete.</param>
/// <param name="scheduler">The process's when null.</param>
internal sealed class StoreSearch(TimeProvider time, Action<CorruptPartException>? onDamage = null, ScanScheduler? scheduler = null)
{
    private readonly ScanScheduler _scheduler = scheduler ?? ScanScheduler.Shared;

    /// <summary>False only when no part of the store has spans of the trace; null: parts are asked.</summary>
    public Func<TraceId, bool>? MayBeSealed { get; init; }

    public Task<TraceFetch> GetTraceAsync(IReadOnlyList<RowSource> sources, TraceId traceId, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => TraceReader.Run(scan, traceId), cancellationToken);

    public Task<TraceSearchResult> SearchTracesAsync(IReadOnlyList<RowSource> sources, TraceQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        TraceSearch.RunAsync(_scheduler, NewScan(sources, budget, cancellationToken), query, cancellationToken);

    public Task<LogSearchResult> SearchLogsAsync(IReadOnlyList<RowSource> sources, LogQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        LogSearch.RunAsync(_scheduler, NewScan(sources, budget, cancellationToken), query, cancellationToken);

    /// <summary>From rollups as far as they determine the answer, else from rows.</summary>
    public Task<AggregateResult> AggregateAsync(IReadOnlyList<RowSource> sources, Signal signal, AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        signal == Signal.Traces && RollupAggregation.Of(query) is { } fromRollups
            ? AggregateAsync(fromRollups, sources, budget, cancellationToken)
            : AggregateRowsAsync(sources, signal, query, budget, cancellationToken);

    internal Task<AggregateResult> AggregateRowsAsync(IReadOnlyList<RowSource> sources, Signal signal, AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        Aggregation.RunAsync(_scheduler, NewScan(sources, budget, cancellationToken), query, signal, cancellationToken);

    private async Task<AggregateResult> AggregateAsync(RollupAggregation fromRollups, IReadOnlyList<RowSource> sources, QueryBudget budget, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        await _scheduler.RunAsync(
            () => new SingleStep<bool>(() => fromRollups.AddRollups(sources, onDamage, cancellationToken)), static strands => strands[0].Result, cancellationToken, maxStrands: 1).ConfigureAwait(false);
        await fromRollups.AddRowsAsync((some, query) => AggregateRowsAsync(some, Signal.Traces, query, budget, cancellationToken)).ConfigureAwait(false);
        return fromRollups.ToResult(sources, time.GetElapsedTime(start), budget.Explain);
    }

    public Task<FacetResult> GetFacetsAsync(IReadOnlyList<RowSource> sources, Signal signal, FacetQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        FacetCount.RunAsync(_scheduler, NewScan(sources, budget, cancellationToken), query, signal, cancellationToken);

    public Task<IReadOnlyList<AttributeName>> GetAttributeNamesAsync(IReadOnlyList<RowSource> sources, AttributeNameQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => AttributeNameScan.Run(scan, query), cancellationToken);

    public Task<EdgeResult> GetEdgesAsync(IReadOnlyList<RowSource> sources, TimeRange range, QueryBudget budget, CancellationToken cancellationToken) =>
        RunAsync(sources, budget, scan => EdgeAnswer.Run(scan, range, MayBeSealed, onDamage), cancellationToken, isLong: true);

    private Scan NewScan(IReadOnlyList<RowSource> sources, QueryBudget budget, CancellationToken cancellationToken) => new(sources, budget, time, onDamage, cancellationToken);

    private Task<T> RunAsync<T>(IReadOnlyList<RowSource> sources, QueryBudget budget, Func<Scan, T> run, CancellationToken cancellationToken, bool isLong = false)
    {
        var scan = NewScan(sources, budget, cancellationToken);
        return _scheduler.RunAsync(() => new SingleStep<T>(() => run(scan)), static strands => strands[0].Result, cancellationToken, maxStrands: 1, isLong);
    }
}
