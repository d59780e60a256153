using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>One page of the trace index: sorted low halves of trace ids, each with the block that holds rows of it.</summary>
internal readonly record struct TracePageRef(ulong FirstId, int Entries, ChunkRef Chunk);

/// <summary>Writes the trace index: an entry for each trace and block, sorted by the low 64 bits of the id, in pages.</summary>
internal static class TraceIndexWriter
{
    /// <param name="entries">Low half of each run's trace id, with its block, in any order; sorted here.</param>
    public static TracePageRef[] Write(List<(ulong Id, int Block)> entries, ChunkWriter chunks, ByteWriter chunk)
    {
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
