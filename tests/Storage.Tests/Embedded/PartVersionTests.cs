using System.Buffers.Binary;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry.Files;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

public sealed class PartVersionTests
{
    private const string Path = "a.part";

    [Fact]
    public void Open_Version1_IsRead()
    {
        var disk = Write(textQuality: null);
        disk.Corrupt(Path, header => SetVersion(header, 1));
        using var part = new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
        Assert.Equal(RowText.Of(Rows()), ReadAll(part));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Open_AnotherVersion_IsRefusedByName(ushort version)
    {
        var disk = Write(textQuality: null);
        disk.Corrupt(Path, header => SetVersion(header, version));
        var refusal = Assert.Throws<NotSupportedException>(() => PartFile.Open(disk, Path));
        Assert.Contains($"version {version}", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_TextQuality_PacksRawValuesWithBrotli()
    {
        var disk = Write(textQuality: 1);
        using var part = new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
        var text = part.Directory.Columns.Where(column => !column.IsDictionary).SelectMany(column => column.Blocks).ToList();
        Assert.NotEmpty(text);
        Assert.Contains(text, block => block.Chunk.Codec == ChunkCodec.Brotli);
        Assert.DoesNotContain(text, block => block.Chunk.Codec == ChunkCodec.Lz);
        Assert.Equal(RowText.Of(Rows()), ReadAll(part));
    }

    [Fact]
    public void Read_BrotliThatIsDamagedUnderAGoodChecksum_IsFound()
    {
        var disk = Write(textQuality: 1);
        using var part = new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
        var chunk = part.Directory.Columns.SelectMany(column => column.Blocks).First(block => block.Chunk.Codec == ChunkCodec.Brotli).Chunk;
        Assert.Throws<CorruptPartException>(() => part.File.Read(chunk with { Bytes = chunk.Bytes + 1 }));
        Assert.Throws<CorruptPartException>(() => part.File.Read(chunk with { Bytes = chunk.Bytes - 1 }));
        var stored = disk.ReadAll(Path).AsSpan((int)chunk.Offset, chunk.StoredBytes - 5).ToArray();
        var cut = Assert.Throws<CorruptPartException>(() => part.File.Read(chunk with { StoredBytes = stored.Length, Crc = Crc32C.Compute(stored) }));
        Assert.Equal(chunk.Offset, cut.Offset);
    }

    private static ColumnBatch Rows() => NaiveRowOrder.Sorted([new RandomBatch(3, distinct: 4_000).Spans(9_000)]);

    private static MemoryFileSystem Write(int? textQuality)
    {
        var disk = new MemoryFileSystem();
        using var file = disk.Create(Path);
        using var content = new BatchContent([Rows()]);
        PartWriter.Write(file, content, textQuality);
        return disk;
    }

    internal static void SetVersion(byte[] part, ushort version)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(part.AsSpan(8), version);
        BinaryPrimitives.WriteUInt32LittleEndian(part.AsSpan(12), Crc32C.Compute(part.AsSpan(0, 12)));
    }

    private static string[] ReadAll(PartSource part)
    {
        var rows = new ColumnBatch(part.Signal);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), rows);
        }
        return RowText.Of(rows);
    }
}
