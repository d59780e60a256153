using Apm.Telemetry;

namespace Apm.Storage.Embedded.Search;

/// <summary>
/// Makes a span that is stored twice (a sender that got no answer sends a batch again) count once: over a whole scan, by trace and span id. Rows are looked
/// at in the order of the scan, so the first copy that matches counts.
/// </summary>
internal sealed class SpanDeduplicator
{
    /// <summary>Odd, so that nothing of the high half is lost, and ids of which the halves are swapped or alike differ.</summary>
    private const ulong HighHalf = 0xD6E8FEB86659FD93UL;

    private readonly FingerprintSet _seen = new();

    /// <summary>Removes the rows whose span was seen before. Log records have no identity, and all count.</summary>
    public void RemoveSeen(RowSource source, RowBlock block, Span<ulong> rows)
    {
        if (source.Signal != Signal.Traces || RowMask.IsEmpty(rows))
        {
            return;
        }
        var traces = block.TraceIds;
        var spans = block.SpanIds;
        foreach (var row in new RowEnumerator(rows))
        {
            var trace = traces[row];
            if (!_seen.Add(FingerprintSet.Mix((trace.High * HighHalf) ^ trace.Low, spans[row].Value)))
            {
                RowMask.Remove(rows, row);
            }
        }
    }
}
