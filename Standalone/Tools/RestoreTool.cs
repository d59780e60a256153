using System.Globalization;
using Apm.DurableBuffer.Embedded;
using Apm.ServiceDefaults.Settings;
using Apm.Storage.Embedded;
using Apm.Telemetry.Files;

namespace Apm.Standalone.Tools;

/// <summary><c>restore</c>: a data directory made from a backup.</summary>
internal static class RestoreTool
{
    private static readonly string[] s_dataFolders = [EmbeddedStoreRegistration.FolderName, EmbeddedBufferRegistration.FolderName];
    private static readonly string[] s_lockFiles = [DataDirectoryLock.FileName, DataDirectoryLock.OwnerFileName];

    public static int Run(ToolArguments arguments, TextWriter output, TimeProvider time, CancellationToken cancellationToken)
    {
        var from = ToolRun.Existing(arguments.Operands[0]);
        var to = Path.GetFullPath(arguments.Operands[1]);
        try
        {
            var started = time.GetTimestamp();
            var backup = BackupReader.Open(new DiskFileSystem(from));
            using var data = DataDirectoryLock.Acquire(to);
            Restore(backup, new DiskFileSystem(to), to, arguments.Force, cancellationToken);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"restored to {to}: {backup.Listing.Files.Count} files of {backup.Listing.Files.Sum(file => file.Bytes):N0} bytes, as acknowledged by {backup.Listing.BegunAt:yyyy-MM-dd'T'HH:mm:ss'Z'}, in {time.GetElapsedTime(started).TotalSeconds:F1} s."));
            return ToolRun.Fine;
        }
        catch (InvalidDataException wrong)
        {
            throw new IOException($"'{from}': {wrong.Message}", wrong);
        }
        catch (DataDirectoryInUseException inUse)
        {
            throw new SettingsException([$"'{to}' is in use{(inUse.ProcessId is { } id ? string.Create(CultureInfo.InvariantCulture, $" by process {id}") : "")}: a restore takes the place of a server's data, so stop it first."]);
        }
    }

    /// <exception cref="SettingsException">The directory holds something, and that is not to be replaced.</exception>
    internal static void Restore(BackupReader backup, IFileSystem target, string name, bool force, CancellationToken cancellationToken)
    {
        var there = target.ListFiles("").Concat(target.ListDirectories("")).Where(file => !s_lockFiles.Contains(file)).ToArray();
        if (there.Length > 0 && !target.FileExists(BackupReader.MarkerFileName))
        {
            if (!force)
            {
                throw new SettingsException([$"'{name}' is not empty ('{there[0]}' is in it); --force replaces the data in it."]);
            }
            if (!there.Intersect(s_dataFolders).Any())
            {
                throw new SettingsException([$"'{name}' is not empty and no data directory ('{there[0]}' is in it); give another."]);
            }
            // What is there is given up only for a backup that is whole.
            if (backup.Verify(cancellationToken) is { Count: > 0 } findings)
            {
                throw new InvalidDataException($"the backup is damaged, and nothing was replaced: {findings[0]}.");
            }
        }
        BackupReader.Mark(target);
        var wanted = backup.Listing.Files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var folder in s_dataFolders)
        {
            DeleteOthers(target, folder, wanted);
        }
        backup.RestoreTo(target, cancellationToken);
    }

    private static void DeleteOthers(IFileSystem target, string folder, HashSet<string> wanted)
    {
        foreach (var name in target.ListDirectories(folder))
        {
            DeleteOthers(target, folder + "/" + name, wanted);
        }
        foreach (var name in target.ListFiles(folder))
        {
            if (!wanted.Contains(folder + "/" + name))
            {
                target.Delete(folder + "/" + name);
            }
        }
    }
}
