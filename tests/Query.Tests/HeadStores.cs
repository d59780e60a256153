using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;

namespace Apm.Query.Tests;

/// <summary>The embedded engine's search over batches in memory.</summary>
internal abstract class HeadStore(Signal signal, TimeProvider time) : ITelemetryStore
{
    private IReadOnlyList<RowSource> _sources = [];

    /// <summary>Awaited by every query before it begins, so that a test can hold queries up.</summary>
    public Func<CancellationToken, Task> BeforeQuery { get; set; } = _ => Task.CompletedTask;

    public long CoveredPosition => 0;

    protected StoreSearch Search { get; } = new(time);

    protected async Task<IReadOnlyList<RowSource>> SourcesAsync(CancellationToken cancellationToken)
    {
        await BeforeQuery(cancellationToken);
        return _sources;
    }

    public void Append(ColumnBatch batch) => Append(new HeadSource(batch));

    public void Append(RowSource source) => _sources = [.. _sources, source];

    public ValueTask AppendAsync(ColumnBatch batch, long position, CancellationToken cancellationToken)
    {
        Append(batch);
        return ValueTask.CompletedTask;
    }

    public async Task<AggregateResult> AggregateAsync(AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        await Search.AggregateAsync(await SourcesAsync(cancellationToken), signal, query, budget, cancellationToken);

    public async Task<FacetResult> GetFacetsAsync(FacetQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        await Search.GetFacetsAsync(await SourcesAsync(cancellationToken), signal, query, budget, cancellationToken);

    public async Task<IReadOnlyList<AttributeName>> GetAttributeNamesAsync(AttributeNameQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        await Search.GetAttributeNamesAsync(await SourcesAsync(cancellationToken), query, budget, cancellationToken);
}

internal sealed class HeadSpanStore(TimeProvider time) : HeadStore(Signal.Traces, time), ISpanStore
{
    public async Task<TraceFetch> GetTraceAsync(TraceId traceId, QueryBudget budget, CancellationToken cancellationToken) =>
        await Search.GetTraceAsync(await SourcesAsync(cancellationToken), traceId, budget, cancellationToken);

    public async Task<TraceSearchResult> SearchTracesAsync(TraceQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        await Search.SearchTracesAsync(await SourcesAsync(cancellationToken), query, budget, cancellationToken);

    public async Task<EdgeResult> GetEdgesAsync(TimeRange range, QueryBudget budget, CancellationToken cancellationToken) =>
        await Search.GetEdgesAsync(await SourcesAsync(cancellationToken), range, budget, cancellationToken);
}

internal sealed class HeadLogStore(TimeProvider time) : HeadStore(Signal.Logs, time), ILogStore
{
    public async Task<LogSearchResult> SearchLogsAsync(LogQuery query, QueryBudget budget, CancellationToken cancellationToken) =>
        await Search.SearchLogsAsync(await SourcesAsync(cancellationToken), query, budget, cancellationToken);
}
