namespace Apm.Storage.Embedded;

/// <summary>
/// A query's hold on what it reads: none of the parts is closed or deleted before the lease is disposed, which must happen once. Used by one query, on any
/// of its threads.
/// </summary>
internal sealed class SourceLease : IDisposable
{
    private readonly CancellationToken _closing;
    private PartSet? _parts;

    /// <param name="parts">Held for the lease by the caller.</param>
    public SourceLease(PartSet parts, IReadOnlyList<RowSource> sources, CancellationToken closing)
    {
        _parts = parts;
        Sources = sources;
        _closing = closing;
    }

    /// <summary>Immutable. Parts in the order of their seal, then what is in memory.</summary>
    public IReadOnlyList<RowSource> Sources { get; }

    /// <summary>Runs a query over the sources and ends the lease with it.</summary>
    /// <exception cref="StoreClosedException">The store is shutting down.</exception>
    public async Task<T> RunAsync<T>(Func<IReadOnlyList<RowSource>, CancellationToken, Task<T>> query, CancellationToken cancellationToken)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing);
        try
        {
            return await query(Sources, both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new StoreClosedException();
        }
        finally
        {
            Dispose();
        }
    }

    public void Dispose() => Interlocked.Exchange(ref _parts, null)?.Release();
}
