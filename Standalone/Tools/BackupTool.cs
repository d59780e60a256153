using System.Globalization;
using Apm.DurableBuffer.Embedded;
using Apm.ServiceDefaults.Settings;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Tools;
using Apm.Telemetry.Files;

namespace Apm.Standalone.Tools;

/// <summary>What a backup did.</summary>
internal sealed record BackupReport(StoreBackupReport Store, (int Files, long Bytes) Copied, (int Files, long Bytes) Kept, IReadOnlyList<FileFinding> Findings, IReadOnlyList<IOException> NotDeleted);

/// <summary><c>backup</c>: the data directory, in use or not, copied into a folder of its own; and again, only what is new.</summary>
internal static class BackupTool
{
    /// <summary>In the backup's folder and not of the backup.</summary>
    private static readonly string[] s_lockFiles = [DataDirectoryLock.FileName, DataDirectoryLock.OwnerFileName];

    public static int Run(ToolArguments arguments, TextWriter output, TimeProvider time, CancellationToken cancellationToken)
    {
        var from = ToolRun.Existing(arguments.Operands[0]);
        var to = Path.GetFullPath(arguments.Operands[1]);
        if (IsInside(from, to) || IsInside(to, from))
        {
            throw new SettingsException([$"'{to}' and '{from}' lie in each other; a backup goes to a folder of its own, best on another disk."]);
        }
        using var targetLock = Lock(to);
        try
        {
            var started = time.GetTimestamp();
            var report = Copy(new DiskFileSystem(from), new DiskFileSystem(to), time, cancellationToken);
            foreach (var finding in report.Findings)
            {
                output.WriteLine($"damaged: {finding}");
            }
            foreach (var failure in report.NotDeleted)
            {
                output.WriteLine($"not needed any more and not deleted: {failure.Message}");
            }
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"backed up to {to}: {report.Store.Parts} parts with {report.Store.Rows:N0} rows, and what the buffer holds above position {Math.Min(report.Store.CoveredSpans, report.Store.CoveredLogs)}; {report.Copied.Files} files of {report.Copied.Bytes:N0} bytes copied, {report.Kept.Files} of {report.Kept.Bytes:N0} were there, in {time.GetElapsedTime(started).TotalSeconds:F1} s."));
            return report.Findings.Count == 0 ? ToolRun.Fine : ToolRun.Wrong;
        }
        catch (InvalidDataException wrong)
        {
            throw new SettingsException([$"'{to}': {wrong.Message}"]);
        }
    }

    /// <summary>
    /// The log first, the store after it, then the rest: a row acknowledged before is in the log's copy, or was in parts when its segment was left out, and then
    /// the manifest read after that lists them.
    /// </summary>
    internal static BackupReport Copy(IFileSystem from, IFileSystem to, TimeProvider time, CancellationToken cancellationToken)
    {
        if (from.FileExists(BackupReader.MarkerFileName))
        {
            throw new IOException("a restore into this data directory was not finished; run it again before a backup.");
        }
        StoreBackup.RequireStore(from, EmbeddedStoreRegistration.FolderName);
        var backup = BackupWriter.Begin(to, time.GetUtcNow(), typeof(BackupTool).Assembly.GetName().Version?.ToString(3) ?? "", s_lockFiles);
        var findings = new List<FileFinding>(LogBackup.Run(from, EmbeddedBufferRegistration.FolderName, backup, cancellationToken));
        var store = StoreBackup.Run(from, EmbeddedStoreRegistration.FolderName, to, backup, cancellationToken);
        findings.AddRange(store.Findings);
        CopyOthers(from, "", backup, findings, cancellationToken);
        return new BackupReport(store, backup.Copied, backup.Kept, findings, backup.Finish(time.GetUtcNow()));
    }

    private static void CopyOthers(IFileSystem from, string folder, BackupWriter backup, List<FileFinding> findings, CancellationToken cancellationToken)
    {
        foreach (var name in from.ListDirectories(folder))
        {
            if (folder.Length > 0 || name is not (EmbeddedStoreRegistration.FolderName or EmbeddedBufferRegistration.FolderName))
            {
                CopyOthers(from, PathOf(folder, name), backup, findings, cancellationToken);
            }
        }
        foreach (var name in from.ListFiles(folder))
        {
            var path = PathOf(folder, name);
            if ((folder.Length == 0 && s_lockFiles.Contains(name)) || name.EndsWith(".tmp", StringComparison.Ordinal))
            {
                continue;
            }
            if (!BackupListing.CanList(path))
            {
                findings.Add(new FileFinding(path, 0, "the name has control characters; the file is not in the backup"));
                continue;
            }
            try
            {
                using var file = from.OpenRead(path);
                backup.Copy(path, file, file.Length, cancellationToken);
            }
            catch (FileNotFoundException)
            {
                continue; // deleted since the folder was listed
            }
            catch (BackupSourceException unreadable)
            {
                findings.Add(new FileFinding(path, 0, unreadable.Message));
            }
        }
    }

    private static string PathOf(string folder, string name) => folder.Length == 0 ? name : folder + "/" + name;

    private static bool IsInside(string outer, string inner) =>
        (inner + Path.DirectorySeparatorChar).StartsWith(outer.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static DataDirectoryLock Lock(string to)
    {
        try
        {
            return DataDirectoryLock.Acquire(to);
        }
        catch (DataDirectoryInUseException inUse)
        {
            throw new SettingsException([$"'{to}' is in use by {(inUse.ProcessId is { } id ? string.Create(CultureInfo.InvariantCulture, $"process {id}") : "another process")}: a backup into it runs, or it is the data directory of a server."]);
        }
    }
}
