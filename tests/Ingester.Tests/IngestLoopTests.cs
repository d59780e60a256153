using System.Diagnostics.Metrics;
using System.IO.Compression;
using Apm.DurableBuffer;
using Apm.Storage;
using Apm.Storage.Columns;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Apm.Telemetry.Tests.Otlp;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Ingester.Tests;

public sealed class IngestLoopTests : IAsyncDisposable
{
    private readonly FakeBuffer _buffer = new();
    private readonly FakeStore _spans = new();
    private readonly FakeStore _logs = new();
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly List<(string Name, long Value, string Reason)> _counts = [];
    private readonly MeterListener _listener = new();
    private readonly IngesterMetrics _metrics;
    private Task _running = Task.CompletedTask;

    public IngestLoopTests()
    {
        var factory = _services.GetRequiredService<IMeterFactory>();
        _metrics = new IngesterMetrics(factory);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var reason = "";
            foreach (var tag in tags)
            {
                reason = tag.Key == "reason" ? (string)tag.Value! : reason;
            }
            lock (_counts)
            {
                _counts.Add((instrument.Name, value, reason));
            }
        });
        _listener.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running.IsCompletedSuccessfully ? throw new OperationCanceledException() : _running);
        _listener.Dispose();
        _metrics.Dispose();
        await _services.DisposeAsync();
        _stop.Dispose();
    }

    private static byte[] Spans(params string[] names) => OtlpSample.Traces(names.Select(OtlpSample.Span)).ToProtobuf();

    private static byte[] Logs(int count) => OtlpSample.Logs(Enumerable.Range(0, count).Select(_ => OtlpSample.LogRecord())).ToProtobuf();

    private static byte[] Gzip(byte[] body)
    {
        var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(body);
        }
        return target.ToArray();
    }

    private static string Names(ColumnBatch batch) => string.Join(",", batch.Name.Values.ToArray().Select(batch.Strings.GetString));

    private IngestLoop Start(IngesterOptions? options = null, bool withWriter = true)
    {
        var loop = new IngestLoop(_buffer, _spans, _logs, Options.Create(options ?? new IngesterOptions()), _metrics, _time, NullLogger<IngestLoop>.Instance, withWriter ? _buffer : null);
        _running = loop.RunAsync(_stop.Token);
        return loop;
    }

    private long Count(string name, string reason = "")
    {
        lock (_counts)
        {
            return _counts.Where(count => count.Name == name && count.Reason == reason).Sum(count => count.Value);
        }
    }

    [Fact]
    public async Task Run_WaitingBatches_AreJoinedAndReachBothStoresWithTheLastPosition()
    {
        _buffer.Add(Signal.Traces, Spans("a"));
        _buffer.Add(Signal.Logs, Logs(2));
        _buffer.Add(Signal.Traces, Gzip(Spans("b", "c")), BatchEncoding.Gzip);
        var loop = Start();

        var (spans, spanPosition) = await _spans.NextAppendAsync();
        var (logs, logPosition) = await _logs.NextAppendAsync();
        await loop.CaughtUp;

        Assert.Equal(("a,b,c", 3), (Names(spans), spanPosition));
        Assert.Equal((2, 3), (logs.Rows, logPosition));
        Assert.Equal((3, 3), (loop.AppendedPosition, _buffer.Disposed));
        Assert.Equal(5, Count("apm.ingester.row.decoded"));
    }

    [Fact]
    public async Task Run_OneBatch_IsAppendedWithoutTimePassing()
    {
        Start();
        _buffer.Add(Signal.Traces, Spans("a"));
        var (first, _) = await _spans.NextAppendAsync();
        _buffer.Add(Signal.Traces, Spans("b"));
        var (second, position) = await _spans.NextAppendAsync();

        Assert.Equal(("a", "b", 2), (Names(first), Names(second), position));
        Assert.Equal(0, (await _logs.NextAppendAsync()).Batch.Rows);
    }

    [Fact]
    public async Task Run_MoreRowsThanJoinRows_AreAppendedInSeveral()
    {
        _buffer.Add(Signal.Traces, Spans("a", "b"));
        _buffer.Add(Signal.Traces, Spans("c"));
        _buffer.Add(Signal.Traces, Spans("d"));
        Start(new IngesterOptions { JoinRows = 3 });

        Assert.Equal(("a,b,c", 2L), await _spans.NextAppendAsync() is var (first, at) ? (Names(first), at) : default);
        Assert.Equal(("d", 3L), await _spans.NextAppendAsync() is var (second, end) ? (Names(second), end) : default);
    }

    [Fact]
    public async Task Run_AfterACrash_SkipsWhatEachStoreHolds()
    {
        _spans.CoveredPosition = 3;
        _logs.CoveredPosition = 1;
        _buffer.Add(Signal.Traces, Spans("1"));
        _buffer.Add(Signal.Logs, Logs(1));
        _buffer.Add(Signal.Traces, Spans("3"));
        _buffer.Add(Signal.Traces, Spans("4"));
        _buffer.Add(Signal.Logs, Logs(2));
        Start();

        Assert.Equal(1, await _buffer.NextCommitAsync());
        Assert.Equal("4", Names((await _spans.NextAppendAsync()).Batch));
        Assert.Equal(3, (await _logs.NextAppendAsync()).Batch.Rows);
    }

    public static TheoryData<string, string> Unusable => new()
    {
        { "damaged", "malformed" },
        { "damaged gzip", "malformed" },
        { "unknown signal", "malformed" },
        { "unknown encoding", "malformed" },
        { "bomb", "too_large" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task Run_BodyThatCannotBeDecoded_IsCountedAndHarmsNothingBesideIt(string what, string reason)
    {
        _buffer.Add(Signal.Traces, Spans("before"));
        switch (what)
        {
            case "damaged":
                _buffer.Add(Signal.Traces, [1 << 3 | 2, 100]);
                break;
            case "damaged gzip":
                _buffer.Add(Signal.Traces, Gzip(Spans("x"))[..^5], BatchEncoding.Gzip);
                break;
            case "unknown signal":
                _buffer.Add((Signal)77, Spans("x"));
                break;
            case "unknown encoding":
                _buffer.Add(Signal.Traces, Spans("x"), (BatchEncoding)77);
                break;
            default:
                _buffer.Add(Signal.Traces, Gzip(new byte[2 << 20]), BatchEncoding.Gzip);
                break;
        }
        _buffer.Add(Signal.Traces, Spans("after"));
        var loop = Start(new IngesterOptions { MaxBodyBytes = 1 << 20 });

        var (batch, position) = await _spans.NextAppendAsync();
        await loop.CaughtUp;

        Assert.Equal(("before,after", 3), (Names(batch), position));
        Assert.Equal(1, Count("apm.ingester.body.skipped", reason));
        Assert.Equal(3, _buffer.Disposed);
    }

    [Fact]
    public async Task Run_StorageFails_TriesAgainWithGrowingDelayAndReadsNothingMeanwhile()
    {
        _spans.Failures.Enqueue(new DiskFullException("/data"));
        _spans.Failures.Enqueue(new DiskFullException("/data"));
        _buffer.Add(Signal.Traces, Spans("a"));
        var loop = Start();
        await Until(() => _spans.Attempts == 1 && loop.Fault is not null);
        _buffer.Add(Signal.Traces, Spans("b"));

        Assert.Equal("storage does not take spans: No room on the disk to write '/data'.", loop.Fault);
        Assert.Equal(1, _buffer.Delivered);
        await Until(() => _spans.Attempts >= 2, TimeSpan.FromMilliseconds(100));
        await Until(() => _spans.Attempts >= 3, TimeSpan.FromMilliseconds(200));
        Assert.Equal(("a", 1L), await _spans.NextAppendAsync() is var (first, at) ? (Names(first), at) : default);
        Assert.Equal(("b", 2L), await _spans.NextAppendAsync() is var (second, end) ? (Names(second), end) : default);
        Assert.Null(loop.Fault);
        Assert.Equal(2, Count("apm.ingester.append.retried"));
    }

    [Fact]
    public async Task Run_OneStoreFails_OnlyThatOneGetsTheBatchAgain()
    {
        _logs.Failures.Enqueue(new IOException("unreachable"));
        _buffer.Add(Signal.Logs, Logs(1));
        var loop = Start();
        await Until(() => _logs.Attempts == 1 && loop.Fault is not null);
        await Until(() => _logs.Attempts == 2, TimeSpan.FromMilliseconds(100));

        await _logs.NextAppendAsync();
        await loop.CaughtUp;
        Assert.Equal(1, _spans.Attempts);
    }

    [Fact]
    public async Task Run_StoresCoverMore_CommitsTheLowerPosition()
    {
        Start();
        _buffer.Add(Signal.Traces, Spans("a"));
        await _logs.NextAppendAsync();
        _spans.CoveredPosition = 5;
        _logs.CoveredPosition = 4;
        var commit = _buffer.NextCommitAsync();
        await Until(() => commit.IsCompleted, TimeSpan.FromSeconds(1));

        Assert.Equal(4, await commit);
    }

    [Fact]
    public async Task Run_CommitFails_IsToldAgain()
    {
        _buffer.CommitFailures.Enqueue(new IOException("busy"));
        _spans.CoveredPosition = 2;
        _logs.CoveredPosition = 2;
        Start();
        var commit = _buffer.NextCommitAsync();
        await Until(() => commit.IsCompleted, TimeSpan.FromSeconds(1));

        Assert.Equal(2, await commit);
    }

    [Fact]
    public async Task Run_BufferCannotBeRead_TriesAgain()
    {
        _buffer.ReadFailures.Enqueue(new IOException("torn away"));
        var loop = Start();
        await Until(() => loop.Fault is not null);
        Assert.Equal("the buffer cannot be read: torn away", loop.Fault);
        _buffer.Add(Signal.Traces, Spans("a"));
        await Until(() => _spans.HasAppend, TimeSpan.FromSeconds(5));

        Assert.Null(loop.Fault);
    }

    [Fact]
    public async Task CaughtUp_LogHasMoreThanStorage_WaitsUntilItIsAppended()
    {
        _spans.Failures.Enqueue(new IOException("not yet"));
        _buffer.Add(Signal.Traces, Spans("a"));
        var loop = Start();
        await Until(() => loop.Fault is not null);

        Assert.False(loop.CaughtUp.IsCompleted);
        await Until(() => loop.CaughtUp.IsCompleted, TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, loop.AppendedPosition);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CaughtUp_NothingWaits_CompletesAtOnce(bool withWriter) => await Start(withWriter: withWriter).CaughtUp;

    [Fact]
    public async Task AddIngester_RunsInAHost()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Ingester:JoinRows", "5")]);
        builder.Services.AddSingleton<IBufferReader>(_buffer).AddSingleton<ISpanStore>(_spans).AddSingleton<ILogStore>(_logs).AddIngester();
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        _buffer.Add(Signal.Traces, Spans("a"));

        Assert.Equal("a", Names((await _spans.NextAppendAsync()).Batch));
        Assert.Equal(5, host.Services.GetRequiredService<IOptions<IngesterOptions>>().Value.JoinRows);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task AddIngester_WrongSetting_StopsTheStart()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Ingester:JoinRows", "0")]);
        builder.Services.AddSingleton<IBufferReader>(_buffer).AddSingleton<ISpanStore>(_spans).AddSingleton<ILogStore>(_logs).AddIngester();
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Equal("Ingester:JoinRows is 0, must be 1 to 1048576 rows", error.Message);
    }

    /// <summary>Lets the loop run until the condition holds; with a step, moves the clock by it until it does, as a timer may be set only after a move.</summary>
    private async Task Until(Func<bool> condition, TimeSpan step = default)
    {
        while (!condition())
        {
            if (step > TimeSpan.Zero)
            {
                _time.Advance(step);
            }
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Delay(1, _stop.Token);
        }
    }
}
