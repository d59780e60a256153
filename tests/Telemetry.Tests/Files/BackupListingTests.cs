using Apm.Telemetry.Files;
using Apm.TestKit;

namespace Apm.Telemetry.Tests.Files;

public sealed class BackupListingTests
{
    private static readonly BackupListing s_listing = new(
        new DateTimeOffset(2026, 3, 1, 10, 0, 0, 5, TimeSpan.Zero), new DateTimeOffset(2026, 3, 1, 10, 0, 9, TimeSpan.Zero), "0.1.0",
        [new("store/manifest", "000003/store/manifest", 82, 0xDEADBEEF), new("notes of mine/ü.txt", "000003/notes of mine/ü.txt", 0, 0), new("store/1.part", "files/store/1.part", 5_000_000_000, 7, IsSound: false)]);

    [Fact]
    public void Read_Written_ComesBack()
    {
        var disk = new MemoryFileSystem();
        s_listing.Write(disk);
        var read = BackupListing.Read(disk)!;
        Assert.Equal((s_listing.BegunAt, s_listing.FinishedAt, s_listing.Program), (read.BegunAt, read.FinishedAt, read.Program));
        Assert.Equal(s_listing.Files, read.Files);
    }

    [Fact]
    public void Read_OneBitFlippedAnywhere_IsRefused()
    {
        var disk = new MemoryFileSystem();
        s_listing.Write(disk);
        for (var at = 0; at < disk.ReadAll(BackupListing.FileName).Length; at++)
        {
            disk.Corrupt(BackupListing.FileName, bytes => bytes[at] ^= (byte)(1 << (at % 8)));
            Assert.Throws<InvalidDataException>(() => BackupListing.Read(disk));
            disk.Corrupt(BackupListing.FileName, bytes => bytes[at] ^= (byte)(1 << (at % 8)));
        }
    }

    [Fact]
    public void Open_NoBackupOrAnUnfinishedOne_SaysSo()
    {
        var disk = new MemoryFileSystem();
        Assert.Contains("holds no backup", Assert.Throws<InvalidDataException>(() => BackupReader.Open(disk)).Message, StringComparison.Ordinal);
        BackupWriter.Begin(disk, DateTimeOffset.UnixEpoch, "0.1.0", []);
        Assert.Contains("was never finished", Assert.Throws<InvalidDataException>(() => BackupReader.Open(disk)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Begin_FolderWithOtherThings_IsRefused()
    {
        var disk = new MemoryFileSystem();
        disk.Create("thesis.txt").Dispose();
        var refusal = Assert.Throws<InvalidDataException>(() => BackupWriter.Begin(disk, DateTimeOffset.UnixEpoch, "0.1.0", []));
        Assert.Contains("'thesis.txt' is in it", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["thesis.txt"], disk.ListFiles(""));
    }

    [Fact]
    public void Finish_FilesOfEarlierBackups_AreDeletedAndOthersLeft()
    {
        var disk = new MemoryFileSystem();
        for (var round = 0; round < 3; round++)
        {
            var writer = BackupWriter.Begin(disk, DateTimeOffset.UnixEpoch, "0.1.0", []);
            writer.Add("a/b/c", [1, 2, (byte)round]);
            Assert.Empty(writer.Finish(DateTimeOffset.UnixEpoch));
            disk.CreateDirectory("mine");
        }
        Assert.Equal(["000003", "mine"], disk.ListDirectories("").Order(StringComparer.Ordinal));
        Assert.Equal([1, 2, 2], disk.ReadAll("000003/a/b/c"));
    }

    [Fact]
    public void Verify_MissingShortAndChangedFiles_AreFound()
    {
        var disk = new MemoryFileSystem();
        var writer = BackupWriter.Begin(disk, DateTimeOffset.UnixEpoch, "0.1.0", []);
        foreach (var name in new[] { "a", "b", "c", "d" })
        {
            writer.Add(name, [1, 2, 3]);
        }
        writer.Finish(DateTimeOffset.UnixEpoch);
        disk.Delete("000001/a");
        using (var file = disk.OpenWrite("000001/b"))
        {
            file.SetLength(2);
        }
        disk.Corrupt("000001/c", bytes => bytes[1] ^= 1);
        var reader = BackupReader.Open(disk);
        Assert.Equal(
            ["000001/a at byte 0: the file is missing", "000001/b at byte 2: the file has 2 bytes, not 3", "000001/c at byte 0: the checksum of the file does not match"],
            reader.Verify(TestContext.Current.CancellationToken).Select(finding => finding.ToString()));
        var target = new MemoryFileSystem();
        Assert.Contains("'000001/a' is missing", Assert.Throws<InvalidDataException>(() => reader.RestoreTo(target, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.True(target.FileExists(BackupReader.MarkerFileName));
    }
}
