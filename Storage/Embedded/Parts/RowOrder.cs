using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// The order of rows in a part. Spans: traces by their first start, spans inside by start, so that a trace is one run. Log records: by resource, then time.
/// Equal rows keep the order of arrival.
/// </summary>
internal static class RowOrder
{
    /// <summary>All rows of the batches, in the order of a part, as one new batch.</summary>
    public static ColumnBatch Merge(IReadOnlyList<ColumnBatch> batches)
    {
        var merged = new ColumnBatch(batches[0].Signal);
        var copiers = new BatchCopier[batches.Count];
        for (var i = 0; i < batches.Count; i++)
        {
            copiers[i] = new BatchCopier(batches[i], merged, batches[i].Rows);
        }
        var rows = Locate(batches);
        var order = batches[0].Signal == Signal.Traces ? OrderSpans(batches, rows) : OrderLogRecords(batches, copiers, rows);
        foreach (var index in order)
        {
            copiers[rows[index].Batch].CopyRow(rows[index].Row);
        }
        return merged;
    }

    private static (int Batch, int Row)[] Locate(IReadOnlyList<ColumnBatch> batches)
    {
        var rows = new (int, int)[batches.Sum(batch => batch.Rows)];
        var next = 0;
        for (var batch = 0; batch < batches.Count; batch++)
        {
            for (var row = 0; row < batches[batch].Rows; row++)
            {
                rows[next++] = (batch, row);
            }
        }
        return rows;
    }

    private static int[] OrderSpans(IReadOnlyList<ColumnBatch> batches, (int Batch, int Row)[] rows)
    {
        var times = new long[rows.Length];
        var traceOf = new int[rows.Length];
        var traces = new Dictionary<TraceId, int>();
        var keys = new List<(long First, TraceId Id)>();
        var counts = new List<int>();
        for (var i = 0; i < rows.Length; i++)
        {
            var batch = batches[rows[i].Batch];
            var id = batch.TraceId[rows[i].Row];
            times[i] = batch.TimeUnixNano[rows[i].Row];
            if (!traces.TryGetValue(id, out var trace))
            {
                trace = keys.Count;
                traces.Add(id, trace);
                keys.Add((times[i], id));
                counts.Add(0);
            }
            traceOf[i] = trace;
            counts[trace]++;
            if (times[i] < keys[trace].First)
            {
                keys[trace] = (times[i], id);
            }
        }
        var sorted = Enumerable.Range(0, keys.Count).ToArray();
        Array.Sort(keys.ToArray(), sorted, Comparer<(long First, TraceId Id)>.Create(CompareTraces));
        var starts = new int[keys.Count];
        var start = 0;
        foreach (var trace in sorted)
        {
            starts[trace] = start;
            start += counts[trace];
        }
        var order = new int[rows.Length];
        var next = (int[])starts.Clone();
        for (var i = 0; i < rows.Length; i++)
        {
            order[next[traceOf[i]]++] = i;
        }
        for (var trace = 0; trace < starts.Length; trace++)
        {
            SortByTime(order.AsSpan(starts[trace], counts[trace]), times);
        }
        return order;
    }

    private static int CompareTraces((long First, TraceId Id) left, (long First, TraceId Id) right)
    {
        var first = left.First.CompareTo(right.First);
        return first != 0 ? first : left.Id.CompareTo(right.Id);
    }

    private static void SortByTime(Span<int> rows, long[] times)
    {
        for (var i = 1; i < rows.Length; i++)
        {
            if (times[rows[i]] < times[rows[i - 1]])
            {
                rows.Sort((left, right) =>
                {
                    var time = times[left].CompareTo(times[right]);
                    return time != 0 ? time : left.CompareTo(right);
                });
                return;
            }
        }
    }

    private static int[] OrderLogRecords(IReadOnlyList<ColumnBatch> batches, BatchCopier[] copiers, (int Batch, int Row)[] rows)
    {
        var order = new int[rows.Length];
        var keys = new (int Resource, long Time, int Index)[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            var batch = batches[rows[i].Batch];
            keys[i] = (copiers[rows[i].Batch].CopyResource(batch.Resource[rows[i].Row]), batch.TimeUnixNano[rows[i].Row], i);
            order[i] = i;
        }
        Array.Sort(keys, order);
        return order;
    }
}
