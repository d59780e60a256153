using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;

namespace Apm.Storage.Tests.Faults;

/// <summary>A wall clock that jumps: nothing that waits may look at it.</summary>
public sealed class ClockTests
{
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
