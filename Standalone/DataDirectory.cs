using Apm.ServiceDefaults.Settings;
using Apm.Telemetry.Files;

namespace Apm.Standalone;

internal static class DataDirectory
{
    /// <summary>Creates the directory and keeps other processes away from it until disposed.</summary>
    /// <exception cref="SettingsException">It is in use, or cannot be created or written, or a restore into it was not finished.</exception>
    public static DataDirectoryLock Lock(DataOptions options)
    {
        try
        {
            var held = DataDirectoryLock.Acquire(options.FullPath);
            if (File.Exists(Path.Combine(options.FullPath, BackupReader.MarkerFileName)))
            {
                held.Dispose();
                throw new SettingsException([$"Data:Directory (--data): a restore into '{options.FullPath}' was not finished, so data is missing from it; run the restore again."]);
            }
            return held;
        }
        catch (IOException e)
        {
            throw new SettingsException([$"Data:Directory (--data): {e.Message}"]);
        }
    }
}
