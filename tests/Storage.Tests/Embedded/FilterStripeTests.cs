using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Search;
using Apm.Storage.Embedded.Tools;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

public sealed class FilterStripeTests
{
    private const string Path = "a.part";

    /// <summary>Blocks on both sides of each width of a row, filters of different sizes and empty ones.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(17)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(127)]
    [InlineData(300)]
    public void Find_AnyFilters_AnswersAsEachDoes(int blocks)
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var random = new Random(seed);
            var hashes = Enumerable.Range(0, blocks).Select(_ => Enumerable.Range(0, random.Next(4) == 0 ? 0 : random.Next(1, 1 << random.Next(1, 10))).Select(_ => (ulong)random.NextInt64()).ToArray()).ToArray();
            byte[][] filters = [.. hashes.Select(FilterOf)];
            using var file = Write(filters, out var stripes);
            Assert.Equal(blocks, stripes.All[^1].EndBlock);
            var unpacked = new UnpackedStripes();
            for (var block = 0; block < blocks; block++)
            {
                Assert.Equal(Fold(filters[block]), unpacked.Get(file, stripes, block).ToArray());
            }
            var known = hashes.SelectMany(hash => hash.Take(2)).Take(200).Concat(Enumerable.Range(0, 200).Select(_ => (ulong)random.NextInt64()));
            var positions = new ulong[Bloom.Probes];
            foreach (var hash in known)
            {
                Bloom.Locate(hash, positions);
                var found = new ulong[(blocks + 63) / 64];
                stripes.Find(file, positions, found);
                for (var block = 0; block < blocks; block++)
                {
                    // A smaller filter that was repeated says neither more nor less than it did.
                    var expected = filters[block].Length > 0 && Bloom.MayContain(filters[block], hash);
                    Assert.Equal(expected, ((found[block >> 6] >> (block & 63)) & 1) != 0);
                    if (block < 3)
                    {
                        Assert.Equal(expected, stripes.MayContain(file, positions, block));
                    }
                }
            }
        }
    }

    [Fact]
    public void Add_OneLargeFilterAmongSmallOnes_DoesNotMakeThemLarge()
    {
        var filters = Enumerable.Range(0, 300).Select(block => FilterOf([.. Enumerable.Range(0, block == 150 ? 40_000 : 10).Select(i => (ulong)i * 0x9E3779B97F4A7C15)])).ToArray();
        using var file = Write(filters, out var stripes);
        Assert.InRange(stripes.All.Length, 4, 8);
        Assert.InRange(stripes.All.ToArray().Sum(stripe => (long)stripe.Blocks * stripe.FilterBytes), 0, 2 * filters.Sum(filter => filter.Length));
        Assert.All(stripes.All.ToArray(), stripe => Assert.InRange(stripe.Blocks, 1, FilterStripe.MaxBlocks));
    }

    [Fact]
    public void Find_ABitOfAPageFlipped_IsFoundAndLocated()
    {
        var filters = Enumerable.Range(0, 20).Select(block => FilterOf([.. Enumerable.Range(0, 500).Select(i => (ulong)(i + block) * 0x9E3779B97F4A7C15)])).ToArray();
        using var file = Write(filters, out var stripes, out var disk);
        var stripe = Assert.Single(stripes.All.ToArray());
        Assert.InRange(stripe.Pages, 3, 100);
        for (var page = 0; page < stripe.Pages; page++)
        {
            var offset = stripe.Offset + (page * (stripe.PageRowBytes + FilterStripe.ChecksumBytes));
            foreach (var at in new[] { 0L, 15, stripe.Offset + stripe.StoredBytes - 1 - offset })
            {
                disk.Corrupt(Path, bytes => bytes[offset + Math.Min(at, stripe.PageRowBytes + 3)] ^= 0x10);
                var damage = Assert.Throws<CorruptPartException>(() => stripe.Unpack(file, new byte[stripe.Blocks * stripe.FilterBytes]));
                Assert.Equal((Path, offset), (damage.Path, damage.Offset));
                disk.Corrupt(Path, bytes => bytes[offset + Math.Min(at, stripe.PageRowBytes + 3)] ^= 0x10);
            }
        }
        // A page in the place of another has a right checksum of its own.
        disk.Corrupt(Path, bytes => bytes.AsSpan((int)stripe.Offset, stripe.PageRowBytes + 4).CopyTo(bytes.AsSpan((int)stripe.Offset + stripe.PageRowBytes + 4)));
        Assert.Throws<CorruptPartException>(() => stripe.Unpack(file, new byte[stripe.Blocks * stripe.FilterBytes]));
    }

    [Theory]
    [InlineData("{ log.order.id = \"absent\" }", 0, "bloom")]
    [InlineData("{ log.order.id = \"ord-1700\" }", 1, "bloom")]
    [InlineData("{ body =~ \"x\" }", 0, null)]
    public async Task Search_BlocksThatFiltersRuleOut_AreCountedAsSuch(string filter, int found, string? by)
    {
        using var part = LogPart(out _);
        var result = await new StoreSearch(TimeProvider.System).SearchLogsAsync(
            [part], new LogQuery(FilterParser.Parse(filter, Signal.Logs), TimeRange.All, 50), QueryBudget.Default with { Explain = true }, TestContext.Current.CancellationToken);
        Assert.Equal(found, result.Records.Rows);
        if (by is not null)
        {
            var plan = Assert.Single(result.Scan.Plan!);
            Assert.InRange(plan.BlocksRead, found, found + 1);
            Assert.Equal([KeyValuePair.Create(by, part.BlockCount - plan.BlocksRead)], plan.BlocksSkipped);
        }
    }

    [Fact]
    public async Task Search_DamagedPageOfFilters_IsReportedAndTheAnswerIncomplete()
    {
        using var part = LogPart(out var disk);
        var stripe = part.Directory.Blooms.All[0];
        for (var page = 0; page < stripe.Pages; page++)
        {
            var at = stripe.Offset + (page * (stripe.PageRowBytes + FilterStripe.ChecksumBytes));
            disk.Corrupt(Path, bytes => bytes[at] ^= 1);
        }
        var damage = new List<CorruptPartException>();
        var result = await new StoreSearch(TimeProvider.System, onDamage: damage.Add).SearchLogsAsync(
            [part], new LogQuery(FilterParser.Parse("{ log.order.id = \"ord-1700\" }", Signal.Logs), TimeRange.All, 50), QueryBudget.Default, TestContext.Current.CancellationToken);
        Assert.False(result.Scan.Complete);
        Assert.Equal(Path, Assert.Single(damage).Path);
        Assert.InRange(damage[0].Offset, stripe.Offset, stripe.Offset + stripe.StoredBytes);
        Assert.NotEmpty(PartVerifier.VerifyChecksums(part));
    }

    private static PartSource LogPart(out MemoryFileSystem disk)
    {
        disk = new MemoryFileSystem();
        var records = Enumerable.Range(0, 2_000).Select(i => new TestRecord { Time = i, Body = AttributeValue.FromString($"order {i} accepted"), Attributes = [("order.id", AttributeValue.FromString($"ord-{i}"))] }).ToList();
        using (var file = disk.Create(Path))
        {
            using var content = new BatchContent([TestRecord.ToBatch(Signal.Logs, records)], 100);
            PartWriter.Write(file, content);
        }
        return new PartSource(PartFile.Open(disk, Path), new ChunkCache(1 << 20));
    }

    private static byte[] FilterOf(ulong[] hashes)
    {
        if (hashes.Length == 0)
        {
            return [];
        }
        var filter = new byte[Bloom.SizeBytes(hashes.Length)];
        Bloom.AddAll(filter, hashes);
        return filter;
    }

    private static byte[] Fold(byte[] filter)
    {
        while (filter.Length > 8 && filter.AsSpan(0, filter.Length / 2).SequenceEqual(filter.AsSpan(filter.Length / 2)))
        {
            filter = filter[..(filter.Length / 2)];
        }
        return filter;
    }

    private static PartFile Write(byte[][] filters, out FilterStripes stripes) => Write(filters, out stripes, out _);

    /// <summary>Puts the stripes where a part's first chunks are; nothing else of that part is read.</summary>
    private static PartFile Write(byte[][] filters, out FilterStripes stripes, out MemoryFileSystem disk)
    {
        disk = new MemoryFileSystem();
        using (var file = disk.Create(Path))
        {
            using var content = new BatchContent([TestRecord.ToBatch(Signal.Logs, [new TestRecord { Time = 1 }])]);
            PartWriter.Write(file, content);
        }
        var whole = disk.ReadAll(Path);
        FilterStripeWriter writer;
        using (var file = disk.Create("stripes"))
        {
            var chunks = new ChunkWriter(file);
            chunks.Write(whole.AsSpan(0, PartFormat.HeaderBytes));
            writer = new FilterStripeWriter(chunks);
            foreach (var filter in filters)
            {
                writer.Add(filter);
            }
            writer.Flush();
            chunks.Write(whole.AsSpan(PartFormat.HeaderBytes));
            chunks.Flush();
        }
        stripes = new FilterStripes([.. writer.Stripes]);
        var bytes = disk.ReadAll("stripes");
        disk = new MemoryFileSystem();
        using (var file = disk.Create(Path))
        {
            file.Write(bytes, 0);
        }
        return PartFile.Open(disk, Path);
    }
}
