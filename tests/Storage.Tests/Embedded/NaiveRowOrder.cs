using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Tests.Embedded;

/// <summary>The order of rows in a part as FORMAT.md says it, without regard to speed.</summary>
internal static class NaiveRowOrder
{
    /// <summary>All rows of the batches, in the order of a part, as one batch.</summary>
    public static ColumnBatch Sorted(IReadOnlyList<ColumnBatch> batches)
    {
        var sorted = new ColumnBatch(batches[0].Signal);
        var rows = new List<(BatchCopier Copier, int Row, TraceId Trace, long Time, int Resource)>();
        foreach (var batch in batches)
        {
            var copier = new BatchCopier(batch, sorted, batch.Rows);
            var resources = Enumerable.Range(0, batch.ResourceAttributes.OwnerCount).Select(copier.CopyResource).ToArray();
            for (var row = 0; row < batch.Rows; row++)
            {
                rows.Add((copier, row, batch.TraceId[row], batch.TimeUnixNano[row], resources[batch.Resource[row]]));
            }
        }
        var inOrder = sorted.Signal == Signal.Logs
            ? rows.OrderBy(row => row.Resource).ThenBy(row => row.Time)
            : rows.GroupBy(row => row.Trace).OrderBy(trace => trace.Min(row => row.Time)).ThenBy(trace => trace.Key).SelectMany(trace => trace.OrderBy(row => row.Time));
        foreach (var row in inOrder)
        {
            row.Copier.CopyRow(row.Row);
        }
        return sorted;
    }
}
