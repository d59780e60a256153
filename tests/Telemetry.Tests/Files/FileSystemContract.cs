using Apm.Telemetry.Files;
using Apm.TestKit;

namespace Apm.Telemetry.Tests.Files;

/// <summary>What every file system does alike.</summary>
public abstract class FileSystemContract
{
    protected abstract IFileSystem Files { get; }

    [Fact]
    public void Write_ThenRead_GivesTheBytesAndFewerAtTheEnd()
    {
        using var file = Files.Create("a");
        file.Write("hello"u8, 3);
        var buffer = new byte[10];
        Assert.Equal(8, file.Length);
        Assert.Equal(8, file.Read(buffer, 0));
        Assert.Equal("\0\0\0hello\0\0"u8.ToArray(), buffer);
        Assert.Equal(2, file.Read(buffer, 6));
        Assert.Equal(0, file.Read(buffer, 8));
        Assert.Equal(0, file.Read(buffer, 100));
        file.Sync();
    }

    [Fact]
    public void Write_Buffers_WritesThemInOrder()
    {
        using var file = Files.Create("a");
        file.Write([new byte[] { 1, 2 }, ReadOnlyMemory<byte>.Empty, new byte[] { 3 }, new byte[] { 4, 5 }], 1);
        var buffer = new byte[6];
        file.Read(buffer, 0);
        Assert.Equal([0, 1, 2, 3, 4, 5], buffer);
    }

    [Fact]
    public void SetLength_GrowsWithZerosAndCuts()
    {
        using var file = Files.Create("a");
        file.Write("hello"u8, 0);
        file.SetLength(10_000);
        Assert.Equal(10_000, file.Length);
        file.SetLength(2);
        file.SetLength(4);
        var buffer = new byte[4];
        Assert.Equal(4, file.Read(buffer, 0));
        Assert.Equal("he\0\0"u8.ToArray(), buffer);
    }

    [Fact]
    public void Names_CreateRenameDelete_AreListed()
    {
        Files.CreateDirectory("x/y");
        Files.CreateDirectory("x/y");
        Files.Create("x/one").Dispose();
        Files.Create("x/two").Dispose();
        using (var two = Files.OpenWrite("x/two"))
        {
            two.Write("2"u8, 0);
        }
        Assert.Equal(["one", "two"], Files.ListFiles("x").Order());
        Assert.Equal(["y"], Files.ListDirectories("x"));
        Files.Rename("x/two", "x/one");
        Files.Rename("x/one", "x/y/three");
        Files.SyncDirectory("x");
        Files.SyncDirectory("");
        Assert.Empty(Files.ListFiles("x"));
        Assert.True(Files.FileExists("x/y/three"));
        using (var read = Files.OpenRead("x/y/three"))
        {
            Assert.Equal(1, read.Length);
        }
        Files.Delete("x/y/three");
        Files.Delete("x/y/three");
        Assert.False(Files.FileExists("x/y/three"));
        Files.DeleteDirectory("x/y");
        Files.DeleteDirectory("x/y");
        Assert.Empty(Files.ListDirectories("x"));
        Assert.Empty(Files.ListFiles("nowhere"));
        Assert.True(Files.FreeBytes > 0);
        Assert.True(Files.TotalBytes >= Files.FreeBytes);
    }

