using Apm.Storage.Embedded.Retention;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Storage.Tests.Retention;

public sealed class RetentionClockTests
{
    private static readonly DateTimeOffset s_start = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Observe_TimePasses_IsFollowedHoweverMuch()
    {
        var time = new FakeTimeProvider(s_start);
        var clock = new RetentionClock(time, null);
        time.Advance(TimeSpan.FromDays(40));
        clock.Observe();
        Assert.Equal(s_start.AddDays(40), Now(clock));
    }

    [Fact]
    public void Observe_ClockFarBeyondTheLastSealAtStart_IsBelievedWhenItHasLasted()
    {
        var time = new FakeTimeProvider(s_start);
        var clock = new RetentionClock(time, s_start.AddDays(-3));
        Assert.Equal(s_start.AddDays(-3), Now(clock));
        time.Advance(RetentionClock.Settling - TimeSpan.FromSeconds(1));
        clock.Observe();
        Assert.Equal(s_start.AddDays(-3) + RetentionClock.Settling - TimeSpan.FromSeconds(1), Now(clock));
        time.Advance(TimeSpan.FromSeconds(1));
        clock.Observe();
        Assert.Equal(s_start + RetentionClock.Settling, Now(clock));
    }

    [Fact]
    public void Observe_LastSealInTheFuture_IsNotBelieved() => Assert.Equal(s_start, Now(new RetentionClock(new FakeTimeProvider(s_start), s_start.AddDays(3))));

    [Fact]
    public void ToBeRemembered_ClockAheadOfWhatIsBelieved_IsNot()
    {
        var time = new FakeTimeProvider(s_start);
        var clock = new RetentionClock(time, s_start.AddDays(-3));
        Assert.Equal(0, clock.ToBeRememberedUnixSeconds());
        time.Advance(RetentionClock.Settling);
        clock.Observe();
        Assert.Equal((s_start + RetentionClock.Settling).ToUnixTimeSeconds(), clock.ToBeRememberedUnixSeconds());
    }

    [Fact]
    public void ToBeRemembered_ClockBehindWhatItSaidBefore_IsNotUntilItIsThereAgain()
    {
        var time = new FakeTimeProvider(s_start);
        var clock = new RetentionClock(time, s_start.AddDays(3));
        Assert.Equal(0, clock.ToBeRememberedUnixSeconds());
        time.Advance(TimeSpan.FromDays(3));
        clock.Observe();
        Assert.Equal(s_start.AddDays(3).ToUnixTimeSeconds(), clock.ToBeRememberedUnixSeconds());
    }

    [Fact]
    public void ToBeRemembered_StartedAgainSoon_IsWhatTheClockSays()
    {
        var clock = new RetentionClock(new FakeTimeProvider(s_start), s_start.AddMinutes(-30));
        Assert.Equal(s_start.ToUnixTimeSeconds(), clock.ToBeRememberedUnixSeconds());
    }

    private static DateTimeOffset Now(RetentionClock clock) => DateTimeOffset.UnixEpoch.AddTicks(clock.NowUnixNano / TimeSpan.NanosecondsPerTick);
}
