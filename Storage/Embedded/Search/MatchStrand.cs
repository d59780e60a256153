using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>What the strands of a query over all matching rows share.</summary>
internal sealed class MatchScan(Scan scan, TimeRange range, Signal signal)
{
    public Scan Scan { get; } = scan;

    public Signal Signal { get; } = signal;

    public BlockCursor Blocks { get; } = new(scan.SourcesIn(range));
}

/// <summary>Visits every block that may match, in whatever order, and gathers from its matching rows.</summary>
internal abstract class MatchStrand : ScanStrand
{
    private readonly MatchScan _shared;
    private readonly FilterEvaluator _evaluator;
    private readonly Action<RowSource, RowBlock> _visit;
    private BlockSpan _blocks;

    protected MatchStrand(MatchScan shared, FilterEvaluator evaluator)
    {
        _shared = shared;
        _evaluator = evaluator;
        _visit = Visit;
    }

    protected Scan Scan => _shared.Scan;

    protected Signal Signal => _shared.Signal;

    public sealed override bool Step()
    {
        if (_blocks.Count == 0)
        {
            if (!_shared.Blocks.TryTake(out _blocks))
            {
                return false;
            }
            if (!Scan.MayMatch(_evaluator, _blocks.Source))
            {
                _blocks = default;
                return true;
            }
        }
        while (_blocks.Count > 0)
        {
            _blocks = _blocks with { Count = _blocks.Count - 1 };
            var block = _blocks.First + _blocks.Count;
            if (Scan.MayMatch(_evaluator, _blocks.Source, block))
            {
                if (!Scan.MayGoOn())
                {
                    return false;
                }
                Scan.Visit(_blocks.Source, block, _visit);
                return true;
            }
        }
        return true;
    }

    /// <param name="rows">Matching rows, at least one.</param>
    protected abstract void Gather(RowSource source, RowBlock block, ReadOnlySpan<ulong> rows);

    /// <summary>Per row of a span block its status, of a log block its severity number; from <paramref name="errorLevel"/> on it is an error.</summary>
    protected ReadOnlySpan<byte> Levels(RowBlock block, out byte errorLevel)
    {
        errorLevel = Signal == Signal.Traces ? (byte)StatusCode.Error : SeverityNumber.Error;
        return Signal == Signal.Traces ? block.Statuses : block.SeverityNumbers;
    }

    private void Visit(RowSource source, RowBlock block)
    {
        var rows = _evaluator.Evaluate(source, block);
        if (!RowMask.IsEmpty(rows))
        {
            Gather(source, block, rows);
        }
    }
}
