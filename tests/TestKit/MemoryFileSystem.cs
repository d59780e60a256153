using System.Globalization;
using Apm.Telemetry.Files;

namespace Apm.TestKit;

/// <summary>What of the writes that were not synced is on the disk after <see cref="MemoryFileSystem.Crash"/>.</summary>
public enum CrashKeeps
{
    /// <summary>Nothing: only synced data under synced names.</summary>
    SyncedOnly,

    /// <summary>Of each file and of each directory, a random prefix of the changes since its last sync; the last write is torn at a sector.</summary>
    Prefix,

    /// <summary>Each unsynced sector of 512 bytes by chance, in no order; of each directory a random prefix of its changes.</summary>
    Sectors,

    /// <summary>
    /// Each unsynced write, and each unsynced change of a directory, by chance and alone: later ones without earlier ones, a rename without the creation before
    /// it, writes over each other in any order, lengths without content. What a disk and a file system may do between two syncs at the worst.
    /// </summary>
    AnyOrder,

    /// <summary>Everything, as when the process is killed and the machine lives on.</summary>
    Everything,
}

/// <summary>
/// A disk in memory that breaks when told to: <see cref="Fault"/> fails any operation, <see cref="CapacityBytes"/> fills it, <see cref="Crash"/> gives the
/// disk as found after a power cut. Like a real one it forgets data whose sync failed: a later sync of the file does not bring it to the disk. May be used from many threads.
/// </summary>
public sealed class MemoryFileSystem : IFileSystem
{
    private readonly Lock _gate = new();
    private readonly MemoryDirectory _root;
    private readonly List<FileOperation> _operations = [];
    private long? _capacityBytes;
    private int _openFiles;

    public MemoryFileSystem()
        : this(new MemoryDirectory())
    {
    }

    private MemoryFileSystem(MemoryDirectory root) => _root = root;

    /// <summary>Asked before every operation, under the disk's lock: an exception fails it. <see cref="FaultPlan"/> has the usual ones.</summary>
    public Func<FileOperation, Exception?>? Fault { get; set; }

    /// <summary>When set, a write that fails has written this share (0..1) of its bytes before.</summary>
    public double TornWriteShare { get; set; }

    /// <summary>Bound on the lengths of all files together; null: none. Raise it to make room again.</summary>
    public long? CapacityBytes
    {
        get => _capacityBytes;
        set
        {
            lock (_gate)
            {
                _capacityBytes = value;
            }
        }
    }

    /// <summary>Bytes of all files together.</summary>
    public long UsedBytes
    {
        get
        {
            lock (_gate)
            {
                return UsedBytesLocked();
            }
        }
    }

    public long TotalBytes => _capacityBytes ?? long.MaxValue;

    /// <summary>Asked before the free room is told: an exception fails that. It is no operation, and is not counted.</summary>
    public Func<Exception?>? FreeBytesFault { get; set; }

    public long FreeBytes => FreeBytesFault?.Invoke() is { } failure ? throw failure : _capacityBytes is { } capacity ? Math.Max(0, capacity - UsedBytes) : long.MaxValue;

    /// <summary>Every operation so far, failed ones too.</summary>
    public IReadOnlyList<FileOperation> Operations
    {
        get
        {
            lock (_gate)
            {
                return [.. _operations];
            }
        }
    }

    public int OperationCount
    {
        get
        {
            lock (_gate)
            {
                return _operations.Count;
            }
        }
    }

    /// <summary>Files that are open, each as often as it was opened.</summary>
    public int OpenFiles
    {
        get
        {
            lock (_gate)
            {
                return _openFiles;
            }
        }
    }

    /// <summary>A new disk with what a crash at this instant leaves. This one goes on as if nothing had happened; files open on it are not open on the new one.</summary>
    public MemoryFileSystem Crash(CrashKeeps keeps = CrashKeeps.SyncedOnly, Random? random = null)
    {
        if (random is null && keeps is CrashKeeps.Prefix or CrashKeeps.Sectors or CrashKeeps.AnyOrder)
        {
            ArgumentNullException.ThrowIfNull(random);
        }
        lock (_gate)
        {
            return new MemoryFileSystem((MemoryDirectory)_root.AfterCrash(new CrashDraw(keeps, random))) { _capacityBytes = _capacityBytes };
        }
    }

    /// <summary>All bytes of a file as the process sees them.</summary>
    public byte[] ReadAll(string path)
    {
        lock (_gate)
        {
            return FindFile(path).Snapshot();
        }
    }

