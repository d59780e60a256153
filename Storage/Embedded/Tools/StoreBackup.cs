using Apm.Storage.Embedded.Parts;
using Apm.Telemetry.Files;

namespace Apm.Storage.Embedded.Tools;

/// <summary>What of a store is in a backup.</summary>
/// <param name="CoveredSpans">Buffer position up to which spans are in the parts; what is above comes from the log.</param>
/// <param name="Findings">Damage in parts. What can be read of them is in the backup.</param>
public sealed record StoreBackupReport(long CoveredSpans, long CoveredLogs, int Parts, long Rows, IReadOnlyList<FileFinding> Findings);

/// <summary>
/// Copies a store that may be in use: all parts of one manifest, each checked, and a manifest that lists them. Parts never change, so those which the backup
/// has are not copied again. Rollups are left out when they are gone: they are made anew.
/// </summary>
public static class StoreBackup
{
    /// <summary>For the directories of the parts being checked.</summary>
    private const long CacheBytes = 1L << 20;

    /// <param name="stored">The backup's folder, where stored parts are read back.</param>
    /// <exception cref="CorruptPartException">The manifest is damaged: what belongs to the store is not known. Starting the server repairs it.</exception>
    public static StoreBackupReport Run(IFileSystem files, string folder, IFileSystem stored, BackupWriter backup, CancellationToken cancellationToken)
    {
        using var snapshot = StoreSnapshot.Open(files, folder);
        if (snapshot.Manifest.Damage is { } damage)
        {
            throw damage;
        }
        var findings = new List<FileFinding>();
        var kept = new List<ManifestPart>(snapshot.Parts.Count);
        foreach (var part in snapshot.Parts)
        {
            if (Keep(folder, part, stored, backup, findings, cancellationToken))
            {
                kept.Add(part.Listed);
                CopyRollup(files, folder, part.Listed, backup, cancellationToken);
            }
        }
        var manifest = snapshot.Manifest.Of(kept, snapshot.Manifest.CoveredSpans, snapshot.Manifest.CoveredLogs);
        backup.Add(folder + "/" + Manifest.FileName, manifest);
        backup.Add(folder + "/" + Manifest.CopyFileName, manifest);
        return new StoreBackupReport(snapshot.Manifest.CoveredSpans, snapshot.Manifest.CoveredLogs, kept.Count, kept.Sum(part => part.Rows), findings);
    }

    /// <summary>Asked before a backup is begun.</summary>
    /// <exception cref="FileNotFoundException">There is no store in the folder.</exception>
    public static void RequireStore(IFileSystem files, string folder) => StoreSnapshot.RequireStore(files, folder);

    /// <returns>Whether the part, as it is or as it was at an earlier backup, is in this one.</returns>
    private static bool Keep(string folder, SnapshotPart part, IFileSystem stored, BackupWriter backup, List<FileFinding> findings, CancellationToken cancellationToken)
    {
        var path = folder + "/" + part.Listed.FileName;
        try
        {
            if (part.Source is { } source)
            {
                backup.CopyShared(path, source.File.Stored, copy => IsSound(stored, copy, path, findings), cancellationToken);
                return true;
            }
            findings.Add(part.Finding!);
        }
        catch (BackupSourceException unreadable)
        {
            findings.Add(new FileFinding(path, 0, unreadable.Message));
        }
        var isThere = backup.TryKeep(path, part.Listed.Bytes);
        findings.Add(new FileFinding(path, 0, isThere ? "the part cannot be read; the backup keeps it as it was copied before" : $"the part cannot be read: {part.Listed.Rows} rows are not in the backup"));
        return isThere;
    }

    /// <summary>A part with damage in some of its chunks is copied as it is: its other blocks are read.</summary>
    private static bool IsSound(IFileSystem stored, string copy, string path, List<FileFinding> findings)
    {
        using var part = new PartSource(PartFile.Open(stored, copy), new ChunkCache(CacheBytes));
        var found = PartVerifier.VerifyChecksums(part);
        findings.AddRange(found.Select(finding => finding with { File = path }));
        return found.Count == 0;
    }

    private static void CopyRollup(IFileSystem files, string folder, ManifestPart part, BackupWriter backup, CancellationToken cancellationToken)
    {
        var path = folder + "/" + part.RollupFileName;
        try
        {
            using var file = files.OpenRead(path);
            backup.CopyShared(path, file, static _ => true, cancellationToken);
        }
        catch (Exception failure) when (failure is FileNotFoundException or BackupSourceException)
        {
            backup.Drop(path); // it is made anew from the part
        }
    }
}
