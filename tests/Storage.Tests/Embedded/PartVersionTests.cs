using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Search;
using Apm.Storage.Embedded.Tools;
using Apm.Telemetry;
using Apm.Telemetry.Files;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

public sealed class PartVersionTests
{
    private const string Path = "a.part";

    /// <summary>Parts that the last program of version 2 wrote; version 1 is the same without Brotli, text filters and ranges.</summary>
    [Theory]
    [InlineData("spans", 2, 1_200)]
    [InlineData("logs", 2, 1_200)]
    [InlineData("spans", 1, 1_200)]
    public void Open_OlderVersion_IsReadAndVerified(string name, ushort version, int rows)
    {
        using var part = OpenOld(name, version);
        Assert.Equal(version, part.File.Version);
        Assert.Equal(rows, ReadAll(part).Length);
        Assert.Empty(PartVerifier.Verify(part, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Search_Version2_IsPrunedByTheFiltersOfItsBlocks()
    {
        using var part = OpenOld("logs", 2);
        var texts = part.IndexOf(Field.Of(Intrinsic.Body))!;
        Assert.False(part.AnswersAtOnce);
        Assert.Null(texts.BlocksMayContain([1]));
        foreach (var (filter, found) in new[] { ("{ log.order.id = \"ord-700\" }", 1), ("{ log.order.id = \"absent\" }", 0) })
        {
            var result = await SearchAsync(part, FilterParser.Parse(filter, Signal.Logs));
            Assert.Equal(found, result.Records.Rows);
            Assert.InRange(result.Scan.BlocksRead, found, found * 2);
        }
        var text = await SearchAsync(part, new ContainsFilter(Field.Of(Intrinsic.Body), $"order {700 * 7_919 % 100_003} acc"));
        Assert.Equal(700, Assert.Single(text.Records.TimeUnixNano.Values.ToArray()));
        Assert.InRange(text.Scan.BlocksRead, 1, 2);
    }

    [Theory]
    [InlineData("spans")]
    [InlineData("logs")]
    public void Merge_Version2_HasFiltersInStripes(string name)
    {
        using var old = OpenOld(name, 2);
        var disk = new MemoryFileSystem();
        using (var file = disk.Create(Path))
        {
            PartMerger.Merge([old], null, file, 1, TestContext.Current.CancellationToken, blockRows: 500);
        }
        using var merged = new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
        Assert.Equal(PartFormat.Version, merged.File.Version);
        Assert.False(merged.Directory.Blooms.IsEmpty);
        Assert.Equal(name == "spans", merged.Directory.Texts.IsEmpty);
        Assert.Equal(ReadAll(old), ReadAll(merged));
        Assert.Empty(PartVerifier.Verify(merged, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
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

    internal static PartSource OpenOld(string name, ushort version)
    {
        var disk = new MemoryFileSystem();
        using (var packed = new BrotliStream(System.IO.File.OpenRead(System.IO.Path.Combine(Folder(), $"version2.{name}.part.br")), CompressionMode.Decompress))
        {
            var bytes = new MemoryStream();
            packed.CopyTo(bytes);
            using var file = disk.Create(Path);
            file.Write(bytes.ToArray(), 0);
        }
        disk.Corrupt(Path, header => SetVersion(header, version));
        return new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
    }

    private static string Folder([CallerFilePath] string path = "") => System.IO.Path.GetDirectoryName(path)!;

    private static Task<LogSearchResult> SearchAsync(PartSource part, Filter filter) => new StoreSearch(TimeProvider.System).SearchLogsAsync(
        [part], new LogQuery(filter, TimeRange.All, 50), QueryBudget.Default, TestContext.Current.CancellationToken);

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
