using System.Globalization;
using Apm.Telemetry.Files;
using Microsoft.Extensions.Logging;

namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// Segment files: names, the emptied ones kept for reuse, and how a file becomes a segment. A spare's bytes are left as they are; the next use's
/// generation makes them invalid. Called from the commit thread and from the reader's commits.
/// </summary>
internal sealed partial class SpareSegments(IFileSystem files, string directory, int segmentBytes, int maxSpares, ILogger logger)
{
    public const string SegmentExtension = ".segment";
    public const string SpareExtension = ".spare";
    public const string DamagedExtension = ".damaged";

    /// <summary>Bytes of zeros written at once.</summary>
    private const int ZeroBlockBytes = 1 << 20;

    private readonly Lock _gate = new();
    private readonly Stack<(IFile File, string Path)> _spares = new();

    public string PathOf(ulong generation, string extension) =>
        string.Create(CultureInfo.InvariantCulture, $"{directory}/{generation:x16}{extension}");

    public static bool TryParseName(string name, string extension, out ulong generation)
    {
        generation = 0;
        return name.EndsWith(extension, StringComparison.Ordinal)
            && name.Length == 16 + extension.Length
            && ulong.TryParse(name.AsSpan(0, 16), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out generation);
    }

    /// <summary>Makes a file a segment: header durable, then the name, so that a file with a segment's name always has a whole header.</summary>
    /// <param name="zeroed">Whether a new file is filled with zeros first: later syncs then have no allocation to write. A grown log does without, as it would write every byte twice.</param>
    public Segment Open(SegmentHeader header, bool zeroed)
    {
        var (file, path) = Take();
        if (file is null)
        {
            path = PathOf(header.Generation, SpareExtension);
            file = files.Create(path);
        }
        try
        {
            if (file.Length != segmentBytes)
            {
                file.SetLength(segmentBytes);
                if (zeroed)
                {
                    WriteZeros(file);
                }
            }
            var page = new byte[SegmentHeader.PageBytes];
            header.Encode(page);
            file.Write(page, 0);
            file.Sync();
            var name = PathOf(header.Generation, SegmentExtension);
            files.Rename(path, name);
            path = name;
            files.SyncDirectory(directory);
            return new Segment(file, name, header, segmentBytes);
        }
        catch
        {
            Discard(file, path);
            throw;
        }
    }

    /// <summary>Keeps the file of a segment that nobody needs any more, or deletes it.</summary>
    public void Return(Segment segment)
    {
        bool wanted;
        lock (_gate)
        {
            wanted = _spares.Count < maxSpares && segment.CapacityBytes == segmentBytes;
        }
        if (!wanted)
        {
            Discard(segment.File, segment.Path);
            return;
        }
        var path = PathOf(segment.Header.Generation, SpareExtension);
        try
        {
            files.Rename(segment.Path, path);
        }
        catch (IOException failure)
        {
            LogCannotRecycle(logger, segment.Path, failure);
            Discard(segment.File, segment.Path);
            return;
        }
        Keep(segment.File, path);
    }

    /// <summary>A spare found when the log was opened: kept when it has the right size and there is room for it, else deleted.</summary>
    public void KeepFound(ulong generation)
    {
        var path = PathOf(generation, SpareExtension);
        var file = files.OpenWrite(path);
        bool wanted;
        lock (_gate)
        {
            wanted = _spares.Count < maxSpares && file.Length == segmentBytes;
        }
        if (wanted)
        {
            Keep(file, path);
        }
        else
        {
            Discard(file, path);
        }
    }

    private void Keep(IFile file, string path)
    {
        lock (_gate)
        {
            _spares.Push((file, path));
        }
    }

    /// <summary>Closes and deletes a file. A file that cannot be deleted stays on the disk until the log is opened again.</summary>
    public void Discard(IFile file, string path)
    {
        file.Dispose();
        try
        {
            files.Delete(path);
        }
        catch (IOException failure)
        {
            LogCannotDelete(logger, path, failure);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            while (_spares.TryPop(out var spare))
            {
                spare.File.Dispose();
            }
        }
    }

    private (IFile? File, string Path) Take()
    {
        lock (_gate)
        {
            return _spares.TryPop(out var spare) ? spare : (null, "");
        }
    }

    private void WriteZeros(IFile file)
    {
        var zeros = new byte[Math.Min(ZeroBlockBytes, segmentBytes)];
        for (var offset = 0; offset < segmentBytes; offset += zeros.Length)
        {
            file.Write(zeros.AsSpan(0, Math.Min(zeros.Length, segmentBytes - offset)), offset);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot keep the emptied buffer segment '{Path}' for reuse; deleting it.")]
    private static partial void LogCannotRecycle(ILogger logger, string path, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Cannot delete the buffer file '{Path}'; it takes up room until the next start.")]
    private static partial void LogCannotDelete(ILogger logger, string path, Exception failure);
}
