using Apm.DurableBuffer.Embedded;
using Apm.Telemetry.Files;
using Apm.TestKit;
using static Apm.DurableBuffer.Tests.Embedded.BufferHarness;

namespace Apm.DurableBuffer.Tests.Embedded;

public sealed class EmbeddedBufferTests
{
    private static List<(long, int)> Numbered(int from, int to, int offset = 0) => [.. Enumerable.Range(from, to - from + 1).Select(i => ((long)i, i + offset))];

    [Theory]
    [InlineData(1 << 20)]
    [InlineData(0)]
    public async Task TryRead_AfterAppends_GivesAllInOrder(long handOverBytes)
    {
        await using var buffer = Open(new MemoryFileSystem(), Options(handOverBytes: handOverBytes));
        for (var id = 1; id <= 200; id++)
        {
            await buffer.AppendAsync(id, 300);
        }
        Assert.Equal(Numbered(1, 200), buffer.ReadAll());
        Assert.Equal((200, 200, 0), (buffer.Status.AppendedPosition, buffer.Status.ReadPosition, buffer.Status.CommittedPosition));
        Assert.Equal(200 * 328, buffer.Status.UncommittedBytes);
        Assert.Null(buffer.TryRead());
    }

    [Fact]
    public async Task Open_AfterCrash_DeliversEverythingAcknowledgedAndGoesOn()
    {
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk))
        {
            for (var id = 1; id <= 100; id++)
            {
                await buffer.AppendAsync(id, 500);
            }
            disk = disk.Crash();
        }
        await using var reopened = Open(disk);
        await reopened.AppendAsync(101);
        Assert.Equal(Numbered(1, 101), reopened.ReadAll());
    }

    [Fact]
    public async Task CommitAsync_WholeSegments_AreReusedAndNeverDeliveredAgain()
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk, Options(spares: 2));
        for (var round = 0; round < 50; round++)
        {
            for (var id = 1; id <= 20; id++)
            {
                await buffer.AppendAsync((round * 20) + id, 1000);
            }
            Assert.Equal(20, buffer.ReadAll().Count);
            await buffer.CommitAsync((round + 1) * 20);
            Assert.Equal(0, buffer.Status.UncommittedBytes);
            Assert.InRange(disk.ListFiles(LogDirectory).Count, 1, 5);
        }
        await using var reopened = Open(disk.Crash(), covered: 990);
        Assert.Equal(Numbered(991, 1000), reopened.ReadAll());
    }

    [Fact]
    public async Task CommitAsync_BeforeTheFirstRead_SkipsWhatStorageHolds()
    {
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk))
        {
            for (var id = 1; id <= 100; id++)
            {
                await buffer.AppendAsync(id, 500);
            }
        }
        await using var reopened = Open(disk);
        await reopened.CommitAsync(57);
        Assert.Equal(Numbered(58, 100), reopened.ReadAll());
        await reopened.CommitAsync(30);
        Assert.Equal(57, reopened.Status.CommittedPosition);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Open_LogWasDeleted_PositionsGoOnAboveWhatStorageHolds(bool atOpen)
    {
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk, covered: atOpen ? 5000 : 0))
        {
            if (!atOpen)
            {
                await buffer.CommitAsync(5000);
            }
            await buffer.AppendAsync(1);
            Assert.Equal([(5001, 1)], buffer.ReadAll());
        }
        var logger = new RecordingLogger<EmbeddedBuffer>();
        await using var reopened = Open(disk.Crash(), logger: logger);
        await reopened.AppendAsync(2);
        Assert.Equal([(5001, 1), (5002, 2)], reopened.ReadAll());
        Assert.DoesNotContain(logger.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CommitAsync_AboveWhatWasAppended_Throws()
    {
        await using var buffer = Open(new MemoryFileSystem());
        await buffer.AppendAsync(1);
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await buffer.CommitAsync(2));
        Assert.Contains("Position 2 was committed, the last one appended is 1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_EverythingCommittedAndRecycled_KeepsCounting()
    {
        var disk = new MemoryFileSystem();
        for (var session = 0; session < 20; session++)
        {
            await using var buffer = Open(disk, covered: session * 10);
            for (var id = 1; id <= 10; id++)
            {
                await buffer.AppendAsync((session * 10) + id, 3000);
            }
            Assert.Equal(Numbered((session * 10) + 1, (session * 10) + 10), buffer.ReadAll());
            await buffer.CommitAsync((session * 10) + 10);
            disk = disk.Crash();
        }
        Assert.InRange(disk.ListFiles(LogDirectory).Count, 1, 5);
        await using var last = Open(disk);
        Assert.Equal(200, last.Status.AppendedPosition);
    }

    [Fact]
    public async Task ReadAsync_NothingThere_WaitsForTheNextAppend()
    {
        await using var buffer = Open(new MemoryFileSystem());
        var read = buffer.ReadAsync(TestContext.Current.CancellationToken);
        Assert.False(read.IsCompleted);
        await buffer.AppendAsync(1);
        using var batch = await read;
        Assert.Equal(1, batch.Position);
    }

    [Fact]
    public async Task ReadAsync_Cancelled_ThrowsAndLosesNothing()
    {
        await using var buffer = Open(new MemoryFileSystem());
        using var cancel = new CancellationTokenSource();
        var read = buffer.ReadAsync(cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await read);
        await buffer.AppendAsync(1);
        Assert.Equal(Numbered(1, 1), buffer.ReadAll());
    }

    [Fact]
    public async Task DisposeAsync_ReaderWaits_ReaderGetsObjectDisposed()
    {
        var buffer = Open(new MemoryFileSystem());
        var read = buffer.ReadAsync(TestContext.Current.CancellationToken);
        await buffer.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await read);
        await Assert.ThrowsAsync<BufferFullException>(async () => await buffer.AppendAsync(1));
        await buffer.DisposeAsync();
    }

    [Fact]
    public async Task AppendAsync_LargerThanASegment_IsRefusedForGood()
    {
        await using var buffer = Open(new MemoryFileSystem());
        var owner = new CountingOwner();
        await Assert.ThrowsAsync<ArgumentException>(async () => await buffer.AppendAsync(Batch(1, buffer.MaxBodyBytes + 1, owner), CancellationToken.None));
        Assert.Equal(1, owner.Disposals);
        await buffer.AppendAsync(2, buffer.MaxBodyBytes);
        await buffer.AppendAsync(3, buffer.MaxBodyBytes);
        Assert.Equal([(1, 2), (2, 3)], buffer.ReadAll());
    }

    [Fact]
    public async Task AppendAsync_BacklogAtItsBound_RefusesUntilStorageCommits()
    {
        var options = Options();
        options.MaxUncommittedBytes = 10 * 128;
        await using var buffer = Open(new MemoryFileSystem(), options);
        for (var id = 1; id <= 10; id++)
        {
            await buffer.AppendAsync(id, 100);
        }
        var refusal = await Assert.ThrowsAsync<BufferFullException>(async () => await buffer.AppendAsync(11, 100));
        Assert.Equal(TimeSpan.FromSeconds(5), refusal.RetryAfter);
        Assert.Equal(10, buffer.ReadAll().Count);
        await buffer.CommitAsync(10);
        await buffer.AppendAsync(11, 100);
        Assert.Equal([(11, 11)], buffer.ReadAll());
    }

    [Fact]
    public async Task AppendAsync_EveryOutcome_DisposesTheBatchOnce()
    {
        var disk = new MemoryFileSystem();
        var owners = Enumerable.Range(0, 6).Select(static _ => new CountingOwner()).ToArray();
        var buffer = Open(disk, Options(handOverBytes: 150));
        await buffer.AppendAsync(Batch(1, 100, owners[0]), CancellationToken.None); // to the reader
        await buffer.AppendAsync(Batch(2, 100, owners[1]), CancellationToken.None); // to the disk only
        Assert.Equal((0, 1), (owners[0].Disposals, owners[1].Disposals));
        disk.Fault = FaultPlan.FailEvery(FileOperationKind.Sync);
        await Assert.ThrowsAsync<BufferFullException>(async () => await buffer.AppendAsync(Batch(3, 100, owners[2]), CancellationToken.None));
        disk.Fault = null;
        Assert.Equal(Numbered(1, 2), buffer.ReadAll());
        await buffer.AppendAsync(Batch(4, 100, owners[3]), CancellationToken.None); // forgotten by a commit
        await buffer.CommitAsync(3);
        await buffer.AppendAsync(Batch(5, 100, owners[4]), CancellationToken.None); // left when the buffer is disposed
        await buffer.DisposeAsync();
        await Assert.ThrowsAsync<BufferFullException>(async () => await buffer.AppendAsync(Batch(6, 100, owners[5]), CancellationToken.None));
        Assert.All(owners, static owner => Assert.Equal(1, owner.Disposals));
    }

    [Fact]
    public async Task AppendAsync_DiskFull_SaysSoAndGoesOnWhenThereIsRoom()
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk);
        disk.CapacityBytes = disk.UsedBytes + (16 << 10);
        var id = 0;
        var refusal = await Assert.ThrowsAsync<BufferFullException>(async () =>
        {
            while (id < 1000)
            {
                await buffer.AppendAsync(++id, 1000);
            }
        });
        Assert.Contains("disk full", refusal.Message, StringComparison.Ordinal);
        Assert.IsType<DiskFullException>(refusal.InnerException);
        Assert.Equal("disk full", buffer.Status.Fault);
        await Assert.ThrowsAsync<BufferFullException>(async () => await buffer.AppendAsync(id, 1000));
        disk.CapacityBytes = null;
        await buffer.AppendAsync(id, 1000);
        Assert.Null(buffer.Status.Fault);
        Assert.Equal(Numbered(1, id), buffer.ReadAll());
        await using var reopened = Open(disk.Crash());
        Assert.Equal(Numbered(1, id), reopened.ReadAll());
    }

    [Fact]
    public async Task Open_DiskFull_StartsWithAFaultAndRecovers()
    {
        var disk = new MemoryFileSystem { CapacityBytes = 1000 };
        await using var buffer = Open(disk);
        Assert.Equal("disk full", buffer.Status.Fault);
        disk.CapacityBytes = null;
        await buffer.AppendAsync(1);
        Assert.Equal(Numbered(1, 1), buffer.ReadAll());
    }

    [Fact]
    public async Task AppendAsync_SyncKeepsFailing_LeavesNoFilesBehind()
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk);
        await buffer.AppendAsync(1);
        disk.Fault = operation => operation.Kind == FileOperationKind.Sync && operation.Path.EndsWith(".segment", StringComparison.Ordinal) ? new IOException("no") : null;
        for (var attempt = 0; attempt < 20; attempt++)
        {
            await Assert.ThrowsAsync<BufferFullException>(async () => await buffer.AppendAsync(2));
        }
        Assert.Single(disk.ListFiles(LogDirectory));
        Assert.Equal("write failed: no", buffer.Status.Fault);
        disk.Fault = null;
        await buffer.AppendAsync(3);
        Assert.Equal([(1, 1), (2, 3)], buffer.ReadAll());
        await using var reopened = Open(disk.Crash());
        Assert.Equal([(1, 1), (2, 3)], reopened.ReadAll());
    }

    [Fact]
    public async Task Status_DiskFullEndsWithoutAppends_FaultEnds()
    {
        var disk = new MemoryFileSystem { CapacityBytes = 1000 };
        var logger = new RecordingLogger<EmbeddedBuffer>();
        await using var buffer = Open(disk, logger: logger);
        disk.CapacityBytes = null;
        await logger.WaitForAsync("takes batches again", TestContext.Current.CancellationToken);
        Assert.Null(buffer.Status.Fault);
    }

    private sealed class CountingOwner : IDisposable
    {
        private int _disposals;

        public int Disposals => _disposals;

        public void Dispose() => Interlocked.Increment(ref _disposals);
    }
}
