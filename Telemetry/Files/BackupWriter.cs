using System.Globalization;

namespace Apm.Telemetry.Files;

/// <summary>Reading what is to be backed up failed; the backup's own disk is well.</summary>
public sealed class BackupSourceException(string path, Exception inner) : IOException($"'{path}' cannot be read: {inner.Message}", inner);

/// <summary>
/// Makes a backup: files that never change are stored once under <c>files/</c> and kept from backup to backup; what changes goes to a folder of this backup's own.
/// Until <see cref="Finish"/> has replaced the listing, the backup before is untouched; an interrupted one leaves files that the next one keeps or deletes.
/// One thread, and one writer to a folder at a time (the caller holds its lock).
/// </summary>
public sealed class BackupWriter
{
    /// <summary>Folder of the files that never change.</summary>
    public const string SharedFolder = "files";

    private const string TemporaryExtension = ".tmp";

    /// <summary>Bytes compared at the start and the end of a file that is there already: formats have magic, lengths and checksums there.</summary>
    private const int ComparedBytes = 64;

    /// <summary>Bytes copied at once.</summary>
    private const int BufferBytes = 1 << 20;

    private readonly IFileSystem _target;
    private readonly Dictionary<string, BackupEntry> _known;
    private readonly Dictionary<string, BackupEntry> _entries = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folders = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _begunAt;
    private readonly string _program;
    private readonly string _own;
    private readonly byte[] _buffer = new byte[BufferBytes];

    private BackupWriter(IFileSystem target, BackupListing? before, DateTimeOffset begunAt, string program, string own)
    {
        _target = target;
        _known = (before?.Files ?? []).ToDictionary(entry => entry.Stored, StringComparer.Ordinal);
        _begunAt = begunAt;
        _program = program;
        _own = own;
    }

    /// <summary>Files and bytes that this backup wrote.</summary>
    public (int Files, long Bytes) Copied { get; private set; }

    /// <summary>Files and bytes that were there already.</summary>
    public (int Files, long Bytes) Kept { get; private set; }

    /// <param name="target">The backup's folder: empty, or holding a backup.</param>
    /// <param name="ignored">Names in the folder that are the caller's.</param>
    /// <exception cref="InvalidDataException">The folder holds something else, or a damaged listing.</exception>
    public static BackupWriter Begin(IFileSystem target, DateTimeOffset begunAt, string program, IReadOnlyCollection<string> ignored)
    {
        var before = BackupListing.Read(target);
        if (before is null)
        {
            var other = target.ListFiles("").Concat(target.ListDirectories("")).FirstOrDefault(name => !ignored.Contains(name) && !name.EndsWith(TemporaryExtension, StringComparison.Ordinal));
            if (other is not null)
            {
                throw new InvalidDataException($"it is not empty and holds no backup ('{other}' is in it); a backup goes to a folder of its own.");
            }
            new BackupListing(begunAt, null, program, []).Write(target);
        }
        var last = target.ListDirectories("").Select(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).DefaultIfEmpty(0).Max();
        return new BackupWriter(target, before, begunAt, program, (last + 1).ToString("D6", CultureInfo.InvariantCulture));
    }

    /// <summary>Stores a file that may be another at the next backup.</summary>
    /// <param name="bytes">How much of the source.</param>
    public void Copy(string path, IFile source, long bytes, CancellationToken cancellationToken) =>
        _entries[path] = Store(path, _own + "/" + path, source, bytes, cancellationToken);

    public void Add(string path, ReadOnlySpan<byte> content)
    {
        var stored = _own + "/" + path;
        using (var file = CreateTemporary(stored))
        {
            file.Write(content, 0);
            file.Sync();
        }
        _target.Rename(stored + TemporaryExtension, stored);
        Copied = (Copied.Files + 1, Copied.Bytes + content.Length);
        _entries[path] = new BackupEntry(path, stored, content.Length, Crc32C.Compute(content));
    }

    /// <summary>Stores a file that never changes, unless one of its name, length, start and end is there.</summary>
    /// <param name="check">Looks at the stored file and says whether it is sound; asked again at every backup while it is not.</param>
    public void CopyShared(string path, IFile source, Func<string, bool> check, CancellationToken cancellationToken)
    {
        var stored = SharedFolder + "/" + path;
        var bytes = source.Length;
        var isThere = IsSame(stored, path, source, bytes);
        if (isThere && TryKeep(path, bytes))
        {
            return;
        }
        var entry = isThere ? new BackupEntry(path, stored, bytes, Checksum(stored, bytes, cancellationToken)) : Store(path, stored, source, bytes, cancellationToken);
        if (isThere)
        {
            Folder(stored);
            Kept = (Kept.Files + 1, Kept.Bytes + bytes);
        }
        _entries[path] = entry with { IsSound = check(stored) };
    }

    /// <summary>Keeps a file that never changes from the backup before, without a look at its source; false when it is not there, or was damaged.</summary>
    public bool TryKeep(string path, long bytes)
    {
        var stored = SharedFolder + "/" + path;
        if (!_known.TryGetValue(stored, out var known) || !known.IsSound || known.Bytes != bytes || Length(stored) != bytes)
        {
            return false;
        }
        Folder(stored);
        Kept = (Kept.Files + 1, Kept.Bytes + bytes);
        _entries[path] = known;
        return true;
    }