    /// <summary>Changes bytes of a file behind everybody's back, durably: decay of the medium.</summary>
    public void Corrupt(string path, Action<byte[]> change)
    {
        lock (_gate)
        {
            FindFile(path).Replace(change);
        }
    }

    public void CreateDirectory(string path)
    {
        lock (_gate)
        {
            var operation = Begin(FileOperationKind.CreateDirectory, path).Index;
            var directory = _root;
            foreach (var name in Names(path))
            {
                if (directory.Find(name) is not { } node)
                {
                    node = new MemoryDirectory();
                    directory.Change(new NameChange(operation, name, node));
                }
                directory = node as MemoryDirectory ?? throw new IOException($"'{path}' passes through a file.");
            }
        }
    }

    public bool FileExists(string path)
    {
        lock (_gate)
        {
            return Find(path) is MemoryFile;
        }
    }

    public IReadOnlyList<string> ListFiles(string directory) => List<MemoryFile>(directory);

    public IReadOnlyList<string> ListDirectories(string directory) => List<MemoryDirectory>(directory);

    public IFile OpenRead(string path) => Open(path, writable: false);

    public IFile OpenWrite(string path) => Open(path, writable: true);

    public IFile Create(string path)
    {
        lock (_gate)
        {
            var operation = Begin(FileOperationKind.Create, path).Index;
            var (directory, name) = Parent(path);
            if (directory.Find(name) is not null)
            {
                throw new IOException($"'{path}' exists.");
            }
            var file = new MemoryFile { Path = path };
            directory.Change(new NameChange(operation, name, file));
            _openFiles++;
            return new Handle(this, file, writable: true);
        }
    }

    public void Rename(string from, string to)
    {
        lock (_gate)
        {
            var operation = Begin(FileOperationKind.Rename, from, to).Index;
            var (source, sourceName) = Parent(from);
            var (target, targetName) = Parent(to);
            var node = source.Find(sourceName) as MemoryFile ?? throw new FileNotFoundException($"There is no file '{from}'.", from);
            if (target.Find(targetName) is MemoryDirectory)
            {
                throw new IOException($"'{to}' is a directory.");
            }
            node.Path = to;
            if (ReferenceEquals(source, target))
            {
                source.Change(new NameChange(operation, targetName, node, sourceName == targetName ? null : sourceName));
                return;
            }
            target.Change(new NameChange(operation, targetName, node));
            source.Change(new NameChange(operation, sourceName, null));
        }
    }

    public void Delete(string path)
    {
        lock (_gate)
        {
            var operation = Begin(FileOperationKind.Delete, path).Index;
            if (Find(path) is MemoryFile)
            {
                var (directory, name) = Parent(path);
                directory.Change(new NameChange(operation, name, null));
            }
        }
    }

    public void DeleteDirectory(string path)
    {
        lock (_gate)
        {
            var operation = Begin(FileOperationKind.DeleteDirectory, path).Index;
            if (Find(path) is MemoryDirectory found)
            {
                if (found.Names.Any())
                {
                    throw new IOException($"'{path}' is not empty.");
                }
                var (directory, name) = Parent(path);
                directory.Change(new NameChange(operation, name, null));
            }
        }
    }

    public void SyncDirectory(string path)
    {
        lock (_gate)
        {
            Begin(FileOperationKind.SyncDirectory, path);
            (Find(path) as MemoryDirectory ?? throw new DirectoryNotFoundException($"There is no directory '{path}'.")).Sync();
        }
    }

    private Handle Open(string path, bool writable)
    {
        lock (_gate)
        {
            Begin(FileOperationKind.Open, path);
            var file = FindFile(path);
            file.Path = path;
            _openFiles++;
            return new Handle(this, file, writable);
        }
    }

    private IReadOnlyList<string> List<T>(string path)
        where T : MemoryNode
    {
        lock (_gate)
        {
            Begin(FileOperationKind.List, path);
            return Find(path) is MemoryDirectory directory ? [.. directory.Names.Where(name => directory.Find(name) is T)] : [];
        }
    }

    private FileOperation Begin(FileOperationKind kind, string path, string? target = null, long offset = 0, long lengthBytes = 0, Action? beforeFailure = null)
    {
        var operation = new FileOperation(_operations.Count, kind, path, target, offset, lengthBytes);
        _operations.Add(operation);
        if (Fault?.Invoke(operation) is { } failure)
        {
            beforeFailure?.Invoke();
            throw failure;
        }
        return operation;
    }

