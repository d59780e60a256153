using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage;

/// <summary>
/// What spans and log records have in common in storage. Appends come from one writer, in the order of positions; queries from any number of threads,
/// each sees a consistent snapshot that includes every append completed before it began. Implemented by the embedded engine and by Elasticsearch.
/// </summary>
public interface ITelemetryStore
{
    /// <summary>
    /// Makes the batch visible to every later query. <paramref name="position"/> is the last buffer position the batch contains; appends of a position not
    /// above <see cref="CoveredPosition"/> are ignored, as they are stored already. The batch must not be changed afterwards.
    /// A batch without rows only moves the position: everything up to it was of the other signal. After a failure the same batch comes again.
    /// </summary>
    ValueTask AppendAsync(ColumnBatch batch, long position, CancellationToken cancellationToken);

    /// <summary>Every append up to and including this position is durable in the store itself; the buffer need not keep it.</summary>
    long CoveredPosition { get; }

    /// <summary>Counts, errors and durations of the records that match, by time step and group. For log records "errors" are those of severity error or above, and durations are absent.</summary>
    Task<AggregateResult> AggregateAsync(AggregateQuery query, QueryBudget budget, CancellationToken cancellationToken);

    /// <summary>The most frequent values of attributes among the records that match.</summary>
    Task<FacetResult> GetFacetsAsync(FacetQuery query, QueryBudget budget, CancellationToken cancellationToken);

    /// <summary>Attribute keys seen in the range, by scope, most frequent first.</summary>
    Task<IReadOnlyList<AttributeName>> GetAttributeNamesAsync(AttributeNameQuery query, QueryBudget budget, CancellationToken cancellationToken);
}
