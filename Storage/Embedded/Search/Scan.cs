using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// One query's way through a snapshot of sources: opens blocks, keeps to the budget, counts what was read, and lives with damaged blocks. Used by all the
/// strands of the query.
/// </summary>
internal sealed class Scan
{
    /// <summary>In place of a block's number: what is damaged are the indexes of the source.</summary>
    private const int SourceItself = -1;

    private readonly TimeProvider _time;
    private readonly long _startTimestamp;
    private readonly Action<CorruptPartException>? _onDamage;
    private readonly CancellationToken _cancellationToken;
    private readonly ScanPlan? _plan;
    private readonly Lock _lock = new();
    private readonly HashSet<RowSource> _sourcesRead = [];
    private readonly HashSet<(RowSource, int)> _damaged = [];
    private string? _stoppedBy;
    private int _blocksRead;
    private long _bytesRead;
    private long _rowsScanned;

    /// <param name="onDamage">Told of each damaged block once a query, to log it.</param>
    public Scan(IReadOnlyList<RowSource> sources, QueryBudget budget, TimeProvider time, Action<CorruptPartException>? onDamage, CancellationToken cancellationToken)
    {
        Sources = sources;
        Budget = budget;
        _time = time;
        _startTimestamp = time.GetTimestamp();
        _onDamage = onDamage;
        _cancellationToken = cancellationToken;
        _plan = budget.Explain ? new ScanPlan() : null;
    }

    /// <summary>Why blocks are not looked at of which nothing else is known, as in <see cref="SourcePlan"/>.</summary>
    public string SkipsBy { get; set; } = "time";

    public IReadOnlyList<RowSource> Sources { get; }

    public QueryBudget Budget { get; }

    /// <summary>As <see cref="ScanReport.StoppedBy"/>; set once.</summary>
    public string? StoppedBy => Volatile.Read(ref _stoppedBy);

    /// <summary>Asked before each block: false when the budget is spent, which is then remembered.</summary>
    public bool MayGoOn()
    {
        _cancellationToken.ThrowIfCancellationRequested();
        if (StoppedBy is null)
        {
            if (Interlocked.Read(ref _bytesRead) >= Budget.ScannedBytes)
            {
                Stop("bytes");
            }
            else if (_time.GetElapsedTime(_startTimestamp) >= Budget.Time)
            {
                Stop("time");
            }
        }
        return StoppedBy is null;
    }

    public void Stop(string reason) => Interlocked.CompareExchange(ref _stoppedBy, reason, null);

    /// <summary>Opens a block, has it visited and closes it. A damaged block is reported and left out, and the answer is incomplete; false then.</summary>
    public bool Visit(RowSource source, int index, Action<RowSource, RowBlock> visit)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
        {
            _sourcesRead.Add(source);
            if (_damaged.Contains((source, index)))
            {
                return false;
            }
        }
        RowBlock? block = null;
        var began = _plan is null ? 0 : _time.GetTimestamp();
        try
        {
            block = source.OpenBlock(index);
            visit(source, block);
            return true;
        }
        catch (CorruptPartException exception)
        {
            AddDamage(source, index, exception);
            return false;
        }
        finally
        {
            if (block is not null)
            {
                Interlocked.Add(ref _bytesRead, block.BytesRead);
                Interlocked.Add(ref _rowsScanned, block.Rows);
                _plan?.Read(source, index, block.Rows, block.BytesRead, _time.GetElapsedTime(began));
                block.Dispose();
            }
            Interlocked.Increment(ref _blocksRead);
        }
    }

    /// <summary>Whether the indexes let a row of the source match. A damaged index is reported, and the source left out.</summary>
    public bool MayMatch(FilterEvaluator evaluator, RowSource source) => MayMatch(evaluator, source, SourceItself);

    /// <summary>As <see cref="MayMatch(FilterEvaluator, RowSource)"/>, of a block.</summary>
    public bool MayMatch(FilterEvaluator evaluator, RowSource source, int block)
    {
        try
        {
            if (block == SourceItself ? evaluator.MayMatch(source) : evaluator.MayMatch(source, block))
            {
                return true;
            }
            var (first, end) = block == SourceItself ? (0, source.BlockCount) : (block, block + 1);
            for (var skipped = first; _plan is not null && skipped < end; skipped++)
            {
                _plan.Skip(source, skipped, evaluator.SkippedBy(source, skipped));
            }
            return false;
        }
        catch (CorruptPartException exception)
        {
            AddDamage(source, SourceItself, exception);
            return false;
        }
    }

    /// <summary>Adds the blocks that may hold rows of the trace. A damaged index is reported, and the source left out.</summary>
    public void FindTrace(RowSource source, TraceId traceId, List<int> blocks)
    {
        try
        {
            source.FindTrace(traceId, blocks);
        }
        catch (CorruptPartException exception)
        {
            AddDamage(source, SourceItself, exception);
        }
    }

    public ScanReport Report()
    {
        var blocks = 0;
        foreach (var source in Sources)
        {
            blocks += source.BlockCount;
        }
        return new ScanReport(
            StoppedBy is null && _damaged.Count == 0, StoppedBy, _sourcesRead.Count, Sources.Count - _sourcesRead.Count,
            _blocksRead, Math.Max(0, blocks - _blocksRead), _rowsScanned, _bytesRead, _time.GetElapsedTime(_startTimestamp),
            Plan: _plan?.ToPlans(Sources, StoppedBy is null ? SkipsBy : StoppedBy == "limit" ? "limit" : "budget"));
    }

    /// <summary>The sources with rows in the range, latest first.</summary>
    public List<RowSource> SourcesIn(TimeRange range)
    {
        var found = SourcesIn(Sources, range);
        if (_plan is not null)
        {
            foreach (var source in Sources.Except(found))
            {
                _plan.Skip(source, "time");
            }
        }
        return found;
    }

    /// <summary>Notes that what the source's rows add up to was read in their place.</summary>
    public void UseRollup(RowSource source) => _plan?.UseRollup(source);

    /// <summary>Those of <paramref name="sources"/>.</summary>
    public static List<RowSource> SourcesIn(IReadOnlyList<RowSource> sources, TimeRange range)
    {
        var found = new List<RowSource>(sources.Count);
        foreach (var source in sources)
        {
            if (source.RowCount > 0 && range.Overlaps(source.FirstTimeUnixNano, source.LastTimeUnixNano))
            {
                found.Add(source);
            }
        }
        found.Sort(static (left, right) => right.LastTimeUnixNano.CompareTo(left.LastTimeUnixNano));
        return found;
    }

    private void AddDamage(RowSource source, int block, CorruptPartException exception)
    {
        bool isNew;
        lock (_lock)
        {
            isNew = _damaged.Add((source, block));
        }
        if (isNew)
        {
            _onDamage?.Invoke(exception);
        }
    }
}
