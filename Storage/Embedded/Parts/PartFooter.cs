using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// What is kept in memory of each open part: the bounds of its blocks, where its directory and owners lie, and the first trace id of each index page.
/// About 60 bytes a block and 40 an index page: under 3 KB for 128 Ki rows.
/// </summary>
internal sealed record PartFooter(Signal Signal, BlockBounds[] Blocks, ChunkRef Owners, ChunkRef Directory, TracePageRef[] TracePages)
{
    public void Encode(ByteWriter writer)
    {
        writer.VarUInt((ulong)Blocks.Length);
        long previous = 0;
        foreach (var block in Blocks)
        {
            writer.VarUInt((ulong)block.Rows);
            writer.VarInt(block.FirstTimeUnixNano - previous);
            writer.VarUInt((ulong)(block.LastTimeUnixNano - block.FirstTimeUnixNano));
            writer.VarUInt((ulong)block.MinDurationNano);
            writer.VarUInt((ulong)(block.MaxDurationNano - block.MinDurationNano));
            previous = block.FirstTimeUnixNano;
        }
        long expected = 0;
        ChunkRefCodec.Write(writer, Owners, ref expected);
        ChunkRefCodec.Write(writer, Directory, ref expected);
        writer.VarUInt((ulong)TracePages.Length);
        foreach (var page in TracePages)
        {
            writer.UInt64(page.FirstId);
            writer.VarUInt((ulong)page.Entries);
            ChunkRefCodec.Write(writer, page.Chunk, ref expected);
        }
    }

    public static PartFooter Decode(ref ChunkReader reader, Signal signal)
    {
        var blocks = new BlockBounds[reader.Count(reader.Remaining)];
        long previous = 0;
        for (var i = 0; i < blocks.Length; i++)
        {
            var rows = reader.Count(PartFormat.BlockRows);
            var first = previous + reader.VarInt();
            var last = first + (long)reader.VarUInt();
            var shortest = (long)reader.VarUInt();
            blocks[i] = new BlockBounds(rows, first, last, shortest, shortest + (long)reader.VarUInt());
            previous = first;
            if (rows == 0)
            {
                throw reader.Corrupt($"block {i} is empty");
            }
        }
        long expected = 0;
        var owners = ChunkRefCodec.Read(ref reader, ref expected);
        var directory = ChunkRefCodec.Read(ref reader, ref expected);
        var pages = new TracePageRef[reader.Count(reader.Remaining)];
        for (var i = 0; i < pages.Length; i++)
        {
            var first = reader.UInt64();
            pages[i] = new TracePageRef(first, reader.Count(PartFormat.TracePageEntries), ChunkRefCodec.Read(ref reader, ref expected));
        }
        reader.ExpectEnd();
        return new PartFooter(signal, blocks, owners, directory, pages);
    }
}
