using Apm.DurableBuffer.Embedded;
using Apm.TestKit;
using static Apm.DurableBuffer.Tests.Embedded.BufferHarness;

namespace Apm.DurableBuffer.Tests.Embedded;

public sealed class LogInspectionTests
{
    private const string First = LogDirectory + "/0000000000000001.segment";

    [Fact]
    public async Task Read_WhileTheBufferRuns_SaysWhatIsInItAndChangesNothing()
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk, Options(spares: 1));
        for (var id = 1; id <= 60; id++)
        {
            await buffer.AppendAsync(id, 1000);
        }
        await buffer.CommitAsync(30);
        var before = disk.OperationCount;
        var log = LogInspection.Read(disk, LogDirectory);
        Assert.DoesNotContain(disk.Operations.Skip(before), static operation => operation.Changes);
        Assert.Empty(log.Findings);
        Assert.Equal(1, log.Spares);
        Assert.True(log.Segments.Count > 2);
        Assert.True(log.Segments[0].FirstPosition is > 1 and <= 31);
        Assert.Equal(60, log.Segments[^1].LastPosition);
        Assert.Equal(60 - log.Segments[0].FirstPosition + 1, log.Segments.Sum(static segment => segment.Records));
        Assert.All(log.Segments, static segment => Assert.Equal(SegmentHeader.PageBytes + (segment.Records * (RecordHeader.SizeBytes + 1000)), segment.UsedBytes));
    }

    [Fact]
    public async Task Read_BitFlippedAtEveryByte_IsFoundThereUnlessItTearsTheTail()
    {
        const int length = 24;
        const int record = RecordHeader.SizeBytes + length;
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk))
        {
            for (var id = 1; id <= 4; id++)
            {
                await buffer.AppendAsync(id, length);
            }
        }
        for (var at = 0; at < SegmentHeader.PageBytes + (4 * record); at++)
        {
            if (at is >= SegmentHeader.SizeBytes and < SegmentHeader.CopyOffset or >= SegmentHeader.CopyOffset + SegmentHeader.SizeBytes and < SegmentHeader.PageBytes)
            {
                continue; // padding of the header's page
            }
            var flipped = disk.Crash();
            flipped.Corrupt(First, bytes => bytes[at] ^= 1);
            var log = LogInspection.Read(flipped, LogDirectory);
            if (at >= SegmentHeader.PageBytes + (3 * record))
            {
                Assert.Empty(log.Findings);
                Assert.Equal(3, log.Segments[0].Records);
                continue;
            }
            var start = at < SegmentHeader.CopyOffset ? 0 : at < SegmentHeader.PageBytes ? SegmentHeader.CopyOffset : at - ((at - SegmentHeader.PageBytes) % record);
            var finding = Assert.Single(log.Findings);
            Assert.Equal((First, start), (finding.File, finding.Offset));
        }
    }

    [Fact]
    public async Task Read_LastRecordsOfAnOlderSegmentDamaged_AreMissed()
    {
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk))
        {
            for (var id = 1; id <= 60; id++)
            {
                await buffer.AppendAsync(id, 1000);
            }
        }
        var first = LogInspection.Read(disk, LogDirectory).Segments[0];
        disk.Corrupt(First, bytes => bytes[first.UsedBytes - 1] ^= 1);
        var finding = Assert.Single(LogInspection.Read(disk, LogDirectory).Findings);
        Assert.Contains($"batches {first.LastPosition} to {first.LastPosition} are lost", finding.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_NewerVersion_IsSaid()
    {
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk))
        {
            await buffer.AppendAsync(1);
        }
        disk.Corrupt(First, static bytes => bytes[8] = bytes[SegmentHeader.CopyOffset + 8] = 9);
        Assert.Contains("has format version 9", Assert.Single(LogInspection.Read(disk, LogDirectory).Findings).What, StringComparison.Ordinal);
    }
}
