using Apm.Storage.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Embedded;

public sealed class EngineLeaseTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void PartSet_PartLeftOutOfTheNewSet_IsClosedWhenTheLastLeaseEnds()
    {
        using var folder = new TemporaryFolder();
        var closed = new List<long>();
        var (kept, left) = (Part(folder, 1, closed), Part(folder, 2, closed));
        var before = new PartSet([kept, left], []);
        Assert.True(before.TryHold());
        var lease = new SourceLease(before, [left.Source], Cancellation);
        var after = new PartSet([kept], []);
        before.Release();
        Assert.Empty(closed);
        Assert.True(EngineRig.Rows(lease.Sources, Signal.Traces).Length > 0);
        lease.Dispose();
        lease.Dispose();
        Assert.Equal([2], closed);
        Assert.False(before.TryHold());
        after.Release();
        Assert.Equal([2, 1], closed);
    }

    [Fact]
    public async Task Lease_AfterClose_IsRefused()
    {
        var rig = new EngineRig();
        var engine = rig.Open();
        await engine.DisposeAsync();
        Assert.Throws<StoreClosedException>(() => engine.Lease(Signal.Traces));
    }

    [Fact]
    public async Task DisposeAsync_QueryRuns_EndsItWithAClearErrorAndKeepsItsPartsOpen()
    {
        var rig = new EngineRig();
        var engine = rig.Open();
        await rig.AppendAsync(engine, 1);
        await engine.SealAsync(Cancellation);
        var lease = engine.Lease(Signal.Traces);
        var closing = new TaskCompletionSource();
        var query = lease.RunAsync<int>(
            async (_, token) =>
            {
                await closing.Task;
                Assert.Equal(rig.Expected(Signal.Traces), EngineRig.Rows(lease.Sources, Signal.Traces));
                token.ThrowIfCancellationRequested();
                return 1;
            },
            Cancellation);
        await engine.DisposeAsync();
        closing.SetResult();
        await Assert.ThrowsAsync<StoreClosedException>(() => query);
        Assert.Throws<ObjectDisposedException>(() => EngineRig.Rows(lease.Sources, Signal.Traces));
    }

    [Fact]
    public async Task GetFacetsAsync_EngineClosedBefore_SaysSo()
    {
        var rig = new EngineRig();
        var engine = rig.Open();
        var store = new EmbeddedSpanStore(engine);
        await engine.DisposeAsync();
        var query = new FacetQuery(Filter.All, TimeRange.All, [Field.Attribute(FieldScope.Record, "key.1")], 10);
        await Assert.ThrowsAsync<StoreClosedException>(async () => await store.GetFacetsAsync(query, QueryBudget.Default, Cancellation));
    }

    private static StoredPart Part(TemporaryFolder folder, long id, List<long> closed)
    {
        var source = folder.WritePart([new RandomBatch((int)id).Spans(20)]);
        var entry = new ManifestPart(id, Signal.Traces, 0, source.RowCount, source.File.SizeBytes);
        return new StoredPart(entry, source, part =>
        {
            part.Source.Dispose();
            closed.Add(part.Entry.Id);
        });
    }
}