    [Fact]
    public void WrongUse_Throws()
    {
        Files.Create("a").Dispose();
        Files.CreateDirectory("d");
        Files.Create("d/f").Dispose();
        Assert.ThrowsAny<IOException>(() => Files.Create("a"));
        Assert.ThrowsAny<IOException>(() => Files.OpenRead("b"));
        Assert.ThrowsAny<IOException>(() => Files.OpenWrite("b"));
        Assert.ThrowsAny<IOException>(() => Files.Create("none/a"));
        Assert.ThrowsAny<IOException>(() => Files.Rename("b", "c"));
        Assert.ThrowsAny<IOException>(() => Files.DeleteDirectory("d"));
        Assert.ThrowsAny<IOException>(() => Files.SyncDirectory("none"));
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    [InlineData("a//b")]
    [InlineData("./a")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    public void Paths_ThatLeaveTheRoot_AreRefused(string path)
    {
        Assert.Throws<ArgumentException>(() => Files.Create(path));
        Assert.Throws<ArgumentException>(() => Files.Delete(path));
        Assert.Throws<ArgumentException>(() => Files.ListFiles(path));
    }
}

public sealed class MemoryFileSystemTests : FileSystemContract
{
    private readonly MemoryFileSystem _disk = new();

    protected override IFileSystem Files => _disk;

    [Fact]
    public void Crash_KeepsOnlyWhatWasSynced()
    {
        using var file = _disk.Create("a");
        file.Write("one"u8, 0);
        Assert.Empty(_disk.Crash().ListFiles(""));
        _disk.SyncDirectory("");
        Assert.Empty(_disk.Crash().ReadAll("a"));
        file.Sync();
        file.Write("two"u8, 0);
        _disk.Rename("a", "b");
        var crashed = _disk.Crash();
        Assert.Equal("one"u8.ToArray(), crashed.ReadAll("a"));
        Assert.Equal("two"u8.ToArray(), _disk.Crash(CrashKeeps.Everything).ReadAll("b"));
        _disk.SyncDirectory("");
        Assert.Equal(["b"], _disk.Crash().ListFiles(""));
    }

    [Fact]
    public void Sync_Failed_LosesTheWritesForGood()
    {
        using var file = _disk.Create("a");
        _disk.SyncDirectory("");
        file.Write("lost"u8, 0);
        _disk.Fault = FaultPlan.FailNth(FileOperationKind.Sync, 0);
        Assert.Throws<IOException>(file.Sync);
        file.Write("k"u8, 0);
        file.Sync();
        Assert.Equal("lost"u8.ToArray().Length, _disk.ReadAll("a").Length);
        Assert.Equal("k\0\0\0"u8.ToArray(), _disk.Crash().ReadAll("a"));
    }

    [Fact]
    public void Write_BeyondCapacity_IsDiskFullUntilThereIsRoom()
    {
        using var file = _disk.Create("a");
        _disk.CapacityBytes = 4;
        Assert.Throws<DiskFullException>(() => file.Write("hello"u8, 0));
        Assert.Throws<DiskFullException>(() => file.SetLength(5));
        file.Write("four"u8, 0);
        _disk.CapacityBytes = 5;
        file.Write("hello"u8, 0);
        Assert.Equal(0, _disk.FreeBytes);
    }
}

public sealed class DiskFileSystemTests : FileSystemContract, IDisposable
{
    private readonly DiskFileSystem _disk = new(Path.Combine(Path.GetTempPath(), "apm-" + Guid.NewGuid().ToString("n")));

    protected override IFileSystem Files => _disk;

    public void Dispose() => Directory.Delete(_disk.Root, recursive: true);

    [Fact]
    public void Write_NoRoom_IsDiskFull()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "this system has no /dev/full");
        using var full = new DiskFileSystem("/dev").OpenWrite("full");
        Assert.Throws<DiskFullException>(() => full.Write("x"u8, 0));
        Assert.Throws<DiskFullException>(() => full.Write([new byte[] { 1 }, new byte[] { 2 }], 0));
    }

    [Fact]
    public void DataDirectoryLock_Held_NamesTheOwner()
    {
        using (DataDirectoryLock.Acquire(_disk.Root))
        {
            var failure = Assert.Throws<DataDirectoryInUseException>(() => DataDirectoryLock.Acquire(_disk.Root));
            Assert.Equal(Environment.ProcessId, failure.ProcessId);
            Assert.Contains($"is in use by process {Environment.ProcessId};", failure.Message, StringComparison.Ordinal);
        }
        DataDirectoryLock.Acquire(_disk.Root).Dispose();
    }
}

public sealed class Crc32CTests
{
    [Fact]
    public void Compute_CheckString_IsTheCatalogueValue() => Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));

    [Fact]
    public void Append_InAnyPieces_IsTheSame()
    {
        var bytes = new byte[100];
        new Random(1).NextBytes(bytes);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            Assert.Equal(Crc32C.Compute(bytes), Crc32C.Append(Crc32C.Compute(bytes.AsSpan(0, cut)), bytes.AsSpan(cut)));
        }
    }
}
