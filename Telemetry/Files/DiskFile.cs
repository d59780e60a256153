using Microsoft.Win32.SafeHandles;

namespace Apm.Telemetry.Files;

/// <summary>A file on the disk, read and written at explicit offsets: no position, no buffer of its own.</summary>
internal sealed class DiskFile(SafeFileHandle handle, string path) : IFile
{
    public long Length => RandomAccess.GetLength(handle);

    public int Read(Span<byte> buffer, long offset)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(handle, buffer[total..], offset + total);
            if (read == 0)
            {
                break;
            }
            total += read;
        }
        return total;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(handle, bytes, offset);
        }
        catch (IOException failure) when (NativeDisk.IsDiskFull(failure))
        {
            throw new DiskFullException(path, failure);
        }
    }

    public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset)
    {
        try
        {
            RandomAccess.Write(handle, buffers, offset);
        }
        catch (IOException failure) when (NativeDisk.IsDiskFull(failure))
        {
            throw new DiskFullException(path, failure);
        }
    }

    public void SetLength(long lengthBytes)
    {
        try
        {
            var length = Length;
            if (lengthBytes <= length || !NativeDisk.TryAllocate(handle, length, lengthBytes - length, path))
            {
                RandomAccess.SetLength(handle, lengthBytes);
            }
        }
        catch (IOException failure) when (failure is not DiskFullException && NativeDisk.IsDiskFull(failure))
        {
            throw new DiskFullException(path, failure);
        }
    }

    public void Sync() => NativeDisk.SyncData(handle, path);

    public void Dispose() => handle.Dispose();
}
