using System.Buffers;
using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>A row of one of several batches; or an event or link of one, by its index there.</summary>
internal readonly record struct RowRef(int Batch, int Row);

/// <summary>
/// The rows of some batches in the order of a part. Spans: traces by their first start (then id), spans inside by start, so that a trace is one run. Log
/// records: by resource, then time. Equal rows keep the order of arrival. Holds pooled memory until it is disposed.
/// </summary>
internal sealed class RowOrder : IDisposable
{
    /// <summary>A trace of at most as many spans is sorted by insertion.</summary>
    private const int MaxInsertedRows = 32;

    private readonly RowRef[] _rows;
    private readonly int _count;

    private RowOrder(IReadOnlyList<ColumnBatch> batches, int[][]? resourceOf)
    {
        _count = batches.Sum(batch => batch.Rows);
        _rows = ArrayPool<RowRef>.Shared.Rent(_count);
        var times = ArrayPool<long>.Shared.Rent(_count);
        try
        {
            if (resourceOf is null)
            {
                Runs = OrderSpans(batches, times);
            }
            else
            {
                OrderLogRecords(batches, resourceOf, times);
                Runs = RunsOf(batches);
            }
        }
        finally
        {
            ArrayPool<long>.Shared.Return(times);
        }
    }

    public ReadOnlySpan<RowRef> Rows => _rows.AsSpan(0, _count);

    /// <summary>First row of each run of rows with the same trace id, and the count of rows at the end.</summary>
    public int[] Runs { get; }

    /// <param name="batches">Of spans, at least one row.</param>
    public static RowOrder OfSpans(IReadOnlyList<ColumnBatch> batches) => new(batches, null);

    /// <param name="batches">Of log records, at least one row.</param>
    /// <param name="resourceOf">For each batch, the part's resource for each of its own.</param>
    public static RowOrder OfLogRecords(IReadOnlyList<ColumnBatch> batches, int[][] resourceOf) => new(batches, resourceOf);

    public void Dispose() => ArrayPool<RowRef>.Shared.Return(_rows);

    private int[] OrderSpans(IReadOnlyList<ColumnBatch> batches, long[] times)
    {
        var traceOf = ArrayPool<int>.Shared.Rent(_count);
        using var traces = new TraceTable();
        var at = 0;
        foreach (var batch in batches)
        {
            traces.Add(batch.TraceId.Values, batch.TimeUnixNano.Values, traceOf.AsSpan(at, batch.Rows));
            at += batch.Rows;
        }
        var runs = new int[traces.Count + 1];
        var next = ArrayPool<int>.Shared.Rent(traces.Count);
        var run = 0;
        var start = 0;
        foreach (var trace in traces.Sorted())
        {
            next[trace] = runs[run++] = start;
            start += traces.RowsOf(trace);
        }
        runs[run] = start;
        at = 0;
        for (var number = 0; number < batches.Count; number++)
        {
            var starts = batches[number].TimeUnixNano.Values;
            for (var row = 0; row < starts.Length; row++)
            {
                var place = next[traceOf[at++]]++;
                _rows[place] = new RowRef(number, row);
                times[place] = starts[row];
            }
        }
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(traceOf);
        for (run = 0; run < traces.Count; run++)
        {
            SortByTime(times.AsSpan(runs[run]..runs[run + 1]), _rows.AsSpan(runs[run]..runs[run + 1]));
        }
        return runs;
    }

    private void OrderLogRecords(IReadOnlyList<ColumnBatch> batches, int[][] resourceOf, long[] times)
    {
        var next = new int[resourceOf.Max(map => map.Max()) + 1];
        for (var number = 0; number < batches.Count; number++)
        {
            foreach (var resource in batches[number].Resource.Values)
            {
                next[resourceOf[number][resource]]++;
            }
        }
        var start = 0;
        foreach (ref var count in next.AsSpan())
        {
            (count, start) = (start, start + count);
        }
        for (var number = 0; number < batches.Count; number++)
        {
            var resources = batches[number].Resource.Values;
            var timeOf = batches[number].TimeUnixNano.Values;
            for (var row = 0; row < resources.Length; row++)
            {
                var place = next[resourceOf[number][resources[row]]]++;
                _rows[place] = new RowRef(number, row);
                times[place] = timeOf[row];
            }
        }
        start = 0;
        foreach (var end in next)
        {
            SortByTime(times.AsSpan(start..end), _rows.AsSpan(start..end));
            start = end;
        }
    }

    private int[] RunsOf(IReadOnlyList<ColumnBatch> batches)
    {
        var runs = new List<int>();
        var last = default(TraceId);
        for (var i = 0; i < _count; i++)
        {
            var row = _rows[i];
            var id = batches[row.Batch].TraceId[row.Row];
            if (i == 0 || id != last)
            {
                runs.Add(i);
                last = id;
            }
        }
        runs.Add(_count);
        return [.. runs];
    }

    /// <summary>Sorts both by time; rows of the same time keep their order.</summary>
    private static void SortByTime(Span<long> times, Span<RowRef> rows)
    {
        var sorted = 1;
        while (sorted < times.Length && times[sorted] >= times[sorted - 1])
        {
            sorted++;
        }
        if (sorted >= times.Length)
        {
            return;
        }
        if (times.Length > MaxInsertedRows)
        {
            SortLong(times, rows);
            return;
        }
        for (; sorted < times.Length; sorted++)
        {
            var (time, row) = (times[sorted], rows[sorted]);
            var place = sorted;
            for (; place > 0 && times[place - 1] > time; place--)
            {
                times[place] = times[place - 1];
                rows[place] = rows[place - 1];
            }
            times[place] = time;
            rows[place] = row;
        }
    }

    private static void SortLong(Span<long> times, Span<RowRef> rows)
    {
        var pooledOrder = ArrayPool<int>.Shared.Rent(rows.Length);
        var pooledRows = ArrayPool<RowRef>.Shared.Rent(rows.Length);
        var order = pooledOrder.AsSpan(0, rows.Length);
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }
        rows.CopyTo(pooledRows);
        times.Sort(order);
        for (var start = 0; start < times.Length;)
        {
            var end = start + 1;
            while (end < times.Length && times[end] == times[start])
            {
                end++;
            }
            order[start..end].Sort();
            start = end;
        }
        for (var i = 0; i < order.Length; i++)
        {
            rows[i] = pooledRows[order[i]];
        }
        ArrayPool<int>.Shared.Return(pooledOrder);
        ArrayPool<RowRef>.Shared.Return(pooledRows);
    }
}
