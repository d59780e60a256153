using Apm.Storage.Embedded;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Merging;

/// <summary>A batch that a sender sent twice, before and after a merge: its spans are found, counted and shown once.</summary>
public sealed class DuplicateSpanTests
{
    /// <summary>A quarter of an hour after the rows of a <see cref="RandomBatch"/>, and when their day is over.</summary>
    private static readonly DateTimeOffset s_thatDay = new(2023, 11, 14, 22, 30, 0, TimeSpan.Zero);

    private static readonly DateTimeOffset s_later = s_thatDay.AddDays(1.5);

    private static readonly QueryBudget s_budget = new(TimeSpan.FromMinutes(5), long.MaxValue, long.MaxValue);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Append_AgainAfterTheFirstCopyWasMerged_CountsOnce(bool afterAStart)
    {
        var rig = await SealedAsync(3);
        rig.Time.SetUtcNow(s_later);
        var engine = rig.Open();
        try
        {
            await MergeAsync(rig, engine);
            if (afterAStart)
            {
                await engine.DisposeAsync();
                engine = rig.Open();
            }
            await rig.AppendSpansAgainAsync(engine, 2, again: 10);
            await AssertOnceAsync(rig, engine);
            await engine.SealAsync(Cancellation);
            await AssertOnceAsync(rig, engine);
            Assert.Equal(rig.Expected(Signal.Traces), EngineRig.Rows(engine, Signal.Traces));
            Assert.Equal((60, 60), (await CountAsync(engine, Filter.All), await CountRowsAsync(engine)));
        }
        finally
        {
            await engine.DisposeAsync();
        }
    }

    [Fact]
    public async Task Append_AgainBeforeTheMerge_CountsOnceAndIsMergedOnce()
    {
        var rig = await SealedAsync(2);
        await using var engine = rig.Open();
        await rig.AppendSpansAgainAsync(engine, 1, again: 10);
        await rig.AppendAsync(engine, 11);
        await engine.SealAsync(Cancellation);
        await AssertOnceAsync(rig, engine);
        rig.Time.SetUtcNow(s_later);
        await MergeAsync(rig, engine);
        await AssertOnceAsync(rig, engine);
        rig.AssertHolds(engine);
        Assert.Equal((60, 60), (await CountAsync(engine, Filter.All), await CountRowsAsync(engine)));
    }

    /// <summary>The store remembers only so many spans: what it had forgotten when the second copy came is in two parts.</summary>
    [Fact]
    public async Task Merge_PartsThatBothHaveTheSpans_LeavesOneCopy()
    {
        var rig = await SealedAsync(2);
        using (var manifest = Manifest.Open(rig.Disk, EngineRig.Folder))
        {
            var first = manifest.Parts.First(part => part.Signal == Signal.Traces);
            var copy = first with { Id = 9 };
            using (var file = rig.Disk.Create($"{EngineRig.Folder}/{copy.FileName}"))
            {
                file.Write(rig.Disk.ReadAll($"{EngineRig.Folder}/{first.FileName}"), 0);
            }
            manifest.Commit(new ManifestEdit([copy], [], manifest.CoveredSpans, manifest.CoveredLogs));
        }
        rig.Time.SetUtcNow(s_later);
        await using (var engine = rig.Open())
        {
            Assert.Equal(60, EngineRig.Rows(engine, Signal.Traces).Length);
            await AssertOnceAsync(rig, engine);
            await MergeAsync(rig, engine);
            await AssertOnceAsync(rig, engine);
            Assert.Equal(40, await CountRowsAsync(engine));
            rig.AssertHolds(engine);
        }
        await using var again = rig.Open();
        await AssertOnceAsync(rig, again);
        rig.AssertHolds(again);
    }

    /// <summary>By search and by trace.</summary>
    private static async Task AssertOnceAsync(EngineRig rig, EmbeddedEngine engine)
    {
        var expected = rig.Expected(Signal.Traces).Length;
        var store = new EmbeddedSpanStore(engine);
        var found = await store.SearchTracesAsync(new TraceQuery(Filter.All, TimeRange.All, TraceOrder.Newest, 1_000, CountAll: true), s_budget, Cancellation);
        Assert.Equal(expected, found.MatchedSpans);
        Assert.Equal(expected, found.Traces.Sum(static trace => trace.SpanCount));
        var shown = 0;
        foreach (var trace in found.Traces)
        {
            var spans = (await store.GetTraceAsync(trace.TraceId, s_budget, Cancellation)).Spans;
            Assert.Equal(spans.Rows, spans.SpanId.Values.ToArray().Distinct().Count());
            shown += spans.Rows;
        }
        Assert.Equal(expected, shown);
    }

    /// <summary>No rollup knows durations one by one, so that rows answer.</summary>
    private static Task<long> CountRowsAsync(EmbeddedEngine engine) => CountAsync(engine, FilterParser.Parse("duration >= 0s", Signal.Traces));

    private static async Task<long> CountAsync(EmbeddedEngine engine, Filter filter)
    {
        var answer = await new EmbeddedSpanStore(engine).AggregateAsync(new AggregateQuery(filter, TimeRange.All, 0, [], 10), s_budget, Cancellation);
        return answer.Groups.Sum(static group => group.Total.Count);
    }

    private static async Task<EngineRig> SealedAsync(int parts)
    {
        var rig = new EngineRig();
        rig.Time.SetUtcNow(s_thatDay);
        await using var engine = rig.Open();
        for (var position = 1; position <= parts; position++)
        {
            await rig.AppendAsync(engine, position);
            await engine.SealAsync(Cancellation);
        }
        return rig;
    }

    private static async Task MergeAsync(EngineRig rig, EmbeddedEngine engine)
    {
        while (engine.Status() is var status && (status.Signals[0].Parts > 1 || status.Merging is not { BacklogParts: 0, Running: 0 }))
        {
            Cancellation.ThrowIfCancellationRequested();
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
    }
}
