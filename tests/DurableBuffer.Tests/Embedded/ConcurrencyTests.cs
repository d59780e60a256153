using Apm.TestKit;
using static Apm.DurableBuffer.Tests.Embedded.BufferHarness;

namespace Apm.DurableBuffer.Tests.Embedded;

public sealed class ConcurrencyTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(2_000)]
    [InlineData(200_000)]
    public async Task ManyWriters_ReaderThatLagsAndCatchesUp_SeesEveryPositionOnceInOrder(long handOverBytes)
    {
        const int writers = 8;
        const int each = 400;
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk, Options(segmentBytes: 64 << 10, handOverBytes: handOverBytes));
        var appending = Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                await buffer.AppendAsync((writer * each) + i, 20 + (i % 50 * 20));
            }
        })));
        var ids = new HashSet<int>();
        var random = new Random(1);
        for (var position = 1L; position <= writers * each; position++)
        {
            using var batch = await buffer.ReadAsync(TestContext.Current.CancellationToken);
            Assert.Equal(position, batch.Position);
            Assert.True(ids.Add(IdOf(batch)));
            if (random.Next(100) == 0)
            {
                await Task.Yield();
                await buffer.CommitAsync(position);
            }
        }
        await appending;
        Assert.Null(buffer.TryRead());
        Assert.Equal(writers * each, ids.Count);
        Assert.True(disk.Operations.Count(static o => o.Kind == FileOperationKind.Sync) < writers * each, "syncs are not shared");
    }

    [Fact]
    public async Task AppendAsync_CallerGivesUp_BatchIsKept()
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk);
        using var cancel = new CancellationTokenSource();
        using var syncing = new ManualResetEventSlim();
        disk.Fault = operation =>
        {
            if (operation.Kind == FileOperationKind.Sync)
            {
                syncing.Wait(TestContext.Current.CancellationToken); // the disk takes its time
            }
            return null;
        };
        var append = buffer.AppendAsync(Batch(1), cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await append);
        syncing.Set();
        await buffer.AppendAsync(2);
        Assert.Equal([(1, 1), (2, 2)], buffer.ReadAll());
    }
}
