using Apm.Storage.Embedded.Search;

namespace Apm.Storage.Tests.Search;

public sealed class ScanSchedulerTests
{
    private sealed class Counted(Func<int, bool> step) : ScanStrand
    {
        private int _steps;

        public override bool Step() => step(++_steps);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ManySteps_IsSharedByAStrandForEachCore()
    {
        using var scheduler = new ScanScheduler(cores: 3);
        using var together = new Barrier(3);
        var strands = await scheduler.RunAsync(
            () => new Counted(step => step < 5 || !together.SignalAndWait(TimeSpan.FromSeconds(30), Token)), static strands => strands.Count, Token);
        Assert.Equal(3, strands);
    }

    [Fact]
    public async Task Run_FewSteps_StaysOnOneThread()
    {
        using var scheduler = new ScanScheduler(cores: 3);
        Assert.Equal(1, await scheduler.RunAsync(() => new Counted(step => step < 4), static strands => strands.Count, Token));
    }

    [Fact]
    public async Task Run_ShortQueryBesideALongOne_OvertakesIt()
    {
        using var scheduler = new ScanScheduler(cores: 1);
        using var shortDone = new ManualResetEventSlim();
        var steps = 0;
        var longOne = scheduler.RunAsync(() => new Counted(_ =>
        {
            // Goes on until the other is through, which on a single thread it can only be between two of these steps.
            Interlocked.Increment(ref steps);
            return !shortDone.Wait(TimeSpan.FromMilliseconds(5), Token);
        }), static _ => true, Token);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref steps) > 0, TimeSpan.FromSeconds(30)));
        Assert.Equal(7, await scheduler.RunAsync(() => new Counted(_ => false), static _ => 7, Token));
        shortDone.Set();
        Assert.True(await longOne);
    }

    [Fact]
    public async Task Run_AStepFails_EndsTheOthersAndFailsTheQuery()
    {
        using var scheduler = new ScanScheduler(cores: 3);
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => scheduler.RunAsync(
            () => new Counted(step => step < 1_000 ? true : throw new InvalidDataException("bad")), static _ => true, Token));
        Assert.Equal("bad", failure.Message);
        Assert.Equal(5, await scheduler.RunAsync(() => new Counted(_ => false), static _ => 5, Token));
    }

    [Fact]
    public async Task Run_CancelledBeforeItsTurn_IsCancelled()
    {
        using var scheduler = new ScanScheduler(cores: 1);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scheduler.RunAsync(() => new Counted(_ => true), static _ => true, cancelled.Token));
    }

    [Fact]
    public async Task Dispose_QueriesWaiting_FailThem()
    {
        using var scheduler = new ScanScheduler(cores: 1);
        using var entered = new ManualResetEventSlim();
        using var release = new ManualResetEventSlim();
        var running = scheduler.RunAsync(() => new Counted(_ =>
        {
            entered.Set();
            return !release.Wait(TimeSpan.FromSeconds(30), Token);
        }), static _ => true, Token);
        entered.Wait(TimeSpan.FromSeconds(30), Token);
        var waiting = scheduler.RunAsync(() => new Counted(_ => false), static _ => true, Token);
        scheduler.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        release.Set();
        Assert.True(await running);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => scheduler.RunAsync(() => new Counted(_ => false), static _ => true, Token));
    }
}
