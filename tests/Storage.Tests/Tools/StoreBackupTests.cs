using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Tools;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Apm.TestKit;

namespace Apm.Storage.Tests.Tools;

public sealed class StoreBackupTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_WhileTheEngineRuns_HasThePartsOfAnInstant()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await AppendAndSealAsync(rig, engine, 1, 2);
        await rig.AppendAsync(engine, 3);
        var before = rig.Disk.OperationCount;
        var backup = new MemoryFileSystem();
        var report = Back(rig.Disk, backup, out _);
        Assert.DoesNotContain(rig.Disk.Operations.Skip(before), operation => operation.Changes);
        Assert.Equal((2, 2, 4, 60L), (report.CoveredSpans, report.CoveredLogs, report.Parts, report.Rows));
        Assert.Empty(report.Findings);
        await AssertRestoresAsync(rig, backup, 2);
    }

    [Fact]
    public async Task Run_Again_CopiesOnlyWhatIsNew()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        var backup = new MemoryFileSystem();
        await AppendAndSealAsync(rig, engine, 1, 2, 3);
        Back(rig.Disk, backup, out _);
        await AppendAndSealAsync(rig, engine, 4);
        Back(rig.Disk, backup, out var writer);
        var copies = rig.Disk.ListFiles("store").Count(name => name.EndsWith(".part", StringComparison.Ordinal));
        Assert.True(writer.Kept.Files >= 6, "parts were copied again");
        Assert.True(writer.Copied.Files <= (copies - 6) * 2 + 2, "more than the new parts, their rollups and the manifest was copied");
        await AssertRestoresAsync(rig, backup, 4);
    }

    [Fact]
    public async Task Run_PartsReplacedMeanwhile_CopiesThoseOfOneManifest()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await AppendAndSealAsync(rig, engine, 1, 2);
        }
        // Between reading the manifest and opening its second part, that part is replaced by another, as a merge does.
        var replaced = false;
        rig.Disk.Fault = operation =>
        {
            if (!replaced && operation.Kind == FileOperationKind.Open && operation.Path.EndsWith("0000000000000002.part", StringComparison.Ordinal))
            {
                replaced = true;
                Replace(rig.Disk, 2, 9);
            }
            return null;
        };
        var backup = new MemoryFileSystem();
        var report = Back(rig.Disk, backup, out _);
        Assert.True(replaced);
        Assert.Empty(report.Findings);
        await AssertRestoresAsync(rig, backup, 2);
    }

    [Fact]
    public async Task Run_DamagedPart_IsSaidAndAnEarlierCopyKept()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await AppendAndSealAsync(rig, engine, 1);
        }
        const string path = "store/0000000000000001.part";
        var backup = new MemoryFileSystem();
        Back(rig.Disk, backup, out _);
        rig.Disk.Corrupt(path, bytes => bytes[^20] ^= 1);
        var report = Back(rig.Disk, backup, out _);
        Assert.Contains(report.Findings, finding => finding.File == path && finding.What.Contains("keeps it as it was copied before", StringComparison.Ordinal));
        await AssertRestoresAsync(rig, backup, 1);

        // Without an earlier copy it is left out when it cannot be opened, and copied as it is when some of it can be read; said each time.
        var other = new MemoryFileSystem();
        Assert.Contains("its rows are not in the backup".Replace("its", "20", StringComparison.Ordinal), Back(rig.Disk, other, out _).Findings[^1].What, StringComparison.Ordinal);
        rig.Disk.Corrupt(path, bytes => (bytes[^20], bytes[40]) = ((byte)(bytes[^20] ^ 1), (byte)(bytes[40] ^ 1)));
        for (var round = 0; round < 2; round++)
        {
            Assert.Contains(Back(rig.Disk, other, out _).Findings, finding => finding.File == path && finding.Offset <= 40);
            Assert.False(BackupReader.Open(other).Listing.Files.Single(file => file.Path == path).IsSound);
        }
        Assert.Empty(BackupReader.Open(other).Verify(Cancellation));
    }

    [Theory]
    [InlineData(CrashKeeps.SyncedOnly)]
    [InlineData(CrashKeeps.AnyOrder)]
    [InlineData(CrashKeeps.Everything)]
    public async Task Run_PowerLostAtAnyOperation_TheBackupBeforeOrTheNewOneIsWhole(CrashKeeps keeps)
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        var first = await BackUpFirstOfTwoAsync(rig, engine);
        for (var n = 0; ; n++)
        {
            var backup = first.Crash(CrashKeeps.Everything);
            backup.Fault = FaultPlan.FailAt(n, andAllAfter: true);
            backup.TornWriteShare = 0.5;
            var died = false;
            try
            {
                Back(rig.Disk, backup, out _);
            }
            catch (IOException)
            {
                died = true;
            }
            var finished = n >= backup.OperationCount;
            backup = backup.Crash(keeps, new Random(n));
            var reader = BackupReader.Open(backup);
            Assert.Empty(reader.Verify(Cancellation));
            await AssertRestoresAsync(rig, backup, reader.Listing.Files.Count(file => file.Path.EndsWith(".part", StringComparison.Ordinal)) / 2);
            Back(rig.Disk, backup, out _);
            Assert.Empty(BackupReader.Open(backup).Verify(Cancellation));
            await AssertRestoresAsync(rig, backup, 2);
            Assert.DoesNotContain(Everything(backup, ""), path => path.EndsWith(".tmp", StringComparison.Ordinal));
            if (finished)
            {
                Assert.True(n > 20 && !died);
                return;
            }
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Run_AnyOperationOfTheBackupFailsOnce_IsSaidAndNothingHalfIsTakenForWhole(bool isFirst)
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await AppendAndSealAsync(rig, engine, 1);
        var first = new MemoryFileSystem();
        if (!isFirst)
        {
            Back(rig.Disk, first, out _);
        }
        await AppendAndSealAsync(rig, engine, 2);
        for (var n = 0; ; n++)
        {
            foreach (var tornShare in new[] { 0, 0.5 })
            {
                var backup = first.Crash(CrashKeeps.Everything);
                (backup.Fault, backup.TornWriteShare) = (FaultPlan.FailAt(n), tornShare);
                var isDone = TryBack(rig.Disk, backup, out var notDeleted);
                if (n >= backup.OperationCount)
                {
                    Assert.True(isDone && notDeleted == 0 && n > 20);
                    return;
                }
                if (tornShare > 0 && backup.Operations[n].Kind != FileOperationKind.Write)
                {
                    continue;
                }
                backup.Fault = null;
                // Nothing fails unsaid, and what is whole holds all of one backup.
                Assert.Equal(isDone ? 1 : 0, notDeleted);
                if (isFirst && !isDone && !IsFinished(backup))
                {
                    Assert.Throws<InvalidDataException>(() => BackupReader.Open(backup));
                }
                else
                {
                    AssertWhole(rig, backup, isDone ? 2 : null);
                }
                Back(rig.Disk, backup, out _);
                AssertWhole(rig, backup, 2);
                Assert.Equal(0, backup.OpenFiles);
                Assert.DoesNotContain(Everything(backup, ""), path => path.EndsWith(".tmp", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public async Task Run_AnyOperationOfTheSourceFailsOnce_IsSaidWhenRowsAreMissing()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        var first = await BackUpFirstOfTwoAsync(rig, engine);
        for (var n = 0; ; n++)
        {
            var backup = first.Crash(CrashKeeps.Everything);
            var source = rig.Disk.Crash(CrashKeeps.Everything);
            source.Fault = FaultPlan.FailAt(n);
            StoreBackupReport? report = null;
            try
            {
                report = Back(source, backup, out _);
            }
            catch (IOException failure)
            {
                Assert.Contains(FaultPlan.Message, failure.Message, StringComparison.Ordinal);
            }
            if (report is { Findings.Count: > 0 })
            {
                Assert.All(report.Findings, finding => Assert.Contains("store/", finding.File, StringComparison.Ordinal));
                Assert.Empty(BackupReader.Open(backup).Verify(Cancellation));
            }
            else
            {
                AssertWhole(rig, backup, report is null ? 1 : 2);
            }
            source.Fault = null;
            Assert.Empty(Back(source, backup, out _).Findings);
            AssertWhole(rig, backup, 2);
            if (n >= source.OperationCount)
            {
                Assert.True(n > 20 && report is { Findings.Count: 0 });
                return;
            }
        }
    }

    [Fact]
    public async Task Restore_PowerLostAtAnyOperation_IsRunAgain()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await AppendAndSealAsync(rig, engine, 1, 2);
        var backup = new MemoryFileSystem();
        Back(rig.Disk, backup, out _);
        for (var n = 0; ; n++)
        {
            var target = new MemoryFileSystem();
            target.Fault = FaultPlan.FailAt(n, andAllAfter: true);
            target.TornWriteShare = 0.5;
            try
            {
                BackupReader.Open(backup).RestoreTo(target, Cancellation);
            }
            catch (IOException)
            {
                Assert.True(n < target.OperationCount);
            }
            var finished = n >= target.OperationCount;
            target = target.Crash(CrashKeeps.AnyOrder, new Random(n));
            var hasMarker = target.FileExists(BackupReader.MarkerFileName);
            Assert.False(finished && hasMarker);
            if (hasMarker || target.ListDirectories("").Count == 0)
            {
                BackupReader.Open(backup).RestoreTo(target, Cancellation);
            }
            target = target.Crash();
            Assert.False(target.FileExists(BackupReader.MarkerFileName));
            await AssertHoldsAsync(rig, target, 2);
            if (finished)
            {
                Assert.True(n > 10);
                return;
            }
        }
    }

    [Fact]
    public async Task Run_DiskOfTheBackupFull_SaysSoAndGoesOnLater()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await AppendAndSealAsync(rig, engine, 1);
        var backup = new MemoryFileSystem();
        Back(rig.Disk, backup, out _);
        await AppendAndSealAsync(rig, engine, 2, 3);
        backup.CapacityBytes = backup.UsedBytes + 3_000;
        Assert.Throws<DiskFullException>(() => Back(rig.Disk, backup, out _));
        await AssertRestoresAsync(rig, backup, 1);
        backup.CapacityBytes = null;
        Back(rig.Disk, backup, out _);
        await AssertRestoresAsync(rig, backup, 3);
    }

    /// <summary>Seals twice, and makes a backup between.</summary>
    private static async Task<MemoryFileSystem> BackUpFirstOfTwoAsync(EngineRig rig, EmbeddedEngine engine)
    {
        await AppendAndSealAsync(rig, engine, 1);
        var first = new MemoryFileSystem();
        Back(rig.Disk, first, out _);
        await AppendAndSealAsync(rig, engine, 2);
        return first;
    }

    private static async Task AppendAndSealAsync(EngineRig rig, EmbeddedEngine engine, params long[] positions)
    {
        foreach (var position in positions)
        {
            await rig.AppendAsync(engine, position);
            await rig.CompleteAsync(engine.SealAsync(Cancellation));
        }
    }

    private static StoreBackupReport Back(MemoryFileSystem from, MemoryFileSystem to, out BackupWriter writer)
    {
        writer = BackupWriter.Begin(to, DateTimeOffset.UnixEpoch, "0.1.0", []);
        var report = StoreBackup.Run(from, EngineRig.Folder, to, writer, Cancellation);
        Assert.Empty(writer.Finish(DateTimeOffset.UnixEpoch));
        return report;
    }

    /// <returns>False when it failed.</returns>
    /// <param name="notDeleted">What could not be deleted after it was done.</param>
    private static bool TryBack(MemoryFileSystem from, MemoryFileSystem to, out int notDeleted)
    {
        notDeleted = 0;
        try
        {
            var writer = BackupWriter.Begin(to, DateTimeOffset.UnixEpoch, "0.1.0", []);
            Assert.Empty(StoreBackup.Run(from, EngineRig.Folder, to, writer, Cancellation).Findings);
            notDeleted = writer.Finish(DateTimeOffset.UnixEpoch).Count;
            return true;
        }
        catch (IOException failure)
        {
            Assert.Contains(FaultPlan.Message, failure.Message, StringComparison.Ordinal);
            return false;
        }
    }

    /// <summary>The last operations of a first backup may fail when its listing stands already.</summary>
    private static bool IsFinished(MemoryFileSystem backup) => BackupListing.Read(backup)?.FinishedAt is not null;

    /// <param name="upTo">Null: as much as the backup says that it has.</param>
    private static void AssertWhole(EngineRig rig, MemoryFileSystem backup, long? upTo)
    {
        var reader = BackupReader.Open(backup);
        Assert.Empty(reader.Verify(Cancellation));
        var restored = new MemoryFileSystem();
        reader.RestoreTo(restored, Cancellation);
        using var snapshot = StoreSnapshot.Open(restored.Crash(), EngineRig.Folder);
        var covered = upTo ?? (reader.Listing.Files.Count(file => file.Path.EndsWith(".part", StringComparison.Ordinal)) / 2);
        Assert.Equal((covered, covered), (snapshot.Manifest.CoveredSpans, snapshot.Manifest.CoveredLogs));
        foreach (var signal in new[] { Signal.Traces, Signal.Logs })
        {
            Assert.Equal(rig.Expected(signal, covered), EngineRig.Rows([.. snapshot.Parts.Where(part => part.Listed.Signal == signal).Select(part => (RowSource)part.Source!)], signal));
        }
    }

    private static async Task AssertRestoresAsync(EngineRig rig, MemoryFileSystem backup, long upTo)
    {
        var restored = new MemoryFileSystem();
        BackupReader.Open(backup).RestoreTo(restored, Cancellation);
        await AssertHoldsAsync(rig, restored.Crash(), upTo);
    }

    private static async Task AssertHoldsAsync(EngineRig rig, MemoryFileSystem disk, long upTo)
    {
        Assert.Empty(StoreVerification.Run(disk, EngineRig.Folder, null, Cancellation));
        await using var engine = EmbeddedEngine.Open(disk, EngineRig.Folder, rig.Options, rig.Time, rig.Logger);
        Assert.Equal(upTo, engine.CoveredByAll);
        rig.AssertHolds(engine, upTo, upTo);
    }

    private static void Replace(MemoryFileSystem disk, long old, long id)
    {
        using var manifest = Manifest.Open(disk, EngineRig.Folder);
        var part = manifest.Parts.Single(part => part.Id == old);
        using (var copy = disk.Create($"store/{id:x16}.part"))
        {
            copy.Write(disk.ReadAll($"store/{old:x16}.part"), 0);
        }
        manifest.Commit(new ManifestEdit([part with { Id = id }], [old], manifest.CoveredSpans, manifest.CoveredLogs));
        disk.Delete($"store/{old:x16}.part");
    }

    private static IEnumerable<string> Everything(MemoryFileSystem disk, string folder) =>
        disk.ListFiles(folder).Select(name => folder + "/" + name).Concat(disk.ListDirectories(folder).SelectMany(name => Everything(disk, folder.Length == 0 ? name : folder + "/" + name)));
}
