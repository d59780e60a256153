using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Retention;
using Apm.Telemetry;
using Apm.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Storage.Tests.Embedded;

/// <summary>An engine on a disk in memory with a clock that the test turns, and what was appended to it by position.</summary>
internal sealed class EngineRig
{
    public const string Folder = "store";

    private readonly SortedDictionary<long, (ColumnBatch Spans, ColumnBatch Logs)> _appended = [];

    public FakeTimeProvider Time { get; set; } = new();

    public MemoryFileSystem Disk { get; set; } = new();

    public RecordingLogger<EmbeddedEngine> Logger { get; } = new();

    public EmbeddedStoreOptions Options { get; } = new();

    public RetentionOptions Retention { get; set; } = RetentionOptions.KeepAll;

    /// <summary>What the engine's wall clock is wrong by; timers and measured times do not care.</summary>
    public TimeSpan ClockError { get; set; }

    public EmbeddedEngine Open() => EmbeddedEngine.Open(Disk, Folder, Options, new WrongClock(this), Logger, retention: Retention);

    /// <summary>As the ingester does: both signals, each with the position.</summary>
    public async Task AppendAsync(EmbeddedEngine engine, long position, int rows = 20)
    {
        if (!_appended.TryGetValue(position, out var batches))
        {
            var random = new RandomBatch((int)position);
            batches = (random.Spans(rows), random.Logs(rows / 2));
            _appended.Add(position, batches);
        }
        await engine.AppendAsync(batches.Spans, position, TestContext.Current.CancellationToken);
        await engine.AppendAsync(batches.Logs, position, TestContext.Current.CancellationToken);
    }

    /// <summary>Appends the spans of a position once more, as they come when a sender got no answer.</summary>
    public ValueTask AppendSpansAgainAsync(EmbeddedEngine engine, long position, long again) =>
        engine.AppendAsync(_appended[position].Spans, again, TestContext.Current.CancellationToken);

    /// <summary>Appends again everything that the buffer would still have.</summary>
    public async Task ReplayAsync(EmbeddedEngine engine)
    {
        foreach (var position in _appended.Keys)
        {
            if (position > engine.CoveredByAll)
            {
                await AppendAsync(engine, position);
            }
        }
    }

    /// <summary>Lets time pass until the task ends: each step lets a failed seal be tried again.</summary>
    public async Task CompleteAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await task;
    }

    public string[] Expected(Signal signal, long upTo = long.MaxValue) =>
        [.. _appended.Where(batches => batches.Key <= upTo).SelectMany(batches => RowText.Of(signal == Signal.Traces ? batches.Value.Spans : batches.Value.Logs)).Order(StringComparer.Ordinal)];

    /// <summary>Of one append, of the services that are kept only.</summary>
    public string[] ExpectedAt(Signal signal, long position, Func<string, bool> keepService)
    {
        var (spans, logs) = _appended[position];
        var batch = signal == Signal.Traces ? spans : logs;
        return [.. RowText.Of(batch).Where((_, row) => keepService(batch.ServiceName(row))).Order(StringComparer.Ordinal)];
    }

    public IEnumerable<long> Positions => _appended.Keys;

    /// <summary>Of the services that are kept only.</summary>
    public string[] ExpectedOf(Signal signal, Func<string, bool> keepService) =>
        [.. _appended.Values.Select(batches => signal == Signal.Traces ? batches.Spans : batches.Logs)
            .SelectMany(batch => RowText.Of(batch).Where((_, row) => keepService(batch.ServiceName(row)))).Order(StringComparer.Ordinal)];

    public static string[] Rows(EmbeddedEngine engine, Signal signal)
    {
        using var lease = engine.Lease(signal);
        return Rows(lease.Sources, signal);
    }

    public static string[] Rows(IReadOnlyList<RowSource> sources, Signal signal)
    {
        var target = new ColumnBatch(signal);
        foreach (var source in sources)
        {
            for (var number = 0; number < source.BlockCount; number++)
            {
                using var block = source.OpenBlock(number);
                block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), target);
            }
        }
        return [.. RowText.Of(target).Order(StringComparer.Ordinal)];
    }

    public void AssertHolds(EmbeddedEngine engine, long spansUpTo = long.MaxValue, long logsUpTo = long.MaxValue)
    {
        Assert.Equal(Expected(Signal.Traces, spansUpTo), Rows(engine, Signal.Traces));
        Assert.Equal(Expected(Signal.Logs, logsUpTo), Rows(engine, Signal.Logs));
    }

    private sealed class WrongClock(EngineRig rig) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => rig.Time.GetUtcNow() + rig.ClockError;

        public override long GetTimestamp() => rig.Time.GetTimestamp();

        public override long TimestampFrequency => rig.Time.TimestampFrequency;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => rig.Time.CreateTimer(callback, state, dueTime, period);
    }
}
