using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>Fetches all spans of one trace, whole.</summary>
internal sealed class TraceReader
{
    private readonly Scan _scan;
    private readonly TraceId _traceId;
    private readonly List<(long Start, SpanId Id, int Copy, int Row)> _order = [];
    private readonly List<ColumnBatch> _copies = [];
    private readonly List<int> _rows = [];

    private TraceReader(Scan scan, TraceId traceId)
    {
        _scan = scan;
        _traceId = traceId;
    }

    public static TraceFetch Run(Scan scan, TraceId traceId) => new TraceReader(scan, traceId).Run();

    private TraceFetch Run()
    {
        _scan.SkipsBy = "traceIndex";
        var blocks = new List<int>();
        var truncated = false;
        foreach (var source in _scan.Sources)
        {
            blocks.Clear();
            _scan.FindTrace(source, _traceId, blocks);
            foreach (var block in blocks.Order().Distinct())
            {
                if (!_scan.MayGoOn())
                {
                    truncated = true;
                    break;
                }
                _scan.Visit(source, block, Copy);
            }
        }
        var spans = new ColumnBatch(Signal.Traces);
        _order.Sort();
        var seen = new HashSet<SpanId>(_order.Count);
        var copiers = _copies.ConvertAll(copy => new BatchCopier(copy, spans, copy.Rows));
        foreach (var (_, id, copy, row) in _order)
        {
            if (!seen.Add(id))
            {
                continue;
            }
            if (spans.Rows >= _scan.Budget.Rows)
            {
                truncated = true;
                _scan.Stop("rows");
                break;
            }
            copiers[copy].CopyRow(row);
        }
        return new TraceFetch(spans, truncated, _scan.Report());
    }

    private void Copy(RowSource source, RowBlock block)
    {
        _rows.Clear();
        var ids = block.TraceIds;
        for (var from = ids.IndexOf(_traceId); from >= 0 && from < ids.Length;)
        {
            _rows.Add(from);
            var next = ids[(from + 1)..].IndexOf(_traceId);
            from = next < 0 ? -1 : from + 1 + next;
        }
        if (_rows.Count == 0)
        {
            return;
        }
        var copy = new ColumnBatch(Signal.Traces);
        block.CopyRows(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rows), copy);
        for (var row = 0; row < copy.Rows; row++)
        {
            _order.Add((copy.TimeUnixNano[row], copy.SpanId[row], _copies.Count, row));
        }
        _copies.Add(copy);
    }
}
