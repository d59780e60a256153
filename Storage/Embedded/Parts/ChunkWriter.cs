using Apm.Storage.Embedded.Encodings;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Parts;

/// <summary>Appends chunks to a new part file, compressed where that pays, through one write buffer.</summary>
internal sealed class ChunkWriter(IFile file)
{
    private const int WriteBufferBytes = 1 << 18;

    private readonly ByteWriter _buffer = new();
    private readonly LzBlock _lz = new();
    private byte[] _compressed = [];
    private long _flushed;

    public long Offset => _flushed + _buffer.Length;

    public ChunkRef Append(ByteWriter chunk)
    {
        var content = chunk.Written;
        if (content.Length > PartFormat.MaxChunkBytes)
        {
            throw new InvalidOperationException($"a chunk of {content.Length} bytes is above {PartFormat.MaxChunkBytes}");
        }
        var bound = LzBlock.MaxCompressedBytes(content.Length);
        if (_compressed.Length < bound)
        {
            _compressed = new byte[Math.Max(bound, 1 << 16)];
        }
        var compressed = _lz.Compress(content, _compressed);
        var codec = compressed <= content.Length - (content.Length / PartFormat.MinSavingShare) - 1 ? ChunkCodec.Lz : ChunkCodec.Plain;
        var stored = codec == ChunkCodec.Lz ? _compressed.AsSpan(0, compressed) : content;
        var reference = new ChunkRef(Offset, stored.Length, content.Length, codec, Crc32C.Compute(stored));
        Write(stored);
        return reference;
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
}
