using Apm.Storage.Embedded.Merging;
using Apm.Storage.Embedded.Retention;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;

namespace Apm.Storage.Tests.Faults;

/// <summary>A wall clock that jumps: nothing that waits may look at it.</summary>
public sealed class ClockTests
{
    private static readonly SignalRetention s_hundredDays = new(TimeSpan.FromDays(100), new Dictionary<string, TimeSpan?>());

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ClockSetBack_AfterAFailedSeal_TheNextTryComesInTime()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        rig.Disk.CapacityBytes = rig.Disk.UsedBytes;
        await rig.AppendAsync(engine, 1);
        var sealing = engine.SealAsync(Cancellation);
        await rig.Logger.WaitForAsync("Could not seal", Cancellation);
        rig.ClockError = -TimeSpan.FromDays(30);
        rig.Disk.CapacityBytes = null;
        var started = rig.Time.GetTimestamp();
        await rig.CompleteAsync(sealing);
        Assert.True(rig.Time.GetElapsedTime(started) < TimeSpan.FromDays(10), $"sealed after {rig.Time.GetElapsedTime(started)}");
        rig.AssertHolds(engine);
    }

    [Theory]
    [InlineData(-4000)]
    [InlineData(4000)]
    public async Task ClockJumps_RowsInMemory_AreSealedWhenTheyHaveWaited(int days)
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await rig.AppendAsync(engine, 1);
        rig.ClockError = TimeSpan.FromDays(days);
        rig.Time.Advance(rig.Options.SealAge - TimeSpan.FromSeconds(2));
        rig.ClockError = TimeSpan.Zero;
        Assert.Equal(0, engine.CoveredByAll);
        rig.ClockError = TimeSpan.FromDays(-days);
        rig.Time.Advance(TimeSpan.FromSeconds(2));
        await rig.Logger.WaitForAsync("Sealed 10 rows of Logs", Cancellation);
        rig.AssertHolds(engine);
    }

    [Theory]
    [InlineData(-4000)]
    [InlineData(4000)]
    public async Task ClockJumps_PartsToMerge_AreMergedAndNothingIsDropped(int days)
    {
        var rig = new EngineRig { Retention = new RetentionOptions(s_hundredDays, s_hundredDays, null) };
        rig.Time.SetUtcNow(new DateTimeOffset(2023, 11, 14, 22, 30, 0, TimeSpan.Zero));
        await using (var engine = rig.Open())
        {
            for (var position = 1; position <= MergePolicy.FanIn + 1; position++)
            {
                rig.ClockError = TimeSpan.FromDays((position % 3) - 1) * days;
                rig.Time.Advance(TimeSpan.FromSeconds(1));
                await rig.AppendAsync(engine, position);
                await engine.SealAsync(Cancellation);
            }
            rig.ClockError = TimeSpan.Zero;
            // Till the day is over, and what is left of it is joined.
            rig.Time.Advance(TimeSpan.FromHours(30));
            while (engine.Status() is var status && (status.Merging is not { BacklogParts: 0, Running: 0 } || status.Signals.Any(signal => signal.Levels[^1].Level == 0)))
            {
                rig.Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }
            rig.AssertHolds(engine);
            Assert.All(engine.Status().Signals, signal => Assert.Null(signal.LastDrop));
        }
        await using var again = rig.Open();
        rig.AssertHolds(again);
    }

    [Theory]
    [InlineData(-400)]
    [InlineData(400)]
    public async Task ClockJumps_WhileRowsCome_AreKeptAndSealed(int days)
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            for (var position = 1; position <= 4; position++)
            {
                await rig.AppendAsync(engine, position);
                rig.ClockError += TimeSpan.FromDays(position % 2 == 0 ? -days : days);
                await rig.CompleteAsync(engine.SealAsync(Cancellation));
                rig.AssertHolds(engine);
            }
        }
        await using var again = rig.Open();
        Assert.Equal((4, 4), (again.CoveredPosition(Signal.Traces), again.CoveredPosition(Signal.Logs)));
        rig.AssertHolds(again);
    }
}
