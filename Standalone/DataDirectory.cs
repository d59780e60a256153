using Apm.ServiceDefaults.Settings;
using Apm.Telemetry.Files;

namespace Apm.Standalone;

internal static class DataDirectory
{
    /// <summary>Creates the directory and keeps other processes away from it until disposed.</summary>
    /// <exception cref="SettingsException">It is in use, or cannot be created or written.</exception>
    public static DataDirectoryLock Lock(DataOptions options)
    {
        try
        {
            return DataDirectoryLock.Acquire(options.FullPath);
        }
        catch (IOException e)
        {
            throw new SettingsException([$"Data:Directory (--data): {e.Message}"]);
        }
    }
}
