namespace Apm.Telemetry.Files;

/// <summary>
/// The disk as the durable buffer and the embedded store use it: implemented by the disk, and in tests by a faulty one in memory that fails any
/// operation asked for and forgets what was not synced. Paths use '/' on every system and are relative to the root that the implementation was given, which is the empty path.
/// All methods throw <see cref="IOException"/> (with the disk's HResult) on failure; a full disk is <see cref="DiskFullException"/>.
/// </summary>
public interface IFileSystem
{
    /// <summary>Creates the directory and its parents; does nothing when it is there.</summary>
    void CreateDirectory(string path);

    bool FileExists(string path);

    /// <summary>Names (not paths) of files directly in the directory, unordered; empty when there is no such directory.</summary>
    IReadOnlyList<string> ListFiles(string directory);

    /// <summary>Names of directories directly in the directory, unordered; empty when there is no such directory.</summary>
    IReadOnlyList<string> ListDirectories(string directory);

    /// <summary>Opens an existing file for reading.</summary>
    IFile OpenRead(string path);

    /// <summary>Opens an existing file for reading and writing.</summary>
    IFile OpenWrite(string path);

    /// <summary>Creates a new file for reading and writing; throws when it exists.</summary>
    IFile Create(string path);

    /// <summary>Renames atomically, replacing the target. Durable only after <see cref="SyncDirectory"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file; does nothing when it is not there.</summary>
    void Delete(string path);

    /// <summary>Deletes an empty directory; does nothing when it is not there.</summary>
    void DeleteDirectory(string path);

    /// <summary>Makes creations, renames and deletions in the directory durable (fsync of the directory).</summary>
    void SyncDirectory(string path);

    /// <summary>Bytes free for this process on the disk.</summary>
    long FreeBytes { get; }

    /// <summary>Size of the disk.</summary>
    long TotalBytes { get; }
}
