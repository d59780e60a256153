using Apm.Storage.Columns;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;

namespace Apm.Storage.Embedded;

/// <summary>
/// Rows of both signals that are in memory only: the batches as they were appended, small ones joined. It fills, is frozen, and is sealed into parts whole.
/// Changed under the engine's lock; the sources in it are immutable, so that queries need none.
/// </summary>
internal sealed class Head(long coveredSpans, long coveredLogs)
{
    /// <summary>Batches of a size that are joined into one: a row is copied once for each size, and a search visits few sources.</summary>
    private const int JoinedBatches = 8;

    /// <summary>Upper bounds, in rows, of the sizes of batches that are joined. Larger ones stay as they are.</summary>
    private static ReadOnlySpan<int> JoinedSizes => [32, 256, 2_048];

    private readonly List<HeadSource> _spans = [];
    private readonly List<HeadSource> _logs = [];

    public IReadOnlyList<HeadSource> Spans => _spans;

    public IReadOnlyList<HeadSource> Logs => _logs;

    public int Rows { get; private set; }

    /// <summary>Memory of the rows.</summary>
    public long Bytes { get; private set; }

    /// <summary>Position of the last append of spans, or of the seal before.</summary>
    public long SpanPosition { get; private set; } = coveredSpans;

    public long LogPosition { get; private set; } = coveredLogs;

    /// <summary>Nothing was appended, not even a position.</summary>
    public bool IsUnchanged { get; private set; } = true;

    /// <summary>Timestamp (of the engine's clock) of the first append.</summary>
    public long FirstAppendTimestamp { get; private set; }

    /// <summary>Completes when the head is sealed and its parts are visible in its place.</summary>
    public TaskCompletionSource Sealed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Parts written and synced for this head which the manifest does not list for certain yet. Of the sealing thread.</summary>
    public IReadOnlyList<ManifestPart>? Written { get; set; }

    /// <summary>The same, open and with their rollups: once for all tries to list them, as a rollup takes what waits for a part. Of the sealing thread.</summary>
    public IReadOnlyList<Parts.PartSource>? Opened { get; set; }

    public void Append(ColumnBatch batch, long position, long timestamp)
    {
        if (IsUnchanged)
        {
            FirstAppendTimestamp = timestamp;
            IsUnchanged = false;
        }
        if (batch.Signal == Signal.Traces)
        {
            SpanPosition = position;
        }
        else
        {
            LogPosition = position;
        }
        if (batch.Rows == 0)
        {
            return;
        }
        var sources = batch.Signal == Signal.Traces ? _spans : _logs;
        sources.Add(new HeadSource(batch));
        Rows += batch.Rows;
        Bytes += batch.SizeBytes;
        foreach (var size in JoinedSizes)
        {
            JoinLast(sources, size);
        }
    }

    private void JoinLast(List<HeadSource> sources, int size)
    {
        if (sources.Count < JoinedBatches)
        {
            return;
        }
        var first = sources.Count - JoinedBatches;
        long bytes = 0;
        for (var i = first; i < sources.Count; i++)
        {
            if (sources[i].Batch.Rows >= size)
            {
                return;
            }
            bytes += sources[i].Batch.SizeBytes;
        }
        var joined = new ColumnBatch(sources[first].Signal);
        for (var i = first; i < sources.Count; i++)
        {
            Columns.BatchCopier.CopyAll(sources[i].Batch, joined);
        }
        sources.RemoveRange(first, JoinedBatches);
        sources.Add(new HeadSource(joined));
        Bytes += joined.SizeBytes - bytes;
    }
}
