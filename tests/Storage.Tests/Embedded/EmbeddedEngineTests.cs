using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Telemetry;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

public sealed class EmbeddedEngineTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Seal_HighestPartGoneBeforeARestart_GivesItsIdToNoOther()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1);
            await engine.SealAsync(Cancellation);
            engine.OnDamage(new CorruptPartException("store/0000000000000002.part", 16, "a test says so"));
            while (engine.DamagedListed > 0)
            {
                rig.Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
        }
        // Twice, as the first start writes the list anew.
        await rig.Open().DisposeAsync();
        await using var again = rig.Open();
        await rig.AppendAsync(again, 2);
        await again.SealAsync(Cancellation);
        Assert.Equal(
            ["0000000000000001.part", "0000000000000003.part", "0000000000000004.part"],
            rig.Disk.ListFiles("store").Where(name => name.EndsWith(".part", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AppendAsync_ManySmallBatches_AreVisibleInFewSources()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        for (var position = 1; position <= 400; position++)
        {
            await rig.AppendAsync(engine, position, rows: 4);
        }
        rig.AssertHolds(engine);
        using var lease = engine.Lease(Signal.Traces);
        Assert.InRange(lease.Sources.Count, 1, 30);
    }

    [Fact]
    public async Task SealAsync_RowsOfBothSignals_MoveToPartsAndAreCovered()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 7);
            Assert.Equal(0, engine.CoveredByAll);
            await engine.SealAsync(Cancellation);
            Assert.Equal((7, 7), (engine.CoveredPosition(Signal.Traces), engine.CoveredPosition(Signal.Logs)));
            rig.AssertHolds(engine);
            await rig.AppendAsync(engine, 8);
            rig.AssertHolds(engine);
        }
        // The shutdown has sealed the rest.
        await using var again = rig.Open();
        Assert.Equal(8, again.CoveredByAll);
        rig.AssertHolds(again);
    }

    [Fact]
    public async Task AppendAsync_CoveredPosition_IsIgnored()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await rig.AppendAsync(engine, 5);
        await engine.SealAsync(Cancellation);
        await rig.AppendAsync(engine, 5);
        rig.AssertHolds(engine);
    }

    [Fact]
    public async Task AppendAsync_BatchWithoutRows_MovesThePosition()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await engine.AppendAsync(new ColumnBatch(Signal.Traces), 3, Cancellation);
        await engine.AppendAsync(new ColumnBatch(Signal.Logs), 3, Cancellation);
        await engine.SealAsync(Cancellation);
        Assert.Equal(3, engine.CoveredByAll);
        Assert.DoesNotContain(rig.Disk.ListFiles(EngineRig.Folder), name => name.EndsWith(".part", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tick_HeadOlderThanItsAge_IsSealed()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await rig.AppendAsync(engine, 1);
        rig.Time.Advance(rig.Options.SealAge - TimeSpan.FromSeconds(2));
        Assert.Equal(0, engine.CoveredByAll);
        rig.Time.Advance(TimeSpan.FromSeconds(3));
        await rig.CompleteAsync(rig.Logger.WaitForAsync("Sealed", Cancellation));
        await engine.SealAsync(Cancellation);
        Assert.Equal(1, engine.CoveredByAll);
    }

    [Fact]
    public async Task AppendAsync_DiskFull_KeepsRowsWaitsAndRecovers()
    {
        var rig = new EngineRig();
        rig.Options.SealRows = 25;
        rig.Options.WaitingHeads = 1;
        await using var engine = rig.Open();
        rig.Disk.CapacityBytes = rig.Disk.UsedBytes + 100;
        await rig.AppendAsync(engine, 1);
        await rig.Logger.WaitForAsync("Could not seal", Cancellation);
        await rig.AppendAsync(engine, 2);
        rig.AssertHolds(engine);
        var third = rig.AppendAsync(engine, 3);
        Assert.False(third.IsCompleted);
        Assert.DoesNotContain(rig.Disk.ListFiles(EngineRig.Folder), name => name.EndsWith(".part", StringComparison.Ordinal));

        rig.Disk.CapacityBytes = null;
        await rig.CompleteAsync(third);
        rig.AssertHolds(engine);
        await rig.CompleteAsync(engine.SealAsync(Cancellation));
        Assert.Equal(3, engine.CoveredByAll);
        rig.AssertHolds(engine);
    }

    [Fact]
    public async Task Lease_WhileSealing_ShowsEachRowOnce()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        for (var position = 1; position <= 6; position++)
        {
            await rig.AppendAsync(engine, position, rows: 300);
            var expected = rig.Expected(Signal.Traces);
            var sealing = engine.SealAsync(Cancellation);
            do
            {
                Assert.Equal(expected, EngineRig.Rows(engine, Signal.Traces));
            }
            while (!sealing.IsCompleted);
            await sealing;
            Assert.Equal(expected, EngineRig.Rows(engine, Signal.Traces));
        }
    }

    [Fact]
    public async Task Open_UnlistedFiles_AreDeleted()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1);
        }
        rig.Disk.Create("store/00000000000000ff.part").Dispose();
        rig.Disk.Create("store/00000000000000ff.rollup").Dispose();
        rig.Disk.Create("store/manifest.tmp").Dispose();
        rig.Disk.Create("store/note.txt").Dispose();
        await using var again = rig.Open();
        Assert.Equal(["0000000000000001.part", "0000000000000001.rollup", "0000000000000002.part", "manifest", "manifest.2", "note.txt"], rig.Disk.ListFiles(EngineRig.Folder).Order(StringComparer.Ordinal));
        rig.AssertHolds(again);
    }

    [Fact]
    public async Task Open_DamagedPart_IsSetAsideAndTheRestServed()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1);
        }
        rig.Disk.Corrupt("store/0000000000000001.part", bytes => bytes[^20] ^= 1);
        await using (var again = rig.Open())
        {
            Assert.Empty(EngineRig.Rows(again, Signal.Traces));
            Assert.Equal(rig.Expected(Signal.Logs), EngineRig.Rows(again, Signal.Logs));
        }
        Assert.Equal(["0000000000000001.part"], rig.Disk.ListFiles("store/damaged"));
        Assert.Contains(rig.Logger.Lines, line => line.Contains("is damaged", StringComparison.Ordinal));
        await using var third = rig.Open();
        Assert.Equal(rig.Expected(Signal.Logs), EngineRig.Rows(third, Signal.Logs));
    }

    [Fact]
    public async Task Open_DamagedManifest_KeepsEveryPart()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1);
            await engine.SealAsync(Cancellation);
            await rig.AppendAsync(engine, 2);
        }
        rig.Disk.Corrupt("store/manifest", bytes => bytes[20] ^= 1);
        rig.Disk.Corrupt("store/manifest.2", bytes => bytes[20] ^= 1);
        await using var again = rig.Open();
        rig.AssertHolds(again);
        Assert.Equal(["manifest", "manifest.2"], rig.Disk.ListFiles("store/damaged").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("store/manifest")]
    [InlineData("store/manifest.2")]
    [InlineData("store/0000000000000001.part")]
    [InlineData("store/0000000000000001.rollup")]
    [InlineData("store/0000000000000002.part")]
    public async Task Open_NewerVersion_IsRefusedAndChangesNothing(string path)
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1);
        }
        rig.Disk.Corrupt(path, bytes =>
        {
            bytes[8] = 9;
            BitConverter.TryWriteBytes(bytes.AsSpan(12), Telemetry.Files.Crc32C.Compute(bytes.AsSpan(0, 12)));
        });
        var first = rig.Disk.OperationCount;
        var refusal = Assert.Throws<NotSupportedException>(() => rig.Open());
        Assert.Contains("version 9", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(rig.Disk.Operations.Skip(first), operation => operation.Kind is not FileOperationKind.CreateDirectory and not FileOperationKind.SyncDirectory && operation.Changes);
        Assert.Equal(0, rig.Disk.OpenFiles);
    }

    [Fact]
    public async Task AnyOperationFailsOnce_NothingIsLostOrDoubled()
    {
        for (var n = 0; ; n++)
        {
            var rig = new EngineRig();
            rig.Disk.Fault = FaultPlan.FailAt(n);
            await using (var engine = await OpenDespiteFaultAsync(rig))
            {
                for (var position = 1; position <= 3; position++)
                {
                    await rig.AppendAsync(engine, position);
                    await rig.CompleteAsync(engine.SealAsync(Cancellation));
                    AssertHoldsDespiteFault(rig, engine);
                }
            }
            var survived = n >= rig.Disk.OperationCount;
            Assert.True(rig.Disk.OpenFiles == 0, $"{rig.Disk.OpenFiles} files are open when {n} has failed");
            rig.Disk = rig.Disk.Crash();
            await using var again = rig.Open();
            Assert.Equal(3, again.CoveredByAll);
            rig.AssertHolds(again);
            if (survived)
            {
                Assert.True(n > 20);
                return;
            }
        }
    }

    [Theory]
    [InlineData(CrashKeeps.SyncedOnly)]
    [InlineData(CrashKeeps.Prefix)]
    [InlineData(CrashKeeps.Sectors)]
    [InlineData(CrashKeeps.AnyOrder)]
    [InlineData(CrashKeeps.Everything)]
    public async Task CrashAtAnyOperation_ReplayRestoresExactlyWhatWasAppended(CrashKeeps keeps)
    {
        for (var n = 0; ; n++)
        {
            var rig = new EngineRig();
            rig.Disk.Fault = FaultPlan.FailAt(n, andAllAfter: true);
            rig.Disk.TornWriteShare = 0.5;
            var died = await RunUntilTheDiskDiesAsync(rig);
            rig.Disk = rig.Disk.Crash(keeps, new Random(n));

            await using (var again = rig.Open())
            {
                rig.AssertHolds(again, again.CoveredPosition(Signal.Traces), again.CoveredPosition(Signal.Logs));
                await rig.ReplayAsync(again);
                rig.AssertHolds(again);
            }
            await using var third = rig.Open();
            rig.AssertHolds(third);
            if (!died)
            {
                Assert.True(n > 20);
                return;
            }
        }
    }

    private static async Task<EmbeddedEngine> OpenDespiteFaultAsync(EngineRig rig)
    {
        try
        {
            return rig.Open();
        }
        catch (IOException)
        {
            await Task.Yield();
            return rig.Open();
        }
    }

    private static void AssertHoldsDespiteFault(EngineRig rig, EmbeddedEngine engine)
    {
        try
        {
            rig.AssertHolds(engine);
        }
        catch (IOException)
        {
            rig.AssertHolds(engine);
        }
    }

    /// <returns>False when no operation failed.</returns>
    private static async Task<bool> RunUntilTheDiskDiesAsync(EngineRig rig)
    {
        EmbeddedEngine engine;
        try
        {
            engine = rig.Open();
        }
        catch (IOException)
        {
            return true;
        }
        var failed = rig.Logger.WaitForAsync("Could not seal", Cancellation);
        for (var position = 1; position <= 2; position++)
        {
            await rig.AppendAsync(engine, position);
            if (await Task.WhenAny(engine.SealAsync(Cancellation), failed) == failed)
            {
                await engine.DisposeAsync();
                return true;
            }
        }
        await rig.AppendAsync(engine, 3);
        var closing = engine.DisposeAsync().AsTask();
        await closing;
        return failed.IsCompleted;
    }
}
