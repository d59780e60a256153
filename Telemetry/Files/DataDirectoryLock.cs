using System.Globalization;
using System.Text;

namespace Apm.Telemetry.Files;

/// <summary>Keeps a second process away from a data directory, by a lock on a file in it that the system releases with the process, however it ends.</summary>
public sealed class DataDirectoryLock : IDisposable
{
    /// <summary>The locked file's name; it is empty and stays when the lock is released.</summary>
    public const string FileName = "apm.lock";

    /// <summary>Holds the owner's process id, apart from the locked file, which nobody else can read.</summary>
    public const string OwnerFileName = "apm.pid";

    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file) => _file = file;

    /// <summary>Takes the lock, creating the directory when it is not there.</summary>
    /// <exception cref="DataDirectoryInUseException">Another process, or another lock in this one, holds it.</exception>
    /// <exception cref="IOException">The directory or the file cannot be created or written.</exception>
    public static DataDirectoryLock Acquire(string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        var full = Path.GetFullPath(directory);
        var path = Path.Combine(full, FileName);
        try
        {
            Directory.CreateDirectory(full);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"No permission to create the data directory '{full}'.", failure);
        }
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"No permission to write '{path}'.", failure);
        }
        catch (IOException failure) when (failure is not (DirectoryNotFoundException or PathTooLongException) && !NativeDisk.IsDiskFull(failure))
        {
            throw new DataDirectoryInUseException(full, ReadOwner(full), failure);
        }
        try
        {
            File.WriteAllText(Path.Combine(full, OwnerFileName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n", Encoding.ASCII);
            return new DataDirectoryLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => _file.Dispose();

    private static int? ReadOwner(string directory)
    {
        try
        {
            return int.TryParse(File.ReadAllText(Path.Combine(directory, OwnerFileName), Encoding.ASCII).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var owner) ? owner : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null; // the owner is only a hint in a message
        }
    }
}

/// <summary>Another process works on the data directory.</summary>
public sealed class DataDirectoryInUseException(string directory, int? processId, Exception? inner = null) : IOException(
    processId is { } id
        ? $"The data directory '{directory}' is in use by process {id.ToString(CultureInfo.InvariantCulture)}; stop it, or start this one with another --data directory."
        : $"The data directory '{directory}' is in use by another process; stop it, or start this one with another --data directory.", inner)
{
    public string Directory { get; } = directory;

    /// <summary>The process that holds it, where it can be told.</summary>
    public int? ProcessId { get; } = processId;
}
