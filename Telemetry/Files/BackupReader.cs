namespace Apm.Telemetry.Files;

/// <summary>Reads a backup: checks it, and makes a data directory of it.</summary>
public sealed class BackupReader
{
    /// <summary>In a data directory: a restore into it was not finished, and a server must not start on it.</summary>
    public const string MarkerFileName = "restore.unfinished";

    /// <summary>Bytes read at once.</summary>
    private const int BufferBytes = 1 << 20;

    private readonly IFileSystem _backup;
    private readonly byte[] _buffer = new byte[BufferBytes];

    private BackupReader(IFileSystem backup, BackupListing listing)
    {
        _backup = backup;
        Listing = listing;
    }

    public BackupListing Listing { get; }

    /// <exception cref="InvalidDataException">There is no backup, none that was finished, or its listing is damaged.</exception>
    public static BackupReader Open(IFileSystem backup)
    {
        var listing = BackupListing.Read(backup) ?? throw new InvalidDataException($"it holds no backup: '{BackupListing.FileName}' is missing.");
        return listing.FinishedAt is not null ? new BackupReader(backup, listing) : throw new InvalidDataException("the first backup into it was never finished: run it again.");
    }

    /// <summary>Every file of the listing is there, with its length and checksum.</summary>
    public IReadOnlyList<FileFinding> Verify(CancellationToken cancellationToken)
    {
        var findings = new List<FileFinding>();
        foreach (var entry in Listing.Files)
        {
            if (!_backup.FileExists(entry.Stored))
            {
                findings.Add(new FileFinding(entry.Stored, 0, "the file is missing"));
                continue;
            }
            using var file = _backup.OpenRead(entry.Stored);
            if (file.Length != entry.Bytes)
            {
                findings.Add(new FileFinding(entry.Stored, Math.Min(file.Length, entry.Bytes), $"the file has {file.Length} bytes, not {entry.Bytes}"));
            }
            else if (Copy(entry, file, null, cancellationToken) != entry.Crc)
            {
                findings.Add(new FileFinding(entry.Stored, 0, "the checksum of the file does not match"));
            }
        }
        return findings;
    }

    /// <summary>
    /// Copies every file to its place, checked; what is there already and right is kept. The marker stands from before the first change until all is synced:
    /// interrupted, the restore is run again.
    /// </summary>
    /// <exception cref="InvalidDataException">A file of the backup is missing or damaged: the message says which.</exception>
    public void RestoreTo(IFileSystem target, CancellationToken cancellationToken)
    {
        Mark(target);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in Listing.Files)
        {
            for (var path = entry.Path; path.LastIndexOf('/') is >= 0 and var slash;)
            {
                path = path[..slash];
                folders.Add(path);
            }
            if (entry.Path.LastIndexOf('/') is >= 0 and var end)
            {
                target.CreateDirectory(entry.Path[..end]);
            }
            Restore(entry, target, cancellationToken);
        }
        foreach (var folder in folders.OrderByDescending(folder => folder.Length))
        {
            target.SyncDirectory(folder);
        }
        target.SyncDirectory("");
        target.Delete(MarkerFileName);
        target.SyncDirectory("");
    }

    /// <summary>Says that the data directory is not whole until <see cref="RestoreTo"/> has ended.</summary>
    public static void Mark(IFileSystem target)
    {
        if (!target.FileExists(MarkerFileName))
        {
            target.Create(MarkerFileName).Dispose();
        }
        target.SyncDirectory("");
    }

    private void Restore(BackupEntry entry, IFileSystem target, CancellationToken cancellationToken)
    {
        if (target.FileExists(entry.Path))
        {
            using (var there = target.OpenWrite(entry.Path))
            {
                if (there.Length == entry.Bytes && Copy(entry, there, null, cancellationToken) == entry.Crc)
                {
                    there.Sync(); // what wrote it may have been interrupted before its own
                    return;
                }
            }
            target.Delete(entry.Path);
        }
        if (!_backup.FileExists(entry.Stored))
        {
            throw new InvalidDataException($"'{entry.Stored}' is missing from the backup.");
        }
        using var source = _backup.OpenRead(entry.Stored);
        using var copy = target.Create(entry.Path);
        if (source.Length != entry.Bytes || Copy(entry, source, copy, cancellationToken) != entry.Crc)
        {
            throw new InvalidDataException($"'{entry.Stored}' is damaged in the backup: its length or checksum is not as listed.");
        }
        copy.Sync();
    }

    private uint Copy(BackupEntry entry, IFile source, IFile? target, CancellationToken cancellationToken)
    {
        uint crc = 0;
        for (long offset = 0; offset < entry.Bytes;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var chunk = _buffer.AsSpan(0, (int)Math.Min(BufferBytes, entry.Bytes - offset));
            var read = source.Read(chunk, offset);
            if (read == 0)
            {
                break;
            }
            target?.Write(chunk[..read], offset);
            crc = Crc32C.Append(crc, chunk[..read]);
            offset += read;
        }
        return crc;
    }
}
