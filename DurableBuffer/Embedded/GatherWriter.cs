using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// Turns records into few large writes without copying large bodies: headers and small bodies are laid out in a block, large bodies are written from where they are.
/// Commit thread only. Reuses its block and list.
/// </summary>
internal sealed class GatherWriter
{
    /// <summary>Bodies up to this size are copied: below it a buffer of its own in the write costs more than the copy.</summary>
    private const int CopyBytes = 16 << 10;

    /// <summary>Headers and small bodies of one write.</summary>
    private const int BlockBytes = 1 << 20;

    /// <summary>A write goes out at this size: large enough for the disk's full rate.</summary>
    private const long WriteBytes = 8 << 20;

    /// <summary>Buffers of one write; the system takes 1,024 at a time.</summary>
    private const int MaxBuffers = 1000;

    private readonly byte[] _block = new byte[BlockBytes];
    private readonly List<ReadOnlyMemory<byte>> _buffers = [];
    private IFile? _file;
    private long _offset;
    private long _bytes;
    private int _blockUsed;
    private int _blockFlushed;

    public void Begin(IFile file, long offset)
    {
        _file = file;
        _offset = offset;
        Reset();
    }

    /// <summary>Adds a record at the end; the body must stay readable until <see cref="Flush"/>.</summary>
    public void Add(Batch batch, long position, uint seed)
    {
        var inBlock = RecordHeader.SizeBytes + (batch.Body.Length <= CopyBytes ? batch.Body.Length : 0);
        if (_blockUsed + inBlock > BlockBytes || _bytes >= WriteBytes || _buffers.Count >= MaxBuffers)
        {
            Flush();
        }
        RecordHeader.Encode(_block.AsSpan(_blockUsed, RecordHeader.SizeBytes), batch, position, seed);
        _blockUsed += RecordHeader.SizeBytes;
        if (batch.Body.Length <= CopyBytes)
        {
            batch.Body.Span.CopyTo(_block.AsSpan(_blockUsed));
            _blockUsed += batch.Body.Length;
        }
        else
        {
            CloseBlockPart();
            _buffers.Add(batch.Body);
        }
        _bytes += RecordHeader.SizeBytes + batch.Body.Length;
    }

    /// <summary>Writes what was added.</summary>
    public void Flush()
    {
        CloseBlockPart();
        if (_buffers.Count == 1)
        {
            _file!.Write(_buffers[0].Span, _offset);
        }
        else if (_buffers.Count > 1)
        {
            _file!.Write(_buffers, _offset);
        }
        _offset += _bytes;
        Reset();
    }

    private void CloseBlockPart()
    {
        if (_blockUsed > _blockFlushed)
        {
            _buffers.Add(_block.AsMemory(_blockFlushed, _blockUsed - _blockFlushed));
            _blockFlushed = _blockUsed;
        }
    }

    private void Reset()
    {
        _buffers.Clear();
        _bytes = 0;
        _blockUsed = 0;
        _blockFlushed = 0;
    }
}
