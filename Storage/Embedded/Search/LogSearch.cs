using Apm.Storage.Columns;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Finds a page of log records in the order of time. Records of the same time are ordered by where they are stored, which a snapshot does not change: so a
/// cursor is a time and a count.
/// </summary>
internal sealed class LogSearch : ScanStrand
{
    /// <summary>Rows up to which those of a block are copied while it is open: unpacking its texts again would cost far more than copies that are not needed.</summary>
    private const int FewRows = 8;

    /// <summary>Copies that one strand keeps. Blocks beyond are opened again for the page.</summary>
    private const long MaxCopyBytes = 8L << 20;

    private readonly LogPage _page;
    private readonly Scan _scan;
    private readonly FilterEvaluator _evaluator;
    private readonly Action<RowSource, RowBlock> _visit;
    private readonly List<LogPlace> _offered = [];
    private readonly Dictionary<(int Source, int Block), BlockRows> _copies = [];
    private long _copyBytes;

    /// <summary>Rows of a block, and where each is in the copy.</summary>
    private sealed record BlockRows(ColumnBatch Rows, Dictionary<int, int> Places);

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
        return scheduler.RunAsync(() => new LogSearch(page), Finish, cancellationToken);
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
        if (_offered.Count is > 0 and <= FewRows && _copyBytes < MaxCopyBytes)
        {
            var copy = CopyRows(block, [.. _offered.Select(static place => place.Row)]);
            _copies.Add((number, block.Index), copy);
            _copyBytes += copy.Rows.SizeBytes;
        }
        _page.Admit(RowMask.Count(rows), _offered);
    }

    private static LogSearchResult Finish(IReadOnlyList<LogSearch> strands)
    {
        var (page, scan) = (strands[0]._page, strands[0]._scan);
        var places = page.Places(out var next);
        var copies = new Dictionary<(int Source, int Block), BlockRows>();
        foreach (var (place, rows) in strands.SelectMany(strand => strand._copies))
        {
            copies.TryAdd(place, rows);
        }
        return new LogSearchResult(Join(scan, places, copies), page.Matched, next, scan.Report());
    }

    private static BlockRows CopyRows(RowBlock block, int[] rows)
    {
        var copy = new ColumnBatch(Signal.Logs);
        block.CopyRows(rows, copy);
        return new BlockRows(copy, rows.Index().ToDictionary(row => row.Item, row => row.Index));
    }

    /// <param name="copies">Those made in passing; gets the rest.</param>
    private static ColumnBatch Join(Scan scan, List<LogPlace> places, Dictionary<(int Source, int Block), BlockRows> copies)
    {
        foreach (var group in places.GroupBy(place => (place.Source, place.Block)))
        {
            if (!copies.ContainsKey(group.Key))
            {
                int[] rows = [.. group.Select(place => place.Row).Order()];
                scan.Visit(scan.Sources[group.Key.Source], group.Key.Block, (_, block) => copies.Add(group.Key, CopyRows(block, rows)));
            }
        }
        var records = new ColumnBatch(Signal.Logs);
        var copiers = new Dictionary<(int Source, int Block), BatchCopier>();
        foreach (var place in places)
        {
            var at = (place.Source, place.Block);
            if (copies.TryGetValue(at, out var copy))
            {
                if (!copiers.TryGetValue(at, out var copier))
                {
                    copiers.Add(at, copier = new BatchCopier(copy.Rows, records, copy.Rows.Rows));
                }
                copier.CopyRow(copy.Places[place.Row]);
            }
        }
        return records;
    }
}
