using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds a page of log records in the order of time. Records of the same time are ordered by where they are stored, which a snapshot does not change: so a
/// cursor is a time and a count.
/// </summary>
internal sealed class LogSearch : ScanStrand
{
    private readonly LogPage _page;
    private readonly Scan _scan;
    private readonly FilterEvaluator _evaluator;
    private readonly Action<RowSource, RowBlock> _visit;
    private readonly List<LogPlace> _offered = [];

    private LogSearch(LogPage page)
    {
        _page = page;
        _scan = page.Scan;
        _evaluator = page.NewEvaluator();
        _visit = ReadBlock;
    }

    public static Task<LogSearchResult> RunAsync(ScanScheduler scheduler, Scan scan, LogQuery query, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(query.Limit, 1, nameof(query));
        var page = new LogPage(scan, query);
        return scheduler.RunAsync(() => new LogSearch(page), static strands => strands[0].Finish(), cancellationToken);
    }

    public override bool Step()
    {
        if (!_page.TryTakeBlock(out var source, out var block) || !_scan.MayGoOn())
        {
            return false;
        }
        if (!source.AnswersAtOnce && !_scan.MayMatch(_evaluator, source, block))
        {
            return true;
        }
        _scan.Visit(source, block, _visit);
        return true;
    }

    private void ReadBlock(RowSource source, RowBlock block)
    {
        var rows = _evaluator.Evaluate(source, block);
        if (RowMask.IsEmpty(rows))
        {
            return;
        }
        _offered.Clear();
        var number = _page.NumberOf(source);
        var times = block.TimeUnixNano;
        var (least, highest) = (_page.LeastKey, _page.HighestKey);
        foreach (var row in new RowEnumerator(rows))
        {
            var key = _page.KeyOf(times[row]);
            if (key >= least && key <= highest)
            {
                _offered.Add(new LogPlace(key, number, block.Index, row));
            }
        }
        _page.Admit(RowMask.Count(rows), _offered);
    }

    private LogSearchResult Finish()
    {
        var places = _page.Places(out var next);
        return new LogSearchResult(Copy(places), _page.Matched, next, _scan.Report());
    }

    private ColumnBatch Copy(List<LogPlace> places)
    {
        var copies = new Dictionary<(int Source, int Block), (ColumnBatch Rows, Dictionary<int, int> Places)>();
        foreach (var group in places.GroupBy(place => (place.Source, place.Block)))
        {
            int[] rows = [.. group.Select(place => place.Row).Order()];
            var copy = new ColumnBatch(Signal.Logs);
            if (_scan.Visit(_scan.Sources[group.Key.Source], group.Key.Block, (_, block) => block.CopyRows(rows, copy)))
            {
                copies.Add(group.Key, (copy, rows.Index().ToDictionary(row => row.Item, row => row.Index)));
            }
        }
        var records = new ColumnBatch(Signal.Logs);
        var targets = copies.ToDictionary(copy => copy.Key, copy => new BatchCopier(copy.Value.Rows, records, copy.Value.Rows.Rows));
        foreach (var place in places)
        {
            if (copies.TryGetValue((place.Source, place.Block), out var copy))
            {
                targets[(place.Source, place.Block)].CopyRow(copy.Places[place.Row]);
            }
        }
        return records;
    }
}
