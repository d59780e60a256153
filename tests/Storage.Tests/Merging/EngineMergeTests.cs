using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Merging;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Merging;

public sealed class EngineMergeTests
{
    /// <summary>A quarter of an hour after the rows of a <see cref="RandomBatch"/>, and when their day is over.</summary>
    private static readonly DateTimeOffset s_thatDay = new(2023, 11, 14, 22, 30, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset s_later = s_thatDay.AddDays(1.5);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Seal_SixteenthPartOfADay_JoinsThemAndDeletesTheirFiles()
    {
        var rig = new EngineRig();
        rig.Time.SetUtcNow(s_thatDay);
        await using var engine = rig.Open();
        for (var position = 1; position <= MergePolicy.FanIn; position++)
        {
            await rig.AppendAsync(engine, position);
            await engine.SealAsync(Cancellation);
        }
        await UntilAsync(rig, () => PartFiles(rig).Length == 2);
        rig.AssertHolds(engine);
        var status = engine.Status();
        Assert.Equal([1], status.Signals[0].Levels.Select(level => level.Level));
        Assert.InRange(status.Merging.WriteAmplification!.Value, 1.01, 3);
        Assert.Equal(0, status.Merging.BacklogParts);
        Assert.Null(status.Merging.Fault);
    }

    [Fact]
    public async Task Lease_PartsMergedMeanwhile_AreReadToTheEndAndDeletedThen()
    {
        var (rig, before) = await WithPartsAsync(3);
        rig.Disk = before;
        await using var engine = rig.Open();
        var lease = engine.Lease(Signal.Traces);
        rig.Time.SetUtcNow(s_later);
        await UntilAsync(rig, () => engine.Status().Merging.BacklogParts == 0 && PartFiles(rig).Length == 8);
        Assert.Equal(rig.Expected(Signal.Traces), EngineRig.Rows(lease.Sources, Signal.Traces));
        rig.AssertHolds(engine);
        lease.Dispose();
        await UntilAsync(rig, () => PartFiles(rig).Length == 2);
    }

    [Fact]
    public async Task Merge_NoRoom_WaitsAndSaysSo()
    {
        var (rig, before) = await WithPartsAsync(2);
        rig.Time.SetUtcNow(s_later);
        rig.Disk = before;
        rig.Disk.CapacityBytes = rig.Disk.UsedBytes + 2_000;
        await using var engine = rig.Open();
        await UntilAsync(rig, () => engine.Status().Merging.Fault is not null);
        Assert.Contains("no room", engine.Status().Merging.Fault, StringComparison.Ordinal);
        Assert.NotEmpty(engine.Status().Problems());
        rig.Disk.CapacityBytes = null;
        await UntilAsync(rig, () => engine.Status().Merging is { BacklogParts: 0, Fault: null });
        rig.AssertHolds(engine);
    }

    [Fact]
    public async Task Merge_FreeRoomUnknown_WaitsAndSaysSo()
    {
        var (rig, before) = await WithPartsAsync(2);
        rig.Time.SetUtcNow(s_later);
        rig.Disk = before;
        await using var engine = rig.Open();
        rig.Disk.FreeBytesFault = static () => new IOException(FaultPlan.Message);
        await UntilAsync(rig, () => engine.Status().Merging.Fault is not null);
        Assert.Contains("not known", engine.Status().Merging.Fault, StringComparison.Ordinal);
        rig.Disk.FreeBytesFault = null;
        await UntilAsync(rig, () => engine.Status().Merging is { BacklogParts: 0, Fault: null });
        rig.AssertHolds(engine);
    }

    [Fact]
    public async Task Merge_DamagedInput_IsSetAsideAndTheRestMerged()
    {
        var (rig, before) = await WithPartsAsync(3);
        rig.Disk = before;
        rig.Disk.Corrupt("store/0000000000000001.part", bytes => bytes.AsSpan(16, 200).Clear());
        rig.Time.SetUtcNow(s_later);
        await using (var engine = rig.Open())
        {
            await UntilAsync(rig, () => rig.Disk.FileExists("store/damaged/0000000000000001.part") && engine.Status().Signals[0].Parts == 1 && engine.Status().Signals[1].Parts == 1);
            AssertHoldsAllButTheFirstSpans(rig, engine);
            Assert.Equal("0000000000000001.part", Assert.Single(engine.Status().Damaged).File);
        }
        await using var again = rig.Open();
        AssertHoldsAllButTheFirstSpans(rig, again);
    }

    [Fact]
    public async Task Merge_SpansThatTwoPartsHave_AreCountedOnce()
    {
        var (rig, before) = await WithPartsAsync(1);
        rig.Disk = before;
        AddCopyOfSpans(rig);
        await using var engine = rig.Open();
        var spans = new EmbeddedSpanStore(engine);
        // The copy has no rollup yet: it must have one before the merge, or that would leave the new part without.
        await UntilAsync(rig, () => rig.Disk.FileExists("store/0000000000000063.rollup"));
        Assert.Equal(40, await CountAsync(spans, rollups: 2));
        rig.Time.SetUtcNow(s_later);
        await UntilAsync(rig, () => engine.Status().Signals[0].Parts == 1);
        Assert.Equal(20, await CountAsync(spans, rollups: 1));
        rig.AssertHolds(engine);
    }

    /// <summary>As if the store had forgotten the spans when they were sent again.</summary>
    private static void AddCopyOfSpans(EngineRig rig)
    {
        using var manifest = Manifest.Open(rig.Disk, EngineRig.Folder);
        var part = manifest.Parts.Single(part => part.Signal == Signal.Traces);
        var copy = part with { Id = 0x63 };
        using (var file = rig.Disk.Create("store/" + copy.FileName))
        {
            file.Write(rig.Disk.ReadAll("store/" + part.FileName), 0);
        }
        manifest.Commit(new ManifestEdit([copy], [], manifest.CoveredSpans, manifest.CoveredLogs));
    }

    private static async Task<long> CountAsync(EmbeddedSpanStore spans, int rollups)
    {
        var result = await spans.AggregateAsync(new AggregateQuery(Filter.All, TimeRange.All, 0, []), QueryBudget.Default, Cancellation);
        Assert.Equal((true, rollups, 0L), (result.Scan.Complete, result.Scan.RollupsRead, result.Scan.RowsScanned));
        return result.Groups[0].Total.Count;
    }

    [Theory]
    [InlineData(CrashKeeps.SyncedOnly)]
    [InlineData(CrashKeeps.Everything)]
    public async Task OnDamage_CrashAtAnyOperation_LeavesThePartOutOrWhereItWas(CrashKeeps keeps)
    {
        var (rig, before) = await WithPartsAsync(2);
        before.Corrupt("store/0000000000000002.part", bytes => bytes.AsSpan(16, 200).Clear());
        for (var n = 0; ; n++)
        {
            rig.Disk = before.Crash(CrashKeeps.Everything);
            var engine = rig.Open();
            var first = rig.Disk.OperationCount;
            rig.Disk.Fault = FaultPlan.FailAt(first + n, andAllAfter: true);
            engine.OnDamage(new CorruptPartException("store/0000000000000002.part", 16, "a test says so"));
            // Served no more at once, whatever the disk says.
            Assert.DoesNotContain(engine.Status().Signals[1].Levels, level => level.Parts == 2);
            using (var lease = engine.Lease(Signal.Logs))
            {
                Assert.Equal(10, lease.Sources.Sum(source => source.RowCount));
            }
            await UntilAsync(rig, () => rig.Disk.OperationCount > first + n || engine.DamagedListed == 0);
            await engine.DisposeAsync();
            var died = rig.Disk.OperationCount > first + n;
            rig.Disk = rig.Disk.Crash(keeps);
            await using var again = rig.Open();
            using var held = again.Lease(Signal.Traces);
            Assert.Equal(rig.Expected(Signal.Traces), EngineRig.Rows(held.Sources, Signal.Traces));
            Assert.InRange(again.Status().Signals[1].Parts, 1, 2);
            if (!died || n > 200)
            {
                Assert.InRange(n, 4, 200);
                return;
            }
        }
    }

    [Fact]
    public async Task Tick_BelowTheWatermark_RefusesUntilThereIsRoomAgain()
    {
        var rig = new EngineRig();
        rig.Options.MinFreeBytes = 100_000;
        rig.Disk.CapacityBytes = 150_000;
        await using var engine = rig.Open();
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(engine.Refusal);
        rig.Disk.CapacityBytes = rig.Disk.UsedBytes + 99_999;
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Contains("Storage:MinFreeBytes", engine.Refusal, StringComparison.Ordinal);
        Assert.Equal(engine.Refusal, Assert.Single(engine.Status().Problems()));
        rig.Disk.CapacityBytes = rig.Disk.UsedBytes + 109_000;
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(engine.Refusal);
        rig.Disk.CapacityBytes = rig.Disk.UsedBytes + 110_000;
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(engine.Refusal);
    }

    private static async Task<(EngineRig Rig, MemoryFileSystem Disk)> WithPartsAsync(int parts)
    {
        var rig = new EngineRig();
        rig.Time.SetUtcNow(s_thatDay);
        await using (var engine = rig.Open())
        {
            for (var position = 1; position <= parts; position++)
            {
                await rig.AppendAsync(engine, position);
                await engine.SealAsync(Cancellation);
            }
        }
        return (rig, rig.Disk.Crash(CrashKeeps.Everything));
    }

    private static void AssertHoldsAllButTheFirstSpans(EngineRig rig, EmbeddedEngine engine)
    {
        var lost = rig.Expected(Signal.Traces, 1);
        Assert.Equal(rig.Expected(Signal.Traces).Except(lost), EngineRig.Rows(engine, Signal.Traces));
        Assert.Equal(rig.Expected(Signal.Logs), EngineRig.Rows(engine, Signal.Logs));
    }

    /// <summary>By asking for names, which is no operation of the disk.</summary>
    private static string[] PartFiles(EngineRig rig) =>
        [.. Enumerable.Range(1, 60).Select(id => new ManifestPart(id, Signal.Traces, 0, 0, 0).FileName).Where(name => rig.Disk.FileExists("store/" + name))];

    private static async Task UntilAsync(EngineRig rig, Func<bool> done)
    {
        while (!done())
        {
            Cancellation.ThrowIfCancellationRequested();
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }
}
