using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>What is kept beside the rows: rollups of parts, by the thread that seals, and which spans came lately, by the one that appends.</summary>
internal sealed partial class EmbeddedEngine
{
    /// <summary>Rows of parts that are remembered at the start: about 50 ms of reading.</summary>
    private const int RememberedRows = 1 << 20;

    private readonly RecentSpans _recentSpans = new();

    /// <summary>Gives parts that were just written, and are not in the list yet, their rollups.</summary>
    private void BuildRollups(IReadOnlyList<PartSource> written)
    {
        foreach (var part in written.Where(part => part.Signal == Signal.Traces))
        {
            var parts = HoldParts();
            try
            {
                _folder.Rollups.Build(part, [.. parts.Spans.Select(stored => stored.Source).Where(source => source.Rollup is not null)]);
            }
            finally
            {
                parts.Release();
            }
        }
    }

    /// <summary>Makes what is missing, one after another, until a head waits.</summary>
    private void RebuildRollups()
    {
        while (!_stopping && NextFrozen() is null)
        {
            var parts = HoldParts();
            try
            {
                if (!_folder.Rollups.RebuildOne([.. parts.Spans.Select(stored => stored.Source)]))
                {
                    return;
                }
            }
            finally
            {
                parts.Release();
            }
        }
    }

    /// <summary>What a sender sends again is dropped here, so that no count need tell copies apart. The batch may be left without rows; its position counts.</summary>
    private ColumnBatch WithoutStored(ColumnBatch batch)
    {
        if (batch.Signal != Signal.Traces)
        {
            return batch;
        }
        var kept = _recentSpans.RemoveStored(batch, () => Lease(Signal.Traces));
        _metrics.Repeated(batch.Rows - kept.Rows);
        return kept;
    }

    /// <summary>Remembers the newest rows of the parts that are there at the start, in time bounded by their number.</summary>
    private void RememberParts()
    {
        var left = RememberedRows;
        foreach (var stored in _folder.Parts.Spans.Reverse())
        {
            for (var number = stored.Source.BlockCount - 1; number >= 0 && left > 0; number--)
            {
                left -= Remember(stored.Source, number);
            }
        }
    }

    private int Remember(PartSource part, int number)
    {
        try
        {
            using var block = part.OpenBlock(number);
            var traces = block.TraceIds;
            var spans = block.SpanIds;
            for (var row = 0; row < traces.Length; row++)
            {
                _recentSpans.Add(traces[row], spans[row]);
                if (row == 0 || traces[row] != traces[row - 1])
                {
                    _folder.Rollups.Ledger.Add(traces[row]);
                }
            }
            return block.Rows;
        }
        catch (CorruptPartException damage)
        {
            OnDamage(damage);
            return 0;
        }
    }

    private PartSet HoldParts()
    {
        while (true)
        {
            var parts = _snapshot.Parts;
            if (parts.TryHold())
            {
                return parts;
            }
        }
    }
}
