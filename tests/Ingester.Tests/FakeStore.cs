using System.Collections.Concurrent;
using System.Threading.Channels;
using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Ingester.Tests;

/// <summary>Takes appends, and fails those it is told to; answers no queries.</summary>
internal sealed class FakeStore : ISpanStore, ILogStore
{
    private readonly Channel<(ColumnBatch Batch, long Position)> _appends = Channel.CreateUnbounded<(ColumnBatch, long)>();
    private long _coveredPosition;
    private int _attempts;

    /// <summary>Thrown by the next appends, one each.</summary>
    public ConcurrentQueue<Exception> Failures { get; } = new();

    public int Attempts => Volatile.Read(ref _attempts);

    public long CoveredPosition
    {
        get => Interlocked.Read(ref _coveredPosition);
        set => Interlocked.Exchange(ref _coveredPosition, value);
    }

    public async Task<(ColumnBatch Batch, long Position)> NextAppendAsync() => await _appends.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public bool HasAppend => _appends.Reader.TryPeek(out _);

    public ValueTask AppendAsync(ColumnBatch batch, long position, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _attempts);
        if (Failures.TryDequeue(out var failure))
        {
            throw failure;
        }
        _appends.Writer.TryWrite((batch, position));
        return ValueTask.CompletedTask;
    }

    public Task<TraceFetch> GetTraceAsync(TraceId traceId, QueryBudget budget, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<TraceSearchResult> SearchTracesAsync(TraceQuery query, QueryBudget budget, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<EdgeResult> GetEdgesAsync(TimeRange range, QueryBudget budget, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<LogSearchResult> SearchLogsAsync(LogQuery query, QueryBudget budget, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<AggregateResult> AggregateAsync(AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<FacetResult> GetFacetsAsync(FacetQuery query, QueryBudget budget, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IReadOnlyList<AttributeName>> GetAttributeNamesAsync(AttributeNameQuery query, QueryBudget budget, CancellationToken cancellationToken) => throw new NotSupportedException();
}
