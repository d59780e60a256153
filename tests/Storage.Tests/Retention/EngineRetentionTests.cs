using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Retention;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.TestKit;

namespace Apm.Storage.Tests.Retention;

public sealed class EngineRetentionTests
{
    /// <summary>A quarter of an hour after the rows of a <see cref="RandomBatch"/>.</summary>
    private static readonly DateTimeOffset s_thatDay = new(2023, 11, 14, 22, 30, 0, TimeSpan.Zero);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static RetentionOptions SpansForTwoDays { get; } = new(Kept(TimeSpan.FromDays(2)), SignalRetention.Forever, null);

    [Fact]
    public async Task Tick_PartPastItsRetention_IsDroppedWithItsFiles()
    {
        var rig = Rig(SpansForTwoDays);
        await using var engine = rig.Open();
        await SealAsync(rig, engine, 1);
        Assert.Equal((2, null), (PartFiles(rig).Length, engine.Status().Signals[0].LastDrop));
        rig.Time.Advance(TimeSpan.FromDays(2) - TimeSpan.FromHours(1));
        await UntilAsync(rig, () => rig.Time.GetUtcNow() > s_thatDay.AddDays(2).AddHours(-1).AddSeconds(5));
        rig.AssertHolds(engine);
        rig.Time.Advance(TimeSpan.FromHours(1));
        await UntilAsync(rig, () => engine.Status().Signals[0] is { Parts: 0, LastDrop: not null } && PartFiles(rig).Length == 1);
        rig.AssertHolds(engine, spansUpTo: 0);
        var status = engine.Status().Signals;
        Assert.Equal(("age", 1, 20), (status[0].LastDrop!.Reason, status[0].LastDrop!.Parts, status[0].LastDrop!.Rows));
        Assert.Equal((TimeSpan.FromDays(2), null, null), (status[0].Retention!.Default, status[1].Retention, status[1].LastDrop));
    }

    [Fact]
    public async Task Lease_PartExpiredButNotDroppedYet_IsLeftOutAndReadToTheEndByWhoHadIt()
    {
        var rig = Rig(SpansForTwoDays);
        await using var engine = rig.Open();
        await SealAsync(rig, engine, 1);
        rig.Disk.Fault = FaultPlan.FailAt(rig.Disk.OperationCount, andAllAfter: true);
        var before = engine.Lease(Signal.Traces);
        rig.Time.Advance(TimeSpan.FromDays(2));
        Assert.Empty(EngineRig.Rows(engine, Signal.Traces));
        Assert.Equal(1, engine.Status().Signals[0].Parts);
        rig.Disk.Fault = null;
        await UntilAsync(rig, () => engine.Status().Signals[0].Parts == 0);
        Assert.Equal(2, PartFiles(rig).Length);
        Assert.Equal(rig.Expected(Signal.Traces), EngineRig.Rows(before.Sources, Signal.Traces));
        before.Dispose();
        await UntilAsync(rig, () => PartFiles(rig).Length == 1);
    }

    [Fact]
    public async Task Tick_BeyondTheDiskBudget_DropsTheOldestUntilWithinIt()
    {
        var rig = Rig(RetentionOptions.KeepAll);
        long[] lasts;
        long bytes;
        await using (var engine = rig.Open())
        {
            for (var position = 1; position <= 4; position++)
            {
                await SealAsync(rig, engine, position);
                rig.Time.Advance(TimeSpan.FromSeconds(1));
            }
            lasts = Lasts(engine);
            bytes = engine.Status().Signals.Sum(signal => signal.Bytes);
        }
        rig.Retention = RetentionOptions.KeepAll with { DiskBudgetBytes = bytes / 2 };
        await using var again = rig.Open();
        await UntilAsync(rig, () => again.Status().Signals.Sum(signal => signal.Bytes) <= bytes / 2 && again.Status().Signals.Any(signal => signal.LastDrop is not null));
        var kept = Lasts(again);
        Assert.InRange(kept.Length, 1, 7);
        Assert.Equal(lasts.TakeLast(kept.Length), kept);
        Assert.Equal(bytes / 2, again.Status().DiskBudgetBytes);
        Assert.All(again.Status().Signals, signal => Assert.True(signal.LastDrop is null or { Reason: "disk budget" }));
    }

    [Fact]
    public async Task Tick_OneServiceExpired_IsTakenOutAndTheOthersStay()
    {
        var services = new Dictionary<string, TimeSpan?> { ["service-0"] = TimeSpan.FromDays(1) };
        var rig = Rig(new RetentionOptions(new SignalRetention(TimeSpan.FromDays(9), services), SignalRetention.Forever, null));
        await using (var engine = rig.Open())
        {
            for (var position = 1; position <= 3; position++)
            {
                await SealAsync(rig, engine, position);
            }
            rig.AssertHolds(engine);
            // Also what is less than a third of its part is due.
            rig.Time.Advance(TimeSpan.FromDays(2.1));
            var expected = rig.ExpectedOf(Signal.Traces, service => service != "service-0");
            Assert.NotEmpty(expected);
            await UntilAsync(rig, () => engine.Status().Signals[0].Rows == expected.Length);
            Assert.Equal(expected, EngineRig.Rows(engine, Signal.Traces));
            Assert.Equal(rig.Expected(Signal.Logs), EngineRig.Rows(engine, Signal.Logs));
            await UntilAsync(rig, () => HasRollups(engine) && engine.Status().Merging is { BacklogParts: 0, Running: 0 });
            Assert.InRange(engine.Status().Merging.WriteAmplification!.Value, 1, 3);
        }
        await using var again = rig.Open();
        Assert.Equal(rig.ExpectedOf(Signal.Traces, service => service != "service-0"), EngineRig.Rows(again, Signal.Traces));
    }

