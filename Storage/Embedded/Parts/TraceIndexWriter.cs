using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>One page of the trace index: sorted low halves of trace ids, each with the block that holds rows of it.</summary>
internal readonly record struct TracePageRef(ulong FirstId, int Entries, ChunkRef Chunk);

/// <summary>Writes the trace index: an entry for each trace and block, sorted by the low 64 bits of the id, in pages.</summary>
internal static class TraceIndexWriter
{
    public static TracePageRef[] Write(ColumnBatch rows, BlockPlan plan, ChunkWriter chunks, ByteWriter chunk)
    {
        var entries = new List<(ulong Id, int Block)>();
        for (int run = 0, block = 0; run + 1 < plan.RunStarts.Length; run++)
        {
            while (plan.RunStarts[run] >= plan.Starts[block + 1])
            {
                block++;
            }
            var id = rows.TraceId[plan.RunStarts[run]];
            if (!id.IsZero)
            {
                entries.Add((id.Low, block));
            }
        }
        entries.Sort();
        var distinct = 0;
        for (var i = 0; i < entries.Count; i++)
        {
            if (i == 0 || entries[i] != entries[i - 1])
            {
                entries[distinct++] = entries[i];
            }
        }
        entries.RemoveRange(distinct, entries.Count - distinct);
        var pages = new List<TracePageRef>();
        var blocks = new long[PartFormat.TracePageEntries];
        for (var start = 0; start < entries.Count; start += PartFormat.TracePageEntries)
        {
            var count = Math.Min(PartFormat.TracePageEntries, entries.Count - start);
            chunk.Clear();
            for (var i = 0; i < count; i++)
            {
                chunk.UInt64(entries[start + i].Id);
                blocks[i] = entries[start + i].Block;
            }
            IntColumn.Encode(blocks.AsSpan(0, count), chunk);
            pages.Add(new TracePageRef(entries[start].Id, count, chunks.Append(chunk)));
        }
        return [.. pages];
    }
}
