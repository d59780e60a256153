using Apm.DurableBuffer.Embedded;
using Apm.Telemetry.Files;
using Apm.TestKit;
using static Apm.DurableBuffer.Tests.Embedded.BufferHarness;

namespace Apm.DurableBuffer.Tests.Embedded;

public sealed class LogBackupTests
{
    [Fact]
    public async Task Run_WhileTheBufferRuns_HasWhatWasAcknowledged()
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk, Options(spares: 1));
        for (var id = 1; id <= 60; id++)
        {
            await buffer.AppendAsync(id, 1000);
        }
        await buffer.CommitAsync(30);
        var restored = BackUp(disk);
        await using var copy = Open(restored.Crash(), Options(spares: 1), covered: 30);
        Assert.Equal(Enumerable.Range(31, 30).Select(static id => ((long)id, id)), copy.ReadAll());
        await copy.AppendAsync(61);
        Assert.Equal([(61, 61)], copy.ReadAll());
    }

    [Fact]
    public async Task Run_SegmentReusedWhileItIsCopied_IsLeftOut()
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk, Options(spares: 1));
        var id = 0;
        while (disk.ListFiles(LogDirectory).Count(static name => name.EndsWith(SpareSegments.SegmentExtension, StringComparison.Ordinal)) < 3)
        {
            await buffer.AppendAsync(++id, 1000);
        }
        var first = LogInspection.Read(disk, LogDirectory).Segments[0];
        // While its second half is still to be read, the oldest segment is emptied and put to its next use.
        var reused = false;
        disk.Fault = operation =>
        {
            if (!reused && operation.Kind == FileOperationKind.Open && operation.Path == first.File && disk.Operations.Count(other => other.Kind == FileOperationKind.Open && other.Path == first.File) > 1)
            {
                reused = true;
                disk.Corrupt(first.File, static bytes => new SegmentHeader(77, 1000, 999, 5, 0).Encode(bytes.AsSpan(0, SegmentHeader.PageBytes)));
            }
            return null;
        };
        var restored = BackUp(disk);
        Assert.True(reused);
        Assert.DoesNotContain(first.File[(LogDirectory.Length + 1)..], restored.ListFiles(LogDirectory));
        await using var copy = Open(restored, covered: first.LastPosition);
        Assert.Equal(Enumerable.Range((int)first.LastPosition + 1, id - (int)first.LastPosition).Select(static id => ((long)id, id)), copy.ReadAll());
    }

    [Fact]
    public async Task Run_DamagedLog_IsSaidAndTheRestCopied()
    {
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk))
        {
            for (var id = 1; id <= 3; id++)
            {
                await buffer.AppendAsync(id, 40);
            }
        }
        disk.Corrupt(LogDirectory + "/0000000000000001.segment", static bytes => bytes[SegmentHeader.PageBytes + RecordHeader.SizeBytes + 50] ^= 1);
        await using var copy = Open(BackUp(disk, findings: 1));
        Assert.Equal([(1, 1), (3, 3)], copy.ReadAll());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_AnyOperationFailsOnce_IsSaidOrMakesNoDifference(bool ofTheLog)
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk);
        for (var id = 1; id <= 40; id++)
        {
            await buffer.AppendAsync(id, 1000);
        }
        for (var n = 0; ; n++)
        {
            var (source, backup) = (disk.Crash(CrashKeeps.Everything), new MemoryFileSystem { TornWriteShare = 0.5 });
            var faulty = ofTheLog ? source : backup;
            faulty.Fault = FaultPlan.FailAt(n);
            var isDone = false;
            try
            {
                Write(source, backup, findings: 0);
                isDone = true;
            }
            catch (IOException failure)
            {
                Assert.Contains(FaultPlan.Message, failure.Message, StringComparison.Ordinal);
            }
            var survived = n >= faulty.OperationCount;
            faulty.Fault = null;
            if (!isDone && BackupListing.Read(backup)?.FinishedAt is null)
            {
                Assert.Throws<InvalidDataException>(() => BackupReader.Open(backup));
                Write(source, backup, findings: 0);
            }
            await using var copy = Open(Restore(backup));
            Assert.Equal(Enumerable.Range(1, 40).Select(static id => ((long)id, id)), copy.ReadAll());
            if (survived)
            {
                Assert.True(isDone && n > 5);
                return;
            }
        }
    }

    private static MemoryFileSystem BackUp(MemoryFileSystem disk, int findings = 0)
    {
        var backup = new MemoryFileSystem();
        Write(disk, backup, findings);
        return Restore(backup);
    }

    private static void Write(MemoryFileSystem disk, MemoryFileSystem backup, int findings)
    {
        var writer = BackupWriter.Begin(backup, DateTimeOffset.UnixEpoch, "0.1.0", []);
        Assert.Equal(findings, LogBackup.Run(disk, LogDirectory, writer, TestContext.Current.CancellationToken).Count);
        writer.Finish(DateTimeOffset.UnixEpoch);
    }

    private static MemoryFileSystem Restore(MemoryFileSystem backup)
    {
        var restored = new MemoryFileSystem();
        BackupReader.Open(backup).RestoreTo(restored, TestContext.Current.CancellationToken);
        return restored;
    }
}
