using Apm.Storage.Embedded.Encodings;

namespace Apm.Storage.Embedded.Parts;

/// <summary>References to chunks, each offset as the difference to the end of the chunk before: mostly one byte.</summary>
internal static class ChunkRefCodec
{
    public static void Write(ByteWriter writer, ChunkRef reference, ref long expected)
    {
        writer.Byte((byte)reference.Codec);
        if (reference.IsAbsent)
        {
            return;
        }
        writer.VarInt(reference.Offset - expected);
        writer.VarUInt((ulong)reference.StoredBytes);
        if (reference.Codec != ChunkCodec.Plain)
        {
            writer.VarUInt((ulong)reference.Bytes);
        }
        writer.UInt32(reference.Crc);
        expected = reference.Offset + reference.StoredBytes;
    }

    public static ChunkRef Read(ref ChunkReader reader, ref long expected)
    {
        var codec = (ChunkCodec)reader.Byte();
        if (codec == ChunkCodec.Absent)
        {
            return default;
        }
        if (codec > ChunkCodec.Brotli)
        {
            throw reader.Corrupt($"chunk codec {(byte)codec} is unknown");
        }
        var offset = expected + reader.VarInt();
        var stored = reader.Count(PartFormat.MaxChunkBytes);
        var bytes = codec == ChunkCodec.Plain ? stored : reader.Count(PartFormat.MaxChunkBytes);
        expected = offset + stored;
        return offset >= PartFormat.HeaderBytes
            ? new ChunkRef(offset, stored, bytes, codec, reader.UInt32())
            : throw reader.Corrupt($"a chunk at {offset} is inside the header");
    }
}
