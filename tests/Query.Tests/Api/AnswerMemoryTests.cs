using Apm.Query.Api;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Query.Tests.Api;

public sealed class AnswerMemoryTests
{
    private const long Limit = 10 << 20;

    private readonly FakeTimeProvider _time = new();
    private readonly AnswerMemory _memory;

    public AnswerMemoryTests() =>
        _memory = new AnswerMemory(Options.Create(new QueryOptions { AnswerBytes = Limit }), _time, NullLogger<AnswerMemory>.Instance);

    [Fact]
    public async Task Hold_ThereIsRoom_DoesNotWaitAndEndsWithTheRequest()
    {
        var (first, second) = (new Request(), new Request());
        await _memory.HoldAsync(new Answer(6 << 20), first.Context);
        await _memory.HoldAsync(new Answer(4 << 20), second.Context);
        Assert.Equal(10 << 20, _memory.Bytes);
        await first.EndAsync();
        Assert.Equal(4 << 20, _memory.Bytes);
        await second.EndAsync();
        Assert.Equal(0, _memory.Bytes);
    }

    [Fact]
    public async Task Hold_NoRoom_WaitsUntilAnotherHasBeenRead()
    {
        var (first, second) = (new Request(), new Request());
        await _memory.HoldAsync(new Answer(8 << 20), first.Context);
        var waiting = _memory.HoldAsync(new Answer(8 << 20), second.Context).AsTask();
        _time.Advance(AnswerMemory.Patience / 2);
        Assert.False(waiting.IsCompleted);
        await first.EndAsync();
        await waiting;
        Assert.False(first.IsAborted);
        Assert.Equal(8 << 20, _memory.Bytes);
    }

    [Fact]
    public async Task Hold_NoRoomAndASlowReader_CutsThatOffAndNoOther()
    {
        var (slow, later, waits) = (new Request(), new Request(), new Request());
        await _memory.HoldAsync(new Answer(8 << 20), slow.Context);
        _time.Advance(AnswerMemory.Patience / 2);
        await _memory.HoldAsync(new Answer(1 << 20), later.Context);
        var waiting = _memory.HoldAsync(new Answer(8 << 20), waits.Context).AsTask();
        Assert.False(waiting.IsCompleted);
        _time.Advance(AnswerMemory.Patience / 2);
        await waiting;
        Assert.Equal((true, false, false), (slow.IsAborted, later.IsAborted, waits.IsAborted));
        Assert.Equal(9 << 20, _memory.Bytes);
        // Its end counts no second time.
        await slow.EndAsync();
        Assert.Equal(9 << 20, _memory.Bytes);
    }

    [Fact]
    public async Task Hold_SlowReaderAndRoom_LeavesItAlone()
    {
        var (slow, other) = (new Request(), new Request());
        await _memory.HoldAsync(new Answer(8 << 20), slow.Context);
        _time.Advance(100 * AnswerMemory.Patience);
        await _memory.HoldAsync(null, other.Context);
        Assert.False(slow.IsAborted);
    }

    [Fact]
    public async Task Hold_MoreThanTheLimitAlone_Goes()
    {
        var request = new Request();
        await _memory.HoldAsync(TypedResults.Json(new Answer(3 * Limit)), request.Context);
        Assert.Equal(3 * Limit, _memory.Bytes);
    }

    [Fact]
    public async Task Hold_ClientGoesAwayWhileItWaits_HoldsNothing()
    {
        var (first, second) = (new Request(), new Request());
        await _memory.HoldAsync(new Answer(8 << 20), first.Context);
        var waiting = _memory.HoldAsync(new Answer(8 << 20), second.Context).AsTask();
        second.Abort();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(8 << 20, _memory.Bytes);
    }

    private sealed record Answer(long Bytes) : IHeldAnswer
    {
        long IHeldAnswer.HeldBytes => Bytes;
    }

    /// <summary>A request that the test ends.</summary>
    private sealed class Request : HttpResponseFeature, IHttpRequestLifetimeFeature
    {
        private readonly CancellationTokenSource _aborted = new();
        private readonly List<(Func<object, Task> Callback, object State)> _completed = [];

        public Request()
        {
            Context = new DefaultHttpContext();
            Context.Features.Set<IHttpResponseFeature>(this);
            Context.Features.Set<IHttpRequestLifetimeFeature>(this);
            RequestAborted = _aborted.Token;
        }

        public DefaultHttpContext Context { get; }

        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted => _aborted.IsCancellationRequested;

        public void Abort() => _aborted.Cancel();

        public override void OnCompleted(Func<object, Task> callback, object state) => _completed.Add((callback, state));

        public async Task EndAsync()
        {
            foreach (var (callback, state) in _completed)
            {
                await callback(state);
            }
        }
    }
}
