using System.Diagnostics;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Retention;
using Apm.Storage.Embedded.Tools;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Apm.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace Apm.Storage.Tests.Faults;

/// <summary>A store in which the upkeep has something to do as soon as time passes, and what must be in it before and after.</summary>
internal sealed class UpkeepCase
{
    /// <summary>Position of what is appended when the upkeep is done.</summary>
    private const long Later = 99;

    private const string Expiring = "service-0";

    /// <summary>A quarter of an hour after the rows of a <see cref="RandomBatch"/>.</summary>
    private static readonly DateTimeOffset s_sealedAt = new(2023, 11, 14, 22, 30, 0, TimeSpan.Zero);

    /// <summary>Real time, for a run that never ends: far beyond the slowest machine.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private static readonly QueryBudget s_budget = new(TimeSpan.FromMinutes(5), long.MaxValue, long.MaxValue);

    private readonly EngineRig _rig;
    private readonly RetentionOptions _retention;
    private readonly DateTimeOffset _dueAt;

    /// <summary>Services whose spans stay.</summary>
    private readonly Func<string, bool> _keeps;

    private readonly MemoryFileSystem _before;

    private UpkeepCase(EngineRig rig, RetentionOptions retention, DateTimeOffset dueAt, Func<string, bool> keeps)
    {
        (_rig, _retention, _dueAt, _keeps) = (rig, retention, dueAt, keeps);
        _before = rig.Disk;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public MemoryFileSystem Disk => _rig.Disk;

    /// <summary>The day is over: all parts of a signal become one.</summary>
    public static Task<UpkeepCase> MergeAsync() => MakeAsync(RetentionOptions.KeepAll, TimeSpan.FromDays(1.5), static _ => true, [1, 2, 3]);

    /// <summary>All parts of spans leave by one edit.</summary>
    public static Task<UpkeepCase> DropAsync() => MakeAsync(
        new RetentionOptions(new SignalRetention(TimeSpan.FromHours(1), new Dictionary<string, TimeSpan?>()), SignalRetention.Forever, null), TimeSpan.FromMinutes(70), static _ => false, [1, 2, 3]);

    /// <summary>Each part of spans is written anew without one service.</summary>
    public static Task<UpkeepCase> RewriteAsync()
    {
        long[] positions = [.. Enumerable.Range(1, 40).Select(static position => (long)position).Where(static position => IsRewritten(position)).Take(3)];
        var services = new Dictionary<string, TimeSpan?> { [Expiring] = TimeSpan.FromHours(1) };
        // The others for so long that it does not matter how far the test's clock runs.
        return MakeAsync(new RetentionOptions(new SignalRetention(TimeSpan.FromDays(30_000), services), SignalRetention.Forever, null), TimeSpan.FromMinutes(70), static service => service != Expiring, positions);
    }

    /// <summary>An engine on a disk as it was before the upkeep.</summary>
    public EmbeddedEngine Open()
    {
        _rig.Disk = _before.Crash(CrashKeeps.Everything);
        return OpenWith(_retention);
    }

    /// <summary>What the upkeep does to the disk when nothing fails, in its order.</summary>
    public async Task<IReadOnlyList<FileOperation>> OperationsAsync()
    {
        await using var engine = Open();
        var first = Disk.OperationCount;
        await UntilDoneAsync(engine);
        await UntilAsync(() => HasRollups(engine), "rollups");
        AssertDone(engine);
        return [.. Disk.Operations.Skip(first)];
    }

    public Task UntilDoneAsync(EmbeddedEngine engine, string context = "")
    {
        var spans = Rows(Signal.Traces, _keeps).Length;
        return UntilAsync(
            () => engine.Status() is var status && status.Signals[0].Rows == spans && status.Merging is { BacklogParts: 0, Running: 0, Fault: null }, context);
    }

    /// <summary>Until the condition holds, or the upkeep is done.</summary>
    public async Task UntilAsync(Func<bool> condition, string context)
    {
        // A clock that is ahead of the last seal is believed when it has lasted.
        _rig.Time.Advance(RetentionClock.Settling + TimeSpan.FromMinutes(1));
        for (var started = Stopwatch.GetTimestamp(); !condition();)
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < s_limit, $"{context}: never done. {string.Join('\n', _rig.Logger.Lines.TakeLast(20))}");
            _rig.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, Cancellation); // the upkeep has a low priority and waits for a core
        }
    }

    /// <summary>The disk as a power cut leaves it: all rows of each part, or those that the part in its place has, and neither twice. The upkeep then does the rest.</summary>
    public async Task AssertRecoversAsync(MemoryFileSystem disk, string context)
    {
        _rig.Disk = disk;
        await using (var engine = OpenWith(_retention))
        {
            // Nothing is hidden yet: the clock is not believed before it has lasted.
            Assert.Equal(_rig.Positions.Where(static position => position < Later).Max(), engine.CoveredByAll);
            AssertOldOrNew(EngineRig.Rows(engine, Signal.Traces), EngineRig.Rows(engine, Signal.Logs), false, context);
            Assert.Equal(0, engine.Status().DamagedParts);
            await UntilDoneAsync(engine, context);
            await UntilAsync(() => HasRollups(engine), context);
            AssertDone(engine);
            await AssertCountedAsync(engine, context);
        }
        AssertNothingElse(context);
    }

    /// <summary>The engine takes and seals rows, and closes every file it opened.</summary>
    public async Task AssertGoesOnAsync(EmbeddedEngine engine, string context)
    {
        AssertDone(engine);
        await AssertCountedAsync(engine, context);
        await _rig.AppendAsync(engine, Later);
        await _rig.CompleteAsync(engine.SealAsync(Cancellation));
        Assert.Equal(Later, engine.CoveredByAll);
        await engine.DisposeAsync();
        Assert.True(Disk.OpenFiles == 0, $"{context}: {Disk.OpenFiles} files are still open");
    }

    /// <summary>What a start finds on the disk: all rows, in the old parts or the new ones, and no file in the folder but those of the parts in the list.</summary>
    public void AssertNothingElse(string context)
    {
        using var snapshot = StoreSnapshot.Open(Disk, EngineRig.Folder);
        var listed = snapshot.Parts.Select(static part => part.Listed).ToList();
        string[] wanted = [Manifest.FileName, Manifest.CopyFileName, .. listed.Select(static part => part.FileName)];
        var rollups = listed.Where(static part => part.Signal == Signal.Traces).Select(static part => part.RollupFileName);
        var names = Disk.ListFiles(EngineRig.Folder);
        var missing = wanted.Except(names).ToList();
        Assert.True(missing.Count == 0, $"{context}: {string.Join(", ", missing)} missing");
        var others = names.Except(wanted).Except(rollups).ToList();
        Assert.True(others.Count == 0, $"{context}: {string.Join(", ", others)} left");
        Assert.Empty(Disk.ListFiles(EngineRig.Folder + "/" + PartFolder.DamagedFolder));
        var sources = snapshot.Parts.ToLookup(static part => part.Listed.Signal, static part => (RowSource)part.Source!);
        AssertOldOrNew(EngineRig.Rows([.. sources[Signal.Traces]], Signal.Traces), EngineRig.Rows([.. sources[Signal.Logs]], Signal.Logs), snapshot.Manifest.CoveredLogs == Later, context);
    }

    /// <summary>A start and a stop.</summary>
    public async Task ReopenAsync()
    {
        await using var engine = OpenWith(RetentionOptions.KeepAll);
    }

    private static async Task<UpkeepCase> MakeAsync(RetentionOptions retention, TimeSpan dueAfter, Func<string, bool> keeps, long[] positions)
    {
        var rig = new EngineRig();
        rig.Time.SetUtcNow(s_sealedAt);
        await using (var engine = rig.Open())
        {
            foreach (var position in positions)
            {
                await rig.AppendAsync(engine, position);
                await engine.SealAsync(Cancellation);
            }
        }
        Assert.Equal(retention == RetentionOptions.KeepAll, rig.ExpectedOf(Signal.Traces, keeps).Length == rig.Expected(Signal.Traces).Length);
        return new UpkeepCase(rig, retention, s_sealedAt + dueAfter, keeps);
    }

    /// <summary>Whether so many of the spans expire that the part is written anew at once, and not all.</summary>
    private static bool IsRewritten(long position)
    {
        var spans = new RandomBatch((int)position).Spans(20);
        var expiring = Enumerable.Range(0, spans.Rows).Count(row => spans.ServiceName(row) == Expiring);
        return expiring * 3 >= spans.Rows && expiring < spans.Rows;
    }

    private EmbeddedEngine OpenWith(RetentionOptions retention)
    {
        _rig.Retention = retention;
        // Each run at the same time of the day, whatever ran before.
        _rig.Time = new FakeTimeProvider(_dueAt);
        return _rig.Open();
    }

    private string[] Rows(Signal signal, Func<string, bool> keeps) =>
        [.. _rig.Positions.Where(static position => position < Later).SelectMany(position => _rig.ExpectedAt(signal, position, keeps)).Order(StringComparer.Ordinal)];

    private void AssertDone(EmbeddedEngine engine)
    {
        Assert.Equal(Rows(Signal.Traces, _keeps), EngineRig.Rows(engine, Signal.Traces));
        Assert.Equal(Rows(Signal.Logs, static _ => true), EngineRig.Rows(engine, Signal.Logs));
    }

    private void AssertOldOrNew(string[] spans, string[] logs, bool withLater, string context)
    {
        var positions = _rig.Positions.Where(position => position < Later || withLater).ToList();
        var left = spans.Length;
        foreach (var position in positions)
        {
            var all = _rig.ExpectedAt(Signal.Traces, position, static _ => true);
            var known = all.ToHashSet(StringComparer.Ordinal);
            string[] shown = [.. spans.Where(known.Contains)];
            left -= shown.Length;
            var kept = _rig.ExpectedAt(Signal.Traces, position, _keeps);
            Assert.True(shown.SequenceEqual(all) || shown.SequenceEqual(kept), $"{context}: of append {position} {shown.Length} spans are there, neither the {all.Length} nor the {kept.Length}");
        }
        Assert.True(left == 0, $"{context}: {left} spans are there that never came");
        Assert.Equal(positions.SelectMany(position => _rig.ExpectedAt(Signal.Logs, position, static _ => true)).Order(StringComparer.Ordinal), logs);
    }

    /// <summary>As aggregated, from rollups where they are and from rows where not.</summary>
    private async Task AssertCountedAsync(EmbeddedEngine engine, string context)
    {
        var answer = await new EmbeddedSpanStore(engine).AggregateAsync(new AggregateQuery(Filter.All, TimeRange.All, 0, [], 10), s_budget, Cancellation);
        var counted = answer.Groups.Sum(static group => group.Total.Count);
        Assert.True(Rows(Signal.Traces, _keeps).Length == counted, $"{context}: {counted} spans are counted");
    }

    private static bool HasRollups(EmbeddedEngine engine)
    {
        using var lease = engine.Lease(Signal.Traces);
        return lease.Sources.All(static source => source.Rollup is not null);
    }
}
