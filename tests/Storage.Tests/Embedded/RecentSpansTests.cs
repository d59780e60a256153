using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Embedded;

public sealed class RecentSpansTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static ColumnBatch Batch(int first, int count) => TestRecord.ToBatch(
        Signal.Traces, Enumerable.Range(first, count).Select(id => TestRecord.Span((ulong)(id / 3) + 1, (ulong)id + 1, start: id)));

    private static async Task<long> CountAsync(EmbeddedEngine engine)
    {
        using var lease = engine.Lease(Signal.Traces);
        var aggregate = await new EmbeddedSpanStore(engine).AggregateAsync(new AggregateQuery(Filter.All, TimeRange.All, 0, []), QueryBudget.Default, Cancellation);
        Assert.Equal(lease.Sources.Sum(source => source.RowCount), aggregate.Groups[0].Total.Count);
        return aggregate.Groups[0].Total.Count;
    }

    [Theory]
    [InlineData("at once")]
    [InlineData("in one batch")]
    [InlineData("after a seal")]
    [InlineData("after a restart")]
    public async Task AppendAsync_BatchSentTwice_IsStoredOnce(string when)
    {
        var rig = new EngineRig();
        var engine = rig.Open();
        await engine.AppendAsync(Batch(0, 60), 1, Cancellation);
        if (when == "in one batch")
        {
            await engine.AppendAsync(TestRecord.ToBatch(Signal.Traces, [TestRecord.Span(900, 1), TestRecord.Span(900, 1), TestRecord.Span(901, 1)]), 2, Cancellation);
            Assert.Equal(62, await CountAsync(engine));
            await engine.DisposeAsync();
            return;
        }
        if (when != "at once")
        {
            await engine.SealAsync(Cancellation);
        }
        if (when == "after a restart")
        {
            await engine.DisposeAsync();
            engine = rig.Open();
        }
        await engine.AppendAsync(Batch(0, 60), 2, Cancellation);
        await engine.AppendAsync(Batch(40, 60), 3, Cancellation);
        Assert.Equal(100, await CountAsync(engine));
        await engine.SealAsync(Cancellation);
        Assert.Equal(3, engine.CoveredPosition(Signal.Traces));
        Assert.Equal(100, await CountAsync(engine));
        await engine.DisposeAsync();
    }

    [Fact]
    public async Task AppendAsync_SpanIdOfAnotherTrace_IsAnotherSpan()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await engine.AppendAsync(TestRecord.ToBatch(Signal.Traces, [TestRecord.Span(1, 5), TestRecord.Span(2, 5)]), 1, Cancellation);
        await engine.AppendAsync(TestRecord.ToBatch(Signal.Traces, [TestRecord.Span(3, 5), TestRecord.Span(1, 6)]), 2, Cancellation);
        Assert.Equal(4, await CountAsync(engine));
    }

    [Fact]
    public async Task AppendAsync_EverythingSentTwice_MovesThePosition()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        await engine.AppendAsync(Batch(0, 10), 1, Cancellation);
        await engine.AppendAsync(Batch(0, 10), 2, Cancellation);
        await engine.SealAsync(Cancellation);
        Assert.Equal(2, engine.CoveredPosition(Signal.Traces));
    }

    [Fact]
    public async Task AppendAsync_CrashBeforeTheSeal_ReplayStoresEachSpanOnce()
    {
        var rig = new EngineRig();
        var engine = rig.Open();
        await engine.AppendAsync(Batch(0, 30), 1, Cancellation);
        await engine.SealAsync(Cancellation);
        await engine.AppendAsync(Batch(20, 30), 2, Cancellation);
        await engine.AppendAsync(Batch(50, 30), 3, Cancellation);
        rig.Disk = rig.Disk.Crash();
        await using var again = rig.Open();
        Assert.Equal(1, again.CoveredPosition(Signal.Traces));
        for (var position = 1; position <= 3; position++)
        {
            await again.AppendAsync(position == 1 ? Batch(0, 30) : position == 2 ? Batch(20, 30) : Batch(50, 30), position, Cancellation);
        }
        Assert.Equal(80, await CountAsync(again));
        await engine.DisposeAsync();
    }

    [Fact]
    public void RemoveStored_AllLookKnown_KeepsWhatIsNotStored()
    {
        // 64 bytes: one bucket of 16 marks that hold those of the very spans asked for, none of which is stored.
        var recent = new RecentSpans(new RecentIds(64));
        var batch = Batch(0, 16);
        for (var row = 0; row < batch.Rows; row++)
        {
            recent.Add(batch.TraceId[row], batch.SpanId[row]);
        }
        var asked = 0;
        var kept = recent.RemoveStored(batch, () =>
        {
            asked++;
            return new SourceLease(new PartSet([], []), [new Apm.Storage.Embedded.Search.HeadSource(Batch(3, 2))], CancellationToken.None);
        });
        Assert.Equal((1, 14), (asked, kept.Rows));
        Assert.DoesNotContain(new SpanId(4), kept.SpanId.Values.ToArray());
    }

    [Fact]
    public void RemoveStored_NothingKnown_IsTheBatchItselfAndAsksNobody()
    {
        var batch = Batch(0, 100);
        Assert.Same(batch, new RecentSpans(new RecentIds(1 << 16)).RemoveStored(batch, () => throw new InvalidOperationException("asked")));
    }
}
