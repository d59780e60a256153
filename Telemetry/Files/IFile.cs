namespace Apm.Telemetry.Files;

/// <summary>An open file. Reads and writes at explicit offsets may run at the same time from several threads, except that a range being written is not read.</summary>
public interface IFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads up to the buffer's length at the offset; returns fewer bytes only at the end of the file.</summary>
    int Read(Span<byte> buffer, long offset);

    /// <summary>Writes all bytes at the offset, extending the file.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Writes the buffers one after another at the offset, extending the file; spares the caller copying them together.</summary>
    void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset);

    /// <summary>Sets the length; growth reads as zeros and is allocated on the disk where it can be.</summary>
    void SetLength(long lengthBytes);

    /// <summary>Returns when all written bytes and the file's length are on the disk (fdatasync).</summary>
    void Sync();
}
