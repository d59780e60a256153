using Apm.Storage.Columns;

namespace Apm.Storage;

/// <summary>Log records, in or outside traces.</summary>
public interface ILogStore : ITelemetryStore
{
    /// <summary>The records that match, ordered by time.</summary>
    Task<LogSearchResult> SearchLogsAsync(LogQuery query, QueryBudget budget, CancellationToken cancellationToken);
}
