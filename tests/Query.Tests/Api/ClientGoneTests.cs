using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Search;
using Apm.Storage.Tests.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Query.Tests.Api;

public sealed class ClientGoneTests
{
    private const int Blocks = 50;

    [Theory]
    [InlineData("traces?count=true")]
    [InlineData("spans/red?by=kind&by=span.x")]
    [InlineData("spans/facets?field=span.x")]
    public async Task Get_ClientGoesAway_TheScanStopsWithinABlock(string path)
    {
        await using var host = await QueryHost.StartAsync(options => options.ConcurrentQueries = 1);
        var token = TestContext.Current.CancellationToken;
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var gone = new ManualResetEventSlim();
        var opened = 0;
        host.Spans.Append(new WatchedSource(new HeadSource(Batches.Spans(Enumerable.Range(0, Blocks).Select(i => new SpanRow("cart", "GET", i, 5) { Trace = (ulong)i + 1, Id = (ulong)i + 1 })), blockRows: 1), onOpen: () =>
        {
            Interlocked.Increment(ref opened);
            reading.TrySetResult();
            // The block takes until the server knows that nobody waits for its answer.
            Assert.True(gone.Wait(TimeSpan.FromSeconds(60), token));
        }));
        host.Spans.BeforeQuery = aborted =>
        {
            aborted.Register(gone.Set);
            return Task.CompletedTask;
        };
        using var client = CancellationTokenSource.CreateLinkedTokenSource(token);
        var request = host.Client.GetAsync(new Uri($"/api/v1/{path}&{Shop.Range}", UriKind.Relative), client.Token);
        await reading.Task.WaitAsync(token);

        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);

        // The next gets its turn only when the first has ended.
        var openedByFirst = -1;
        host.Spans.BeforeQuery = _ =>
        {
            openedByFirst = Volatile.Read(ref opened);
            return Task.CompletedTask;
        };
        await host.GetAsync($"/api/v1/traces?{Shop.Range}");
        Assert.Equal(1, openedByFirst);
    }
}
