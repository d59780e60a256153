using System.IO.Compression;
using System.Numerics;
using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Appends chunks to a new part file, compressed where that pays, through one write buffer.</summary>
/// <param name="textQuality">Brotli quality, 0 to 11, for text; null: text is compressed as everything else.</param>
internal sealed class ChunkWriter(IFile file, int? textQuality = null)
{
    private const int WriteBufferBytes = 1 << 18;

    /// <summary>Brotli windows are powers of two; a chunk needs none larger than itself.</summary>
    private const int MinWindowBits = 16;
    private const int MaxWindowBits = 22;

    private readonly ByteWriter _buffer = new();
    private readonly LzBlock _lz = new();
    private byte[] _compressed = [];
    private long _flushed;

    public long Offset => _flushed + _buffer.Length;

    public ChunkRef Append(ByteWriter chunk)
    {
        var content = Checked(chunk);
        var compressed = _lz.Compress(content, Room(LzBlock.MaxCompressedBytes(content.Length)));
        return Append(content, compressed, ChunkCodec.Lz);
    }

    /// <summary>As <see cref="Append"/>, for text that compresses well and is not read often.</summary>
    public ChunkRef AppendText(ByteWriter chunk)
    {
        return textQuality is { } quality ? AppendBrotli(Checked(chunk), quality) : Append(chunk);
    }

    /// <summary>Appends a chunk of another part as it is stored.</summary>
    public ChunkRef Copy(in StoredChunk stored)
    {
        if (stored.Chunk.IsAbsent)
        {
            return default;
        }
        // What is read as if it were plain is checked, not unpacked.
        using var bytes = stored.File.Read(stored.Chunk with { Codec = ChunkCodec.Plain });
        var reference = stored.Chunk with { Offset = Offset };
        Write(bytes.Content);
        return reference;
    }

    /// <summary>As <see cref="Copy"/>, but text that is not packed as <see cref="AppendText"/> does is.</summary>
    public ChunkRef CopyText(in StoredChunk stored)
    {
        if (textQuality is not { } quality || stored.Chunk.Codec is ChunkCodec.Absent or ChunkCodec.Brotli)
        {
            return Copy(stored);
        }
        using var content = stored.File.Read(stored.Chunk);
        return AppendBrotli(content.Content, quality);
    }

    private ChunkRef AppendBrotli(ReadOnlySpan<byte> content, int quality)
    {
        var window = Math.Clamp(32 - BitOperations.LeadingZeroCount((uint)content.Length), MinWindowBits, MaxWindowBits);
        var room = Room(BrotliEncoder.GetMaxCompressedLength(content.Length));
        return BrotliEncoder.TryCompress(content, room, out var compressed, quality, window)
            ? Append(content, compressed, ChunkCodec.Brotli)
            : throw new InvalidOperationException($"Brotli has no room for {content.Length} bytes in {room.Length}");
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        _buffer.Bytes(bytes);
        if (_buffer.Length >= WriteBufferBytes)
        {
            Flush();
        }
    }

    public void Flush()
    {
        file.Write(_buffer.Written, _flushed);
        _flushed += _buffer.Length;
        _buffer.Clear();
    }

    private static ReadOnlySpan<byte> Checked(ByteWriter chunk) => chunk.Length <= PartFormat.MaxChunkBytes
        ? chunk.Written
        : throw new InvalidOperationException($"a chunk of {chunk.Length} bytes is above {PartFormat.MaxChunkBytes}");

    private Span<byte> Room(int bytes)
    {
        if (_compressed.Length < bytes)
        {
            _compressed = new byte[Math.Max(bytes, 1 << 16)];
        }
        return _compressed;
    }

    /// <summary>Appends what is in <see cref="_compressed"/>, or the content as it is when that saves too little.</summary>
    private ChunkRef Append(ReadOnlySpan<byte> content, int compressed, ChunkCodec codec)
    {
        var pays = compressed <= content.Length - (content.Length / PartFormat.MinSavingShare) - 1;
        var stored = pays ? _compressed.AsSpan(0, compressed) : content;
        var reference = new ChunkRef(Offset, stored.Length, content.Length, pays ? codec : ChunkCodec.Plain, Crc32C.Compute(stored));
        Write(stored);
        return reference;
    }
}
