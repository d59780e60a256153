namespace Apm.Telemetry.Files;

/// <summary>The disk below one directory. A path that would leave it is refused with <see cref="ArgumentException"/>. May be used from many threads.</summary>
public sealed class DiskFileSystem : IFileSystem
{
    private readonly string _root;

    /// <param name="root">The directory that all paths are relative to; created when it is not there.</param>
    public DiskFileSystem(string root)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(root);
        _root = Path.GetFullPath(root);
        Translated(_root, static path => Directory.CreateDirectory(path));
    }

    /// <summary>The absolute path of the directory.</summary>
    public string Root => _root;

    public long FreeBytes => Translated(_root, static root => new DriveInfo(root).AvailableFreeSpace);

    public long TotalBytes => Translated(_root, static root => new DriveInfo(root).TotalSize);

    public void CreateDirectory(string path) => Translated(Absolute(path), static full => Directory.CreateDirectory(full));

    public bool FileExists(string path) => File.Exists(Absolute(path));

    public IReadOnlyList<string> ListFiles(string directory) => List(directory, Directory.GetFiles);

    public IReadOnlyList<string> ListDirectories(string directory) => List(directory, Directory.GetDirectories);

    public IFile OpenRead(string path) => Open(path, FileMode.Open, FileAccess.Read);

    public IFile OpenWrite(string path) => Open(path, FileMode.Open, FileAccess.ReadWrite);

    public IFile Create(string path) => Open(path, FileMode.CreateNew, FileAccess.ReadWrite);

    public void Rename(string from, string to)
    {
        var target = Absolute(to);
        Translated(Absolute(from), source =>
        {
            File.Move(source, target, overwrite: true);
            return target;
        });
    }

    public void Delete(string path) => Translated(Absolute(path), static full =>
    {
        if (File.Exists(full))
        {
            File.Delete(full);
        }
        return full;
    });

    public void DeleteDirectory(string path) => Translated(Absolute(path), static full =>
    {
        if (Directory.Exists(full))
        {
            Directory.Delete(full);
        }
        return full;
    });

    public void SyncDirectory(string path) => NativeDisk.SyncDirectory(Absolute(path));

    private DiskFile Open(string path, FileMode mode, FileAccess access)
    {
        var full = Absolute(path);
        return Translated(full, full =>
            new DiskFile(File.OpenHandle(full, mode, access, FileShare.ReadWrite | FileShare.Delete, FileOptions.None), full));
    }

    private IReadOnlyList<string> List(string directory, Func<string, string[]> list) => Translated(Absolute(directory), full =>
    {
        try
        {
            var paths = list(full);
            for (var i = 0; i < paths.Length; i++)
            {
                paths[i] = Path.GetFileName(paths[i]);
            }
            return paths;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    });

    private string Absolute(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0)
        {
            return _root;
        }
        foreach (var name in path.Split('/'))
        {
            if (name.Length == 0 || name is "." or ".." || name.Contains('\0', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal)
                || (OperatingSystem.IsWindows() && name.Contains(':', StringComparison.Ordinal)))
            {
                throw new ArgumentException($"'{path}' is not a path of names separated by '/' below the root.", nameof(path));
            }
        }
        return Path.Combine(_root, path);
    }

    private static T Translated<T>(string full, Func<string, T> action)
    {
        try
        {
            return action(full);
        }
        catch (UnauthorizedAccessException failure)
        {
            throw new IOException($"No permission for '{full}': {failure.Message}", failure);
        }
        catch (IOException failure) when (failure is not DiskFullException && NativeDisk.IsDiskFull(failure))
        {
            throw new DiskFullException(full, failure);
        }
    }
}
