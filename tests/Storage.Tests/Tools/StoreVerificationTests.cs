using Apm.Storage.Columns;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Tools;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Files;
using Apm.TestKit;

namespace Apm.Storage.Tests.Tools;

public sealed class StoreVerificationTests
{
    /// <summary>Bytes from one flip to the next; APM_FLIP_STRIDE=1 flips a bit of every byte.</summary>
    private static readonly int s_stride = int.Parse(Environment.GetEnvironmentVariable("APM_FLIP_STRIDE") ?? "5", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Of the integers in <see cref="ManyValues"/>.</summary>
    private const long FirstOffset = 1_000_000_000_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_SoundStore_FindsNothing()
    {
        var rig = new EngineRig();
        await using var engine = rig.Open();
        for (var position = 1; position <= 3; position++)
        {
            await rig.AppendAsync(engine, position, rows: position == 1 ? 20_000 : 300);
            await engine.SealAsync(Cancellation);
        }
        var before = rig.Disk.OperationCount;
        Assert.Empty(Verify(rig.Disk));
        Assert.DoesNotContain(rig.Disk.Operations.Skip(before), operation => operation.Changes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Run_OneBitOfAPartFlipped_IsFoundThere(int part)
    {
        var disk = await SmallStoreAsync();
        var path = $"store/000000000000000{part}.part";
        var length = disk.ReadAll(path).Length;
        for (var at = part; at < length; at += s_stride)
        {
            var bit = (byte)(1 << (at % 8));
            disk.Corrupt(path, bytes => bytes[at] ^= bit);
            var findings = Verify(disk);
            Assert.True(findings.Count is > 0 and <= 5, $"byte {at}: {string.Join('\n', findings)}");
            Assert.All(findings, finding => Assert.True(finding.File == path && finding.Offset <= length, $"byte {at}: {finding}"));
            Assert.True(findings[0].Offset <= at, $"byte {at} is before {findings[0]}");
            disk.Corrupt(path, bytes => bytes[at] ^= bit);
        }
        Assert.Empty(Verify(disk));
    }

    /// <summary>Also the indexes of columns without a dictionary, which small parts of few values do not have.</summary>
    [Fact]
    public void Verify_OneBitOfAPartWithEveryKindOfChunkFlipped_IsFoundThere()
    {
        const string path = "a.part";
        var disk = new MemoryFileSystem();
        using (var file = disk.Create(path))
        {
            using var content = new BatchContent([ManyValues(2_000)]);
            PartWriter.Write(file, content);
        }
        List<PartChunk> chunks;
        using (var part = Open())
        {
            Assert.Empty(PartVerifier.Verify(part, Cancellation));
            chunks = PartChunks.Of(part).FindAll(chunk => !chunk.Reference.IsAbsent);
        }
        Assert.Equal(Enum.GetValues<PartChunkKind>(), chunks.Select(chunk => chunk.Kind).Distinct().Order());
        var ends = chunks.SelectMany(chunk => new[] { chunk.Reference.Offset, chunk.Reference.Offset + chunk.Reference.StoredBytes - 1 }).ToHashSet();
        var length = disk.ReadAll(path).Length;
        for (var at = 0; at < length; at++)
        {
            // Odd, so that it runs through the bits too.
            if (!ends.Contains(at) && at % ((100 * s_stride) - 3) != 0)
            {
                continue;
            }
            var bit = (byte)(1 << (at % 8));
            disk.Corrupt(path, bytes => bytes[at] ^= bit);
            Assert.InRange(FirstFinding(), 0, at);
            disk.Corrupt(path, bytes => bytes[at] ^= bit);
        }

        PartSource Open() => new(PartFile.Open(disk, path), new ChunkCache(1 << 20));

        // Where the first finding lies; long.MaxValue: there is none.
        long FirstFinding()
        {
            try
            {
                using var part = Open();
                return PartVerifier.Verify(part, Cancellation) is [var finding, ..] ? finding.Offset : long.MaxValue;
            }
            catch (CorruptPartException damage)
            {
                return damage.Offset;
            }
            catch (NotSupportedException)
            {
                return 0; // a flipped version
            }
        }
    }

    [Theory]
    [InlineData("store/manifest")]
    [InlineData("store/manifest.2")]
    public async Task Run_OneBitOfTheManifestFlipped_IsFoundThere(string path)
    {
        var disk = await SmallStoreAsync();
        var length = disk.ReadAll(path).Length;
        for (var at = 0; at < length; at++)
        {
            disk.Corrupt(path, bytes => bytes[at] ^= 4);
            if (at is not (8 or 9))
            {
                var finding = Assert.Single(Verify(disk));
                Assert.True(finding.File == path && finding.Offset <= at, $"byte {at}: {finding}");
            }
            disk.Corrupt(path, bytes => bytes[at] ^= 4);
        }
    }

    [Fact]
    public async Task Run_PartMissing_IsFound()
    {
        var disk = await SmallStoreAsync();
        disk.Delete("store/0000000000000001.part");
        Assert.Equal(["store/0000000000000001.part at byte 0: the manifest lists the part and it is not there"], Verify(disk).Select(finding => finding.ToString()));
    }

    [Fact]
    public void Run_NoStore_SaysSo()
    {
        var missing = Assert.Throws<FileNotFoundException>(() => Verify(new MemoryFileSystem()));
        Assert.Equal("There is no store here: 'store/manifest' is missing.", missing.Message);
    }

    [Fact]
    public void Verify_ForgedBounds_AreFound()
    {
        var forgery = new PartForgery(Signal.Traces);
        forgery.Footer = footer => footer with { Blocks = [footer.Blocks[0] with { LastTimeUnixNano = footer.Blocks[0].LastTimeUnixNano + 1 }] };
        AssertFinds(forgery, "the bounds of block 0 are");
    }

    [Theory]
    [InlineData(nameof(PlainColumn.Resource))]
    [InlineData(nameof(PlainColumn.Kind))]
    [InlineData(nameof(PlainColumn.Status))]
    public void Verify_ForgedMask_IsFound(string column)
    {
        var forgery = new PartForgery(Signal.Traces);
        forgery.ReplaceInDirectory(BitConverter.GetBytes(forgery.Source.Directory.Mask(Enum.Parse<PlainColumn>(column), 0)), mask => mask[7] ^= 0x80);
        AssertFinds(forgery, "the mask of ");
    }

    [Fact]
    public void Verify_ForgedCodeMask_IsFound()
    {
        var forgery = new PartForgery(Signal.Logs);
        var column = forgery.Source.Directory.Columns.First(column => column.IsDictionary && column.Distinct > 8);
        forgery.ReplaceInDirectory(BitConverter.GetBytes(column.Blocks.First().Mask), mask => mask[7] ^= 0x80);
        AssertFinds(forgery, "the mask of ");
    }

    [Fact]
    public void Verify_TraceTakenOutOfTheIndex_IsFound()
    {
        var forgery = new PartForgery(Signal.Traces);
        var page = forgery.Source.File.Footer.TracePages[0];
        forgery.ChangeChunk(page.Chunk, bytes => bytes[8] ^= 1);
        AssertFinds(forgery, "the trace index ");
    }

    [Fact]
    public void Verify_ForgedCode_IsFound()
    {
        var forgery = new PartForgery(Signal.Traces);
        var chunk = PartChunks.Of(forgery.Source).First(chunk => chunk is { Kind: PartChunkKind.Codes, Reference.Codec: ChunkCodec.Plain, Reference.StoredBytes: > 12 });
        // Packed integers begin with an encoding, a minimum and a width; behind them lie the codes.
        forgery.ChangeChunk(chunk.Reference, bytes => bytes.AsSpan(3).Fill(0xFF));
        AssertFinds(forgery, "");
    }

    [Fact]
    public void Verify_ForgedSpanTime_IsFound()
    {
        var forgery = new PartForgery(Signal.Traces);
        var chunk = PartChunks.Of(forgery.Source).Single(chunk => chunk.Column == "time");
        Assert.Equal(ChunkCodec.Plain, chunk.Reference.Codec);
        forgery.ChangeChunk(chunk.Reference, bytes => bytes[^1] ^= 0x40);
        AssertFinds(forgery, "");
    }

    [Fact]
    public void Verify_ForgedBloom_IsFound()
    {
        var forgery = new PartForgery(Signal.Traces, distinct: 4_000, rows: 6_000);
        forgery.ClearPage(Assert.Single(forgery.Source.Directory.Blooms.All.ToArray()), 0);
        AssertFinds(forgery, "the bloom of block 0 does not know value");
    }

    [Fact]
    public void Verify_ForgedTextFilter_IsFound()
    {
        var forgery = new PartForgery(ManyValues(2_000));
        forgery.ClearPage(Assert.Single(forgery.Source.Directory.Texts.All.ToArray()), 0);
        AssertFinds(forgery, "the text filter of block 0 does not know value");
    }

    [Fact]
    public void Verify_ForgedRange_IsFound()
    {
        var forgery = new PartForgery(ManyValues(2_000));
        var writer = new ByteWriter();
        writer.VarInt(FirstOffset);
        forgery.ReplaceInDirectory(writer.Written, lowest => lowest[0] ^= 0x40);
        AssertFinds(forgery, "is not from ");
    }

    [Fact]
    public void Verify_BytesThatNothingRefersTo_AreFound()
    {
        var forgery = new PartForgery(Signal.Traces) { Gap = 5 };
        AssertFinds(forgery, "5 bytes belong to nothing");
    }

    /// <summary>Log records with a body, a number and a text of their own each, which no dictionary holds.</summary>
    private static ColumnBatch ManyValues(int rows)
    {
        var random = new Random(7);
        return TestRecord.ToBatch(Signal.Logs, Enumerable.Range(0, rows).Select(i => new TestRecord
        {
            Time = i,
            TraceId = new TraceId(0, (ulong)(i / 4) + 1),
            SpanId = new SpanId((ulong)i + 1),
            Body = AttributeValue.FromString($"order {random.NextInt64():x16} accepted in {i} ms"),
            Attributes = [("offset", AttributeValue.FromInt64(FirstOffset + i)), ("order.id", AttributeValue.FromString($"{random.NextInt64():x16}")), ("queue", AttributeValue.FromInt64(i % 5))],
        }));
    }

    private static void AssertFinds(PartForgery forgery, string what)
    {
        using var part = forgery.Forge();
        var findings = PartVerifier.Verify(part, Cancellation);
        Assert.NotEmpty(findings);
        Assert.Contains(findings, finding => finding.What.Contains(what, StringComparison.Ordinal));
        Assert.All(findings, finding => Assert.InRange(finding.Offset, 0, part.File.SizeBytes));
    }

    private static async Task<MemoryFileSystem> SmallStoreAsync()
    {
        var rig = new EngineRig();
        await using (var engine = rig.Open())
        {
            await rig.AppendAsync(engine, 1, rows: 12);
            await engine.SealAsync(Cancellation);
            await rig.AppendAsync(engine, 2, rows: 3);
        }
        return rig.Disk;
    }

    private static IReadOnlyList<FileFinding> Verify(MemoryFileSystem disk) => StoreVerification.Run(disk, "store", null, Cancellation);
}