    /// <summary>Leaves out a file that was copied and turned out not to be wanted.</summary>
    public void Drop(string path)
    {
        if (_entries.Remove(path, out var entry))
        {
            Copied = (Copied.Files - 1, Copied.Bytes - entry.Bytes);
        }
    }

    /// <summary>Makes this the backup, and deletes what it does not need.</summary>
    /// <returns>What could not be deleted; the next backup tries again.</returns>
    public IReadOnlyList<IOException> Finish(DateTimeOffset finishedAt)
    {
        foreach (var folder in _folders.OrderByDescending(folder => folder.Length))
        {
            _target.SyncDirectory(folder);
        }
        _target.SyncDirectory("");
        new BackupListing(_begunAt, finishedAt, _program, [.. _entries.Values.OrderBy(entry => entry.Path, StringComparer.Ordinal)]).Write(_target);
        var wanted = _entries.Values.Select(entry => entry.Stored).ToHashSet(StringComparer.Ordinal);
        var failures = new List<IOException>();
        foreach (var name in _target.ListDirectories(""))
        {
            if (name == SharedFolder || int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            {
                DeleteUnwanted(name, wanted, failures);
            }
        }
        return failures;
    }

    private bool DeleteUnwanted(string folder, HashSet<string> wanted, List<IOException> failures)
    {
        var isEmpty = true;
        foreach (var name in _target.ListDirectories(folder))
        {
            isEmpty &= DeleteUnwanted(folder + "/" + name, wanted, failures);
        }
        foreach (var name in _target.ListFiles(folder))
        {
            var path = folder + "/" + name;
            isEmpty &= !wanted.Contains(path) && TryDelete(() => _target.Delete(path), failures);
        }
        return isEmpty && folder != SharedFolder && TryDelete(() => _target.DeleteDirectory(folder), failures);
    }

    private static bool TryDelete(Action delete, List<IOException> failures)
    {
        try
        {
            delete();
            return true;
        }
        catch (IOException failure)
        {
            failures.Add(failure);
            return false;
        }
    }

    private BackupEntry Store(string path, string stored, IFile source, long bytes, CancellationToken cancellationToken)
    {
        uint crc = 0;
        using (var file = CreateTemporary(stored))
        {
            for (long offset = 0; offset < bytes;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var chunk = _buffer.AsSpan(0, (int)Math.Min(BufferBytes, bytes - offset));
                if (ReadSource(path, source, chunk, offset) != chunk.Length)
                {
                    throw new BackupSourceException(path, new EndOfStreamException($"it became shorter than {bytes} bytes"));
                }
                crc = Crc32C.Append(crc, chunk);
                file.Write(chunk, offset);
                offset += chunk.Length;
            }
            file.Sync();
        }
        var written = Checksum(stored + TemporaryExtension, bytes, cancellationToken);
        if (written != crc)
        {
            throw new IOException($"'{stored}' was written and does not read as it was written: the backup's disk is not to be trusted.");
        }
        _target.Rename(stored + TemporaryExtension, stored);
        Copied = (Copied.Files + 1, Copied.Bytes + bytes);
        return new BackupEntry(path, stored, bytes, crc);
    }

    private IFile CreateTemporary(string stored)
    {
        Folder(stored);
        _target.Delete(stored + TemporaryExtension);
        return _target.Create(stored + TemporaryExtension);
    }

    /// <summary>Creates the folder of a file; it and those above it are synced at the end.</summary>
    private void Folder(string stored)
    {
        var folder = stored[..stored.LastIndexOf('/')];
        if (_folders.Contains(folder))
        {
            return;
        }
        _target.CreateDirectory(folder);
        for (; folder.Length > 0; folder = folder.LastIndexOf('/') is >= 0 and var slash ? folder[..slash] : "")
        {
            _folders.Add(folder);
        }
    }

    private static int ReadSource(string path, IFile source, Span<byte> buffer, long offset)
    {
        try
        {
            return source.Read(buffer, offset);
        }
        catch (IOException failure)
        {
            throw new BackupSourceException(path, failure);
        }
    }

    private uint Checksum(string stored, long bytes, CancellationToken cancellationToken)
    {
        using var file = _target.OpenRead(stored);
        uint crc = 0;
        for (long offset = 0; offset < bytes;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var chunk = _buffer.AsSpan(0, (int)Math.Min(BufferBytes, bytes - offset));
            var read = file.Read(chunk, offset);
            if (read == 0)
            {
                break;
            }
            crc = Crc32C.Append(crc, chunk[..read]);
            offset += read;
        }
        return crc;
    }

    private bool IsSame(string stored, string path, IFile source, long bytes)
    {
        if (Length(stored) != bytes)
        {
            return false;
        }
        using var file = _target.OpenRead(stored);
        Span<byte> here = stackalloc byte[(int)Math.Min(ComparedBytes, bytes)];
        Span<byte> there = stackalloc byte[here.Length];
        foreach (var offset in new[] { 0, bytes - here.Length })
        {
            if (file.Read(here, offset) != here.Length || ReadSource(path, source, there, offset) != there.Length || !here.SequenceEqual(there))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>-1 when it is not there.</summary>
    private long Length(string stored)
    {
        if (!_target.FileExists(stored))
        {
            return -1;
        }
        using var file = _target.OpenRead(stored);
        return file.Length;
    }
}
