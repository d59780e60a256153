using Apm.DurableBuffer.Embedded;
using Apm.TestKit;
using static Apm.DurableBuffer.Tests.Embedded.BufferHarness;

namespace Apm.DurableBuffer.Tests.Embedded;

public sealed class SegmentDamageTests
{
    private const string First = LogDirectory + "/0000000000000001.segment";

    /// <summary>A log of the ids 1..count, all in its first segment.</summary>
    private static async Task<MemoryFileSystem> LogOfAsync(int count, int lengthBytes)
    {
        var disk = new MemoryFileSystem();
        await using var buffer = Open(disk);
        for (var id = 1; id <= count; id++)
        {
            await buffer.AppendAsync(id, lengthBytes);
        }
        return disk.Crash();
    }

    [Fact]
    public async Task Open_TornAtEveryByteOfTheLastRecord_KeepsTheOthersAndGoesOn()
    {
        const int length = 60;
        var disk = await LogOfAsync(3, length);
        var record = RecordHeader.SizeBytes + length;
        var last = SegmentHeader.PageBytes + (2 * record);
        for (var kept = 0; kept < record; kept++)
        {
            var torn = disk.Crash();
            torn.Corrupt(First, bytes => bytes.AsSpan(last + kept, record - kept).Clear());
            var whole = torn.ReadAll(First).AsSpan(last, record).SequenceEqual(disk.ReadAll(First).AsSpan(last, record)); // the cut bytes were zeros
            var logger = new RecordingLogger<EmbeddedBuffer>();
            await using var buffer = Open(torn, logger: logger);
            await buffer.AppendAsync(4, length);
            Assert.Equal(whole ? [(1, 1), (2, 2), (3, 3), (4, 4)] : [(1L, 1), (2, 2), (3, 4)], buffer.ReadAll());
            Assert.DoesNotContain(logger.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal));
            await using var reopened = Open(torn.Crash());
            Assert.Equal(whole ? 4 : 3, reopened.ReadAll().Count);
        }
    }

    [Fact]
    public async Task Open_BitFlippedAtEveryByte_LosesThatRecordOnly()
    {
        const int length = 24;
        var disk = await LogOfAsync(5, length);
        var record = RecordHeader.SizeBytes + length;
        var random = new Random(7);
        for (var at = 0; at < SegmentHeader.PageBytes + (5 * record); at++)
        {
            if (at is >= SegmentHeader.SizeBytes and < SegmentHeader.CopyOffset or >= SegmentHeader.CopyOffset + SegmentHeader.SizeBytes and < SegmentHeader.PageBytes)
            {
                continue; // padding of the header's page
            }
            var flipped = disk.Crash();
            flipped.Corrupt(First, bytes => bytes[at] ^= (byte)(1 << random.Next(8)));
            var logger = new RecordingLogger<EmbeddedBuffer>();
            await using var buffer = Open(flipped, logger: logger);
            var lost = at < SegmentHeader.PageBytes ? 0 : ((at - SegmentHeader.PageBytes) / record) + 1;
            Assert.Equal(Enumerable.Range(1, 5).Where(id => id != lost).Select(static id => ((long)id, id)), buffer.ReadAll());
            var errors = logger.Lines.Where(static line => line.StartsWith("Error", StringComparison.Ordinal)).ToList();
            if (lost is > 0 and < 5)
            {
                Assert.Equal(
                    $"Error: Damage in buffer segment '{First}' at offset {SegmentHeader.PageBytes + ((lost - 1) * record)}: {record} bytes skipped, batches {lost} to {lost} are lost.",
                    Assert.Single(errors));
            }
            else
            {
                Assert.Empty(errors);
            }
        }
    }

    [Fact]
    public async Task Open_BothHeadersDamaged_SetsTheSegmentAsideAndSaysSo()
    {
        var disk = await LogOfAsync(3, 40);
        disk.Corrupt(First, static bytes =>
        {
            bytes[20] ^= 1;
            bytes[SegmentHeader.CopyOffset + 20] ^= 1;
        });
        var logger = new RecordingLogger<EmbeddedBuffer>();
        await using var buffer = Open(disk, covered: 3, logger: logger);
        await buffer.AppendAsync(4);
        Assert.Equal([(4, 4)], buffer.ReadAll());
        Assert.True(disk.FileExists(LogDirectory + "/0000000000000001.damaged"));
        Assert.Contains(logger.Lines, static line => line.Contains("damaged in both copies", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Open_NewerVersion_IsRefusedAndChangesNothing()
    {
        var disk = await LogOfAsync(3, 40);
        disk.Corrupt(First, static bytes => bytes[8] = bytes[SegmentHeader.CopyOffset + 8] = 9);
        var before = disk.ReadAll(First);
        var failure = Assert.Throws<NewerFormatException>(() => Open(disk));
        Assert.Contains("has format version 9, this program knows up to 1", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, disk.ReadAll(First));
    }

    [Fact]
    public async Task Open_RecycledSegment_RecordsOfItsLastUseStayDead()
    {
        // Records of one size lie at the same offsets in every use, so that only the checksum's seed tells an old one from a new one.
        var disk = new MemoryFileSystem();
        await using (var buffer = Open(disk, Options(spares: 1)))
        {
            for (var id = 1; id <= 120; id++)
            {
                await buffer.AppendAsync(id, 1000);
                await buffer.CommitAsync(id);
            }
            for (var id = 121; id <= 123; id++)
            {
                await buffer.AppendAsync(id, 1000);
            }
        }
        Assert.True(disk.Operations.Count(static o => o.Kind == FileOperationKind.Rename) > 10, "segments were not recycled");
        await using var reopened = Open(disk.Crash(), covered: 120);
        Assert.Equal([(121, 121), (122, 122), (123, 123)], reopened.ReadAll());
    }

    [Fact]
    public async Task TryRead_SectorUnreadableForGood_LosesTheRecordsInItOnly()
    {
        var disk = await LogOfAsync(10, 1500);
        disk.Fault = static operation => operation.Kind == FileOperationKind.Read && operation.Offset < 8192 && operation.Offset + operation.LengthBytes > 4096 && operation.Path == First
            ? new IOException("bad sector")
            : null;
        await using var buffer = Open(disk);
        Assert.Equal(Enumerable.Range(4, 7).Select(static id => ((long)id, id)), buffer.ReadAll()[^7..]);
    }

    [Fact]
    public async Task TryRead_ReadFailsOnce_LosesNothing()
    {
        var disk = await LogOfAsync(5, 2000);
        for (var n = 0; n < 20; n++)
        {
            var copy = disk.Crash();
            copy.Fault = FaultPlan.FailNth(FileOperationKind.Read, n);
            await using var buffer = Open(copy);
            Assert.Equal([(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)], buffer.ReadAll());
        }
    }
}
