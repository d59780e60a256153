using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

public sealed class PartDamageTests
{
    private const string Path = "a.part";

    [Theory]
    [InlineData(Signal.Traces)]
    [InlineData(Signal.Logs)]
    public void Read_OneBitFlippedAnywhere_IsFoundAndLocated(Signal signal)
    {
        var (disk, length, expected) = Write(signal);
        for (var at = 0; at < length; at++)
        {
            var bit = (byte)(1 << (at % 8));
            disk.Corrupt(Path, bytes => bytes[at] ^= bit);
            var damage = Assert.ThrowsAny<Exception>(() => ReadEverything(disk));
            Assert.True(damage is CorruptPartException { Path: Path } corrupt && corrupt.Offset <= length, $"byte {at}: {damage}");
            disk.Corrupt(Path, bytes => bytes[at] ^= bit);
        }
        Assert.Equal(expected, ReadEverything(disk));
    }

    [Fact]
    public void Read_TruncatedAnywhere_IsFound()
    {
        var (disk, length, _) = Write(Signal.Traces);
        var whole = disk.ReadAll(Path);
        for (var keep = 0; keep < length; keep += 7)
        {
            var cut = new MemoryFileSystem();
            using (var file = cut.Create(Path))
            {
                file.Write(whole.AsSpan(0, keep), 0);
            }
            Assert.Throws<CorruptPartException>(() => ReadEverything(cut));
        }
    }

    private static (MemoryFileSystem Disk, int Length, string[] Rows) Write(Signal signal)
    {
        var disk = new MemoryFileSystem();
        var random = new RandomBatch(9, keys: 3, distinct: 5);
        var batch = signal == Signal.Traces ? random.Spans(30) : random.Logs(30);
        using (var file = disk.Create(Path))
        {
            using var content = new BatchContent([batch]);
            PartWriter.Write(file, content);
        }
        return (disk, disk.ReadAll(Path).Length, RowText.Of(NaiveRowOrder.Sorted([batch])));
    }

    private static string[] ReadEverything(MemoryFileSystem disk)
    {
        using var part = new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
        var rows = new ColumnBatch(part.Signal);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), rows);
            foreach (var id in block.TraceIds)
            {
                part.FindTrace(id, []);
            }
            foreach (var name in part.AttributeNames)
            {
                part.MayEqual(number, Field.Attribute(name.Scope, name.Key), AttributeValue.FromInt64(1));
            }
        }
        return RowText.Of(rows);
    }
}
