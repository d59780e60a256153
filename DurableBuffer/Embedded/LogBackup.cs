using Apm.Telemetry.Files;

namespace Apm.DurableBuffer.Embedded;

/// <summary>
/// Copies a log while its buffer may be writing to it: of each segment what is whole, which is everything that was acknowledged before. A segment that is put to
/// its next use meanwhile is left out: storage held it by then. So the log is copied before the store.
/// </summary>
public static class LogBackup
{
    /// <returns>Damage found in the log; what is whole around it is copied.</returns>
    /// <exception cref="BackupSourceException">The log cannot be read.</exception>
    public static IReadOnlyList<FileFinding> Run(IFileSystem files, string directory, BackupWriter backup, CancellationToken cancellationToken)
    {
        var log = LogInspection.Read(files, directory);
        foreach (var segment in log.Segments)
        {
            IFile file;
            try
            {
                file = files.OpenRead(segment.File);
            }
            catch (FileNotFoundException)
            {
                continue;
            }
            using (file)
            {
                backup.Copy(segment.File, file, segment.UsedBytes, cancellationToken);
                if (!LogInspection.IsStillInUse(file, segment.File, segment.Generation))
                {
                    backup.Drop(segment.File);
                }
            }
        }
        return log.Findings;
    }
}