    [Fact]
    public async Task Tick_OneServiceKeptForEver_OutlivesTheRest()
    {
        var services = new Dictionary<string, TimeSpan?> { ["service-1"] = null };
        var rig = Rig(new RetentionOptions(SignalRetention.Forever, new SignalRetention(TimeSpan.FromDays(1), services), null));
        await using var engine = rig.Open();
        for (var position = 1; position <= 4; position++)
        {
            await SealAsync(rig, engine, position);
        }
        rig.Time.Advance(TimeSpan.FromDays(400));
        var expected = rig.ExpectedOf(Signal.Logs, service => service == "service-1");
        Assert.NotEmpty(expected);
        await UntilAsync(rig, () => engine.Status().Signals[1].Rows == expected.Length);
        Assert.Equal(expected, EngineRig.Rows(engine, Signal.Logs));
        Assert.Equal(rig.Expected(Signal.Traces), EngineRig.Rows(engine, Signal.Traces));
    }

    [Fact]
    public async Task Tick_ClockSetForward_DropsOnlyWhenItStays()
    {
        var rig = Rig(SpansForTwoDays);
        await using var engine = rig.Open();
        await SealAsync(rig, engine, 1);
        rig.ClockError = TimeSpan.FromDays(365);
        await PassAsync(rig, RetentionClock.Settling - TimeSpan.FromSeconds(10));
        rig.AssertHolds(engine);
        rig.ClockError = TimeSpan.Zero;
        await PassAsync(rig, RetentionClock.Settling * 2);
        rig.AssertHolds(engine);
        Assert.Null(engine.Status().Signals[0].LastDrop);
        rig.ClockError = TimeSpan.FromDays(365);
        await PassAsync(rig, RetentionClock.Settling + TimeSpan.FromSeconds(2));
        await UntilAsync(rig, () => engine.Status().Signals[0].Parts == 0);
    }

    [Fact]
    public async Task Tick_ClockFarAheadAndStartedAgain_IsBelievedNoSooner()
    {
        var rig = Rig(SpansForTwoDays);
        await using (var engine = rig.Open())
        {
            await SealAsync(rig, engine, 1);
        }
        rig.ClockError = TimeSpan.FromDays(365);
        for (var position = 2; position <= 4; position++)
        {
            await using var engine = rig.Open();
            await SealAsync(rig, engine, position);
            await PassAsync(rig, RetentionClock.Settling / 2);
            rig.AssertHolds(engine);
        }
        rig.ClockError = TimeSpan.Zero;
        await using var again = rig.Open();
        await PassAsync(rig, RetentionClock.Settling * 2);
        rig.AssertHolds(again);
        Assert.Null(again.Status().Signals[0].LastDrop);
    }

    /// <summary>A machine without a clock of its own, until it has asked the network for the time; senders know it all along.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tick_SealedWhileTheClockWasFarBehind_IsNotOldWhenItIsRightAgain(bool fromTheStart)
    {
        var rig = Rig(SpansForTwoDays);
        await using (var engine = rig.Open())
        {
            await SealAsync(rig, engine, 1);
        }
        rig.ClockError = fromTheStart ? TimeSpan.FromDays(-365) : TimeSpan.Zero;
        await using (var engine = rig.Open())
        {
            rig.ClockError = TimeSpan.FromDays(-365);
            await PassAsync(rig, TimeSpan.FromSeconds(5));
            // So many rows that some say to be much older, as those of this machine's own clock do.
            await rig.AppendAsync(engine, 2, rows: 400);
            await engine.SealAsync(Cancellation);
            rig.ClockError = TimeSpan.Zero;
            await PassAsync(rig, RetentionClock.Settling * 2);
            rig.AssertHolds(engine);
        }
        await using var again = rig.Open();
        await PassAsync(rig, RetentionClock.Settling * 2);
        rig.AssertHolds(again);
        Assert.Null(again.Status().Signals[0].LastDrop);
    }

    private static SignalRetention Kept(TimeSpan time) => new(time, new Dictionary<string, TimeSpan?>());

    private static EngineRig Rig(RetentionOptions retention)
    {
        var rig = new EngineRig { Retention = retention };
        rig.Time.SetUtcNow(s_thatDay);
        return rig;
    }

    private static async Task SealAsync(EngineRig rig, EmbeddedEngine engine, long position)
    {
        await rig.AppendAsync(engine, position);
        await engine.SealAsync(Cancellation);
    }

    private static long[] Lasts(EmbeddedEngine engine)
    {
        using var spans = engine.Lease(Signal.Traces);
        using var logs = engine.Lease(Signal.Logs);
        return [.. spans.Sources.Concat(logs.Sources).Cast<PartSource>().Select(part => new StoredPart(part.Entry!, part, static _ => { }).LastUnixNano).Order()];
    }

    private static bool HasRollups(EmbeddedEngine engine)
    {
        using var lease = engine.Lease(Signal.Traces);
        return lease.Sources.All(source => source.Rollup is not null);
    }

    /// <summary>By asking for names, which is no operation of the disk.</summary>
    private static string[] PartFiles(EngineRig rig) =>
        [.. Enumerable.Range(1, 60).Select(id => new ManifestPart(id, Signal.Traces, 0, 0, 0).FileName).Where(name => rig.Disk.FileExists("store/" + name))];

    private static async Task PassAsync(EngineRig rig, TimeSpan time)
    {
        var end = rig.Time.GetUtcNow() + time;
        await UntilAsync(rig, () => rig.Time.GetUtcNow() >= end);
    }

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