    private void RequireRoom(MemoryFile file, long lengthBytes)
    {
        if (_capacityBytes is { } capacity && lengthBytes > file.Length && UsedBytesLocked() + lengthBytes - file.Length > capacity)
        {
            throw new DiskFullException(file.Path);
        }
    }

    private long UsedBytesLocked() => _root.UsedBytes();

    private MemoryFile FindFile(string path) => Find(path) as MemoryFile ?? throw new FileNotFoundException($"There is no file '{path}'.", path);

    private MemoryNode? Find(string path)
    {
        MemoryNode? node = _root;
        foreach (var name in Names(path))
        {
            node = (node as MemoryDirectory)?.Find(name);
        }
        return node;
    }

    private (MemoryDirectory Directory, string Name) Parent(string path)
    {
        var names = Names(path);
        if (names.Length == 0)
        {
            throw new IOException("The root has no parent.");
        }
        var parent = string.Join('/', names[..^1]);
        return (Find(parent) as MemoryDirectory ?? throw new DirectoryNotFoundException($"There is no directory '{parent}'."), names[^1]);
    }

    private static string[] Names(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (path.Length == 0)
        {
            return [];
        }
        var names = path.Split('/');
        foreach (var name in names)
        {
            if (name.Length == 0 || name is "." or ".." || name.Contains('\\', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException($"'{path}' is not a path of names separated by '/' below the root.", nameof(path));
            }
        }
        return names;
    }

    private sealed class Handle(MemoryFileSystem disk, MemoryFile file, bool writable) : IFile
    {
        private bool _disposed;

        public long Length
        {
            get
            {
                lock (disk._gate)
                {
                    ObjectDisposedException.ThrowIf(_disposed, this);
                    return file.Length;
                }
            }
        }

        public int Read(Span<byte> buffer, long offset)
        {
            lock (disk._gate)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                disk.Begin(FileOperationKind.Read, file.Path, offset: offset, lengthBytes: buffer.Length);
                return file.Read(buffer, offset);
            }
        }

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            var copy = bytes.ToArray();
            lock (disk._gate)
            {
                RequireWritable();
                disk.Begin(FileOperationKind.Write, file.Path, offset: offset, lengthBytes: copy.Length, beforeFailure: () => WriteTorn(copy, offset));
                try
                {
                    disk.RequireRoom(file, offset + copy.Length);
                }
                catch (DiskFullException)
                {
                    WriteTorn(copy, offset);
                    throw;
                }
                file.Write(copy, offset);
            }
        }

        public void Write(IReadOnlyList<ReadOnlyMemory<byte>> buffers, long offset)
        {
            var joined = new byte[buffers.Sum(static buffer => buffer.Length)];
            var at = 0;
            foreach (var buffer in buffers)
            {
                buffer.CopyTo(joined.AsMemory(at));
                at += buffer.Length;
            }
            Write(joined, offset);
        }

        public void SetLength(long lengthBytes)
        {
            lock (disk._gate)
            {
                RequireWritable();
                disk.Begin(FileOperationKind.SetLength, file.Path, lengthBytes: lengthBytes);
                disk.RequireRoom(file, lengthBytes);
                file.SetLength(lengthBytes);
            }
        }

        public void Sync()
        {
            lock (disk._gate)
            {
                RequireWritable();
                disk.Begin(FileOperationKind.Sync, file.Path, beforeFailure: file.ForgetUnsynced);
                file.Sync();
            }
        }

        public void Dispose()
        {
            lock (disk._gate)
            {
                disk._openFiles -= _disposed ? 0 : 1;
                _disposed = true;
            }
        }

        private void WriteTorn(byte[] bytes, long offset)
        {
            var share = (int)(bytes.Length * Math.Clamp(disk.TornWriteShare, 0, 1));
            if (share > 0 && (disk._capacityBytes is not { } capacity || offset + share <= file.Length || disk.UsedBytesLocked() + offset + share - file.Length <= capacity))
            {
                file.Write(bytes.AsSpan(0, share), offset);
            }
        }

        private void RequireWritable()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!writable)
            {
                throw new IOException(string.Create(CultureInfo.InvariantCulture, $"'{file.Path}' is open for reading only."));
            }
        }
    }
}
