using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Embedded;

/// <summary>Reads around places that the disk cannot read, so that one bad sector costs the records in it and no others.</summary>
internal static class TolerantRead
{
    /// <summary>What is tried alone after a larger read failed: a page, the disk's unit of reading.</summary>
    private const int PageBytes = 4096;

    /// <summary>
    /// As <see cref="IFile.Read"/>, but after a failure each page is tried again alone, and one that fails again reads as zeros, which no checksum accepts:
    /// the caller reports the damage where it finds it.
    /// </summary>
    public static int Read(IFile file, Span<byte> buffer, long offset)
    {
        try
        {
            return file.Read(buffer, offset);
        }
        catch (IOException)
        {
            return ReadPages(file, buffer, offset);
        }
    }

    private static int ReadPages(IFile file, Span<byte> buffer, long offset)
    {
        var length = (int)Math.Clamp(file.Length - offset, 0, buffer.Length);
        for (var done = 0; done < length;)
        {
            var page = buffer.Slice(done, (int)Math.Min(length - done, PageBytes - ((offset + done) % PageBytes)));
            try
            {
                if (file.Read(page, offset + done) < page.Length)
                {
                    return done;
                }
            }
            catch (IOException)
            {
                page.Clear();
            }
            done += page.Length;
        }
        return length;
    }
}
