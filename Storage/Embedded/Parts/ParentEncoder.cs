using System.Runtime.InteropServices;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// Parent span ids of a block as distances between rows: 0 = no parent, 1 = an id stored apart, 2 + zigzag(d) = the span id of the row d before.
/// A parent is looked for in the row's own run. One thread; the map is reused.
/// </summary>
internal sealed class ParentEncoder
{
    public const long None = 0;
    public const long Apart = 1;
    public const long FirstDistance = 2;

    /// <summary>A longer run is looked up through a map instead of row by row.</summary>
    private const int MaxScannedRows = 24;

    private readonly Dictionary<SpanId, int> _rowOfSpan = [];

    /// <param name="runs">First row of each run, and the end, counted from the part's first row.</param>
    /// <param name="blockStart">The block's first row, counted likewise.</param>
    /// <returns>False when no row has a parent, and nothing needs to be stored.</returns>
    public bool Encode(ReadOnlySpan<SpanId> spans, ReadOnlySpan<SpanId> parents, ReadOnlySpan<int> runs, int blockStart, Span<long> references, ByteWriter chunk)
    {
        var any = false;
        for (var run = 0; run + 1 < runs.Length; run++)
        {
            var (first, end) = (runs[run] - blockStart, runs[run + 1] - blockStart);
            var mapped = end - first > MaxScannedRows;
            if (mapped)
            {
                _rowOfSpan.Clear();
                for (var row = first; row < end; row++)
                {
                    _rowOfSpan.TryAdd(spans[row], row);
                }
            }
            for (var row = first; row < end; row++)
            {
                any |= !parents[row].IsZero;
                references[row] = None;
                if (!parents[row].IsZero)
                {
                    var parent = mapped ? _rowOfSpan.GetValueOrDefault(parents[row], -1) : Find(spans, parents[row], first, end);
                    references[row] = parent < 0 ? Apart : FirstDistance + (long)ByteWriter.ZigZag(row - parent);
                }
            }
        }
        if (any)
        {
            IntColumn.Encode(references, chunk);
            for (var row = 0; row < parents.Length; row++)
            {
                if (references[row] == Apart)
                {
                    parents[row].Write(chunk.Take(SpanId.SizeBytes));
                }
            }
        }
        return any;
    }

    /// <summary>The inverse of <see cref="Encode"/>.</summary>
    public static void Decode(ref ChunkReader reader, ReadOnlySpan<SpanId> spans, Span<SpanId> parents)
    {
        var references = new long[spans.Length];
        IntColumn.Decode<long>(ref reader, references);
        for (var row = 0; row < references.Length; row++)
        {
            if (references[row] == None)
            {
                parents[row] = default;
            }
            else if (references[row] == Apart)
            {
                SpanId.TryRead(reader.Bytes(SpanId.SizeBytes), out parents[row]);
            }
            else
            {
                var code = (ulong)(references[row] - FirstDistance);
                var parent = row - ((long)(code >> 1) ^ -(long)(code & 1));
                if (parent < 0 || parent >= spans.Length)
                {
                    throw reader.Corrupt($"the parent of row {row} is row {parent}");
                }
                parents[row] = spans[(int)parent];
            }
        }
        reader.ExpectEnd();
    }

    private static int Find(ReadOnlySpan<SpanId> spans, SpanId parent, int first, int end)
    {
        var index = MemoryMarshal.Cast<SpanId, ulong>(spans[first..end]).IndexOf(parent.Value);
        return index < 0 ? -1 : first + index;
    }
}
