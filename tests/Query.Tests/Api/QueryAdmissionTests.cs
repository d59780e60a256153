using System.Net;
using Apm.Query.Api;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Query.Tests.Api;

public sealed class QueryAdmissionTests
{
    private static QueryAdmission Create(int concurrent, int waiting, TimeProvider? time = null) =>
        new(Options.Create(new QueryOptions { ConcurrentQueries = concurrent, WaitingQueries = waiting }), time ?? TimeProvider.System);

    [Fact]
    public async Task Enter_Waiting_AreServedInOrder()
    {
        var admission = Create(1, 10);
        var first = await admission.EnterAsync(default);
        var second = admission.EnterAsync(default).AsTask();
        var third = admission.EnterAsync(default).AsTask();
        Assert.False(second.IsCompleted || third.IsCompleted);
        first.Dispose();
        first.Dispose();
        var turn = await second;
        Assert.False(third.IsCompleted);
        turn.Dispose();
        (await third).Dispose();
        (await admission.EnterAsync(default)).Dispose();
    }

    [Fact]
    public async Task Enter_LookupBesideSearches_DoesNotWait()
    {
        var admission = Create(1, 10);
        using var search = await admission.EnterAsync(default);
        var waiting = admission.EnterAsync(default).AsTask();
        using (await admission.EnterAsync(default, isLookup: true))
        {
            Assert.False(waiting.IsCompleted);
        }
        search.Dispose();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task Enter_SearchesThatHaveRunLong_LetOthersBegin()
    {
        var time = new FakeTimeProvider();
        var admission = Create(1, 10, time);
        var longOne = await admission.EnterAsync(default);
        var second = admission.EnterAsync(default).AsTask();
        var third = admission.EnterAsync(default).AsTask();
        time.Advance(QueryAdmission.AsideAfter);
        var besides = await second;
        // Only as many step aside as there are places.
        time.Advance(QueryAdmission.AsideAfter);
        Assert.False(third.IsCompleted);
        longOne.Dispose();
        Assert.False(third.IsCompleted);
        besides.Dispose();
        (await third).Dispose();
        (await admission.EnterAsync(default)).Dispose();
    }

    [Fact]
    public async Task Enter_FullQueue_IsRefused()
    {
        var admission = Create(1, 1);
        using var first = await admission.EnterAsync(default);
        var second = admission.EnterAsync(default).AsTask();
        await Assert.ThrowsAsync<QueryOverloadException>(() => admission.EnterAsync(default).AsTask());
        first.Dispose();
        (await second).Dispose();
    }

    [Fact]
    public async Task Enter_CancelledWhileWaiting_LeavesTheQueue()
    {
        var admission = Create(1, 1);
        var first = await admission.EnterAsync(default);
        using var cancellation = new CancellationTokenSource();
        var second = admission.EnterAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();
        (await admission.EnterAsync(default)).Dispose();
    }

    [Fact]
    public async Task Enter_WaitedTooLong_IsRefused()
    {
        var time = new FakeTimeProvider();
        var admission = Create(1, 1, time);
        using var first = await admission.EnterAsync(default);
        var second = admission.EnterAsync(default).AsTask();
        time.Advance(TimeSpan.FromSeconds(11));
        await Assert.ThrowsAsync<QueryOverloadException>(() => second);
    }

    [Fact]
    public async Task Get_Overloaded_Is503WithRetryAfter()
    {
        await using var host = await QueryHost.StartAsync(options => (options.ConcurrentQueries, options.WaitingQueries) = (1, 0));
        var entered = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        host.Spans.BeforeQuery = async _ =>
        {
            entered.TrySetResult();
            await release.Task;
        };
        var slow = host.GetAsync("/api/v1/traces");
        await entered.Task;
        using (var response = await host.Client.GetAsync("/api/v1/traces"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(2), response.Headers.RetryAfter?.Delta);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }
        // What reads nothing needs no turn.
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/api/v1/filter/parse")).Status);
        release.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await slow).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync("/api/v1/traces")).Status);
    }

    [Fact]
    public async Task Get_ClientLeaves_CancelsTheQueryAndFreesItsTurn()
    {
        await using var host = await QueryHost.StartAsync(options => (options.ConcurrentQueries, options.WaitingQueries) = (1, 0));
        var entered = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        host.Spans.BeforeQuery = async token =>
        {
            entered.TrySetResult();
            using var registration = token.Register(() => cancelled.TrySetResult());
            await Task.Delay(Timeout.Infinite, token);
        };
        using var leaving = new CancellationTokenSource();
        var request = host.Client.GetAsync("/api/v1/traces", leaving.Token);
        await entered.Task;
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        host.Spans.BeforeQuery = _ => Task.CompletedTask;
        for (var status = HttpStatusCode.ServiceUnavailable; status != HttpStatusCode.OK;)
        {
            // The turn ends a moment after the cancellation.
            status = (await host.GetAsync("/api/v1/traces")).Status;
            await Task.Yield();
        }
    }

    [Fact]
    public async Task Get_StoreFails_Is500WithoutDetails()
    {
        await using var host = await QueryHost.StartAsync();
        host.Spans.BeforeQuery = _ => throw new IOException("secret path");
        var (status, type, body) = await host.GetAsync("/api/v1/traces");
        Assert.Equal((HttpStatusCode.InternalServerError, "application/problem+json"), (status, type));
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_Wrong_AllAreReported() =>
        Assert.Equal(7, new QueryOptions { Deadline = default, WaitLimit = default, ScannedBytes = 0, Rows = 0, ConcurrentQueries = 0, WaitingQueries = -1, ConcurrentTails = -1 }.Errors().Count());
}
