using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Storage.Embedded.Search;
using Apm.Storage.Tests.Search;
using Apm.Telemetry;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded.Rollups;

public sealed class RollupTests
{
    private const string Path = "a.rollup";

    private static readonly RollupTier[] Tiers = [RollupTier.Minute, RollupTier.TenMinutes, RollupTier.Hour];

    /// <summary>Spans over a few hours, before and after the epoch, with long and negative-looking times among them.</summary>
    private static List<TestRecord> Spans(int seed, int count = 300)
    {
        var random = new Random(seed);
        var telemetry = new RandomTelemetry(seed);
        var spans = telemetry.Batches(Signal.Traces).SelectMany(batch => batch).ToList();
        return [.. Enumerable.Range(0, count).Select(i => spans[random.Next(spans.Count)] with
        {
            SpanId = new SpanId((ulong)i + 1),
            Time = random.NextInt64(-2, 3) * 3_600_000_000_000 + random.NextInt64(3_600_000_000_000),
            Duration = random.Next(8) == 0 ? long.MaxValue >> random.Next(63) : random.NextInt64(1L << random.Next(40)),
        })];
    }

    private static HeadSource Source(IEnumerable<TestRecord> spans, int blockRows = 64) => new(TestRecord.ToBatch(Signal.Traces, spans), blockRows);

    private static string[] Naive(IEnumerable<TestRecord> spans, int minutes) =>
    [
        .. spans.GroupBy(span => (
                Resource: string.Join(',', span.Resource.Attributes.Select(attribute => $"{attribute.Key}={attribute.Value}")), span.Name, span.Kind, span.Status, Root: span.Parent.IsZero,
                Slot: (long)Math.Floor((double)(decimal.Floor((decimal)span.Time / RollupTiers.MinuteNano) / minutes))))
            .Select(group =>
            {
                var sum = new CellSum();
                foreach (var span in group)
                {
                    sum.Record(span.Duration, span.Status == StatusCode.Error);
                }
                return $"span {group.Key.Resource} '{group.Key.Name}' {(byte)group.Key.Kind} {(byte)group.Key.Status} {(group.Key.Root ? 1 : 0)} @{group.Key.Slot}: {RollupText.Of(sum)}";
            })
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Build_RandomSpans_AddsUpEachGroupAndMinute(int seed)
    {
        var spans = Spans(seed);
        var rollup = RollupBuilder.Build(Source(spans));
        Assert.Equal(Naive(spans, 1), RollupText.Of(rollup, RollupTier.Minute));
        using var file = RollupFile.Open(Write(rollup), Path, new ChunkCache(1 << 20));
        Assert.Equal(Naive(spans, 1), RollupText.Of(file, RollupTier.Minute));
        if (file.SpanCells(RollupView.Resource, RollupTier.Hour) is not null)
        {
            Assert.Equal(Naive(spans, 60), RollupText.Of(file, RollupTier.Hour));
        }
    }

    [Fact]
    public void Build_ManySpansOfFewGroups_KeepsTheCoarserTiers()
    {
        var spans = Enumerable.Range(0, 500).Select(i => TestRecord.Span(1, (ulong)i + 1, start: i * 20_000_000_000L, duration: i)).ToList();
        using var rollup = RollupFile.Open(Write(RollupBuilder.Build(Source(spans))), Path, new ChunkCache(1 << 20));
        Assert.Equal(Naive(spans, 10), RollupText.Of(rollup, RollupTier.TenMinutes));
        Assert.Equal(Naive(spans, 60), RollupText.Of(rollup, RollupTier.Hour));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Merge_RandomSplit_IsTheRollupOfAll(int seed)
    {
        var spans = Spans(seed);
        var inputs = spans.GroupBy(span => span.SpanId.Value * 7 % 4).Select(RollupSource (part) => RollupBuilder.Build(Source(part))).ToList();
        Assert.Equal(RollupText.Of(RollupBuilder.Build(Source(spans)), RollupTier.Minute), RollupText.Of(Rollup.Sum(inputs), RollupTier.Minute));
    }

    /// <summary>Many instances of few services: the views of a file are what spans of fewer instances, or of one name, would add up to.</summary>
    [Fact]
    public void File_ManyInstances_HasViewsThatTellLessApart()
    {
        static List<TestRecord> Instances(Func<int, string> instance, Func<int, string> name)
        {
            var resources = Enumerable.Range(0, 24).Select(i => TestOwner.Service($"s{i % 3}", ("service.instance.id", Apm.Telemetry.Attributes.AttributeValue.FromString(instance(i))))).ToArray();
            return [.. Enumerable.Range(0, 120_000).Select(i => TestRecord.Span(1, (ulong)i + 1, start: i * 250_000_000L, duration: i * 37 % 5_000, name: name(i / 7 % 5)) with { Resource = resources[i % 24] })];
        }

        using var file = RollupFile.Open(Write(RollupBuilder.Build(Source(Instances(i => $"i{i}", i => $"op{i}"), 8192))), Path, new ChunkCache(8 << 20));
        foreach (var (tier, minutes) in new[] { (RollupTier.Minute, 1), (RollupTier.TenMinutes, 10), (RollupTier.Hour, 60) })
        {
            Assert.Equal(Naive(Instances(i => $"i{i}", i => $"op{i}"), minutes), RollupText.Of(file, tier));
            Assert.Equal(WithoutInstance(Naive(Instances(_ => "i0", _ => ""), minutes)), WithoutInstance(RollupText.Of(file, tier, RollupView.Service)));
            if (minutes > 1)
            {
                Assert.Equal(WithoutInstance(Naive(Instances(_ => "i0", i => $"op{i}"), minutes)), WithoutInstance(RollupText.Of(file, tier, RollupView.Operation)));
                Assert.Equal(Naive(Instances(i => $"i{i}", _ => ""), minutes), RollupText.Of(file, tier, RollupView.Instance));
            }
        }
        Assert.True(file.SpanCells(RollupView.Resource, RollupTier.Minute)!.Count > 1, "minutes are in several chunks");

        static string[] WithoutInstance(string[] lines) =>
            [.. lines.Select(line => System.Text.RegularExpressions.Regex.Replace(line, ",service.instance.id=i[0-9]*", "")).Order(StringComparer.Ordinal)];
    }

    /// <summary>Parts that lie beside, across and within each other in time.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Merge_OfFiles_IsTheRollupOfAll(int seed)
    {
        var random = new Random(seed);
        var spans = Enumerable.Range(0, 60_000).Select(i => TestRecord.Span(
            1, (ulong)i + 1, start: random.NextInt64(-40, 60) * 600_000_000_000 + random.NextInt64(600_000_000_000), duration: random.Next(1 << 20), name: $"op{i % 40}",
            service: $"s{i % 11}")).ToList();
        RollupFile FileOf(RollupSource rollup) => RollupFile.Open(Write(rollup), Path, new ChunkCache(1 << 20));
        var bounds = Enumerable.Range(0, 4).Select(_ => (From: random.NextInt64(-30, 30) * 600_000_000_000, Length: random.NextInt64(1, 30) * 600_000_000_000)).ToList();
        var inputs = spans.GroupBy(span => bounds.FindIndex(part => span.Time >= part.From && span.Time < part.From + part.Length))
            .Select(RollupSource (part) => FileOf(RollupBuilder.Build(Source(part, 8192)))).ToList();
        using var all = FileOf(RollupBuilder.Build(Source(spans, 8192)));
        using var merged = FileOf(new RollupMerge(inputs, inputs));
        foreach (var tier in Tiers)
        {
            foreach (var view in Enum.GetValues<RollupView>())
            {
                Assert.Equal(RollupText.Of(all, tier, view), RollupText.Of(merged, tier, view));
            }
        }
    }

    [Fact]
    public void Build_MoreGroupsThanFit_AddsTheRestUpAsUnknown()
    {
        var spans = Enumerable.Range(0, 100).Select(i => TestRecord.Span(1, (ulong)i + 1, name: $"op{i}", service: $"s{i % 30}")).ToList();
        var rollup = RollupBuilder.Build(Source(spans), maxGroups: 10);
        Assert.True(rollup.Groups is { HasUnknownNames: true, HasUnknownResources: true });
        Assert.InRange(rollup.Groups.Count, 20, 22);
        var lines = RollupText.Of(rollup, RollupTier.Minute);
        Assert.Contains(lines, line => line.StartsWith("span ? '?'", StringComparison.Ordinal));
        Assert.Equal(100, lines.Sum(line => int.Parse(line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static MemoryFileSystem Write(RollupSource rollup)
    {
        var disk = new MemoryFileSystem();
        using var file = disk.Create(Path);
        Assert.Equal(RollupFileWriter.Write(file, rollup), file.Length);
        return disk;
    }

    private static string[] Read(MemoryFileSystem disk)
    {
        using var rollup = RollupFile.Open(disk, Path, new ChunkCache(1 << 20));
        return
        [
            .. Tiers.SelectMany(tier => Enum.GetValues<RollupView>().SelectMany(view => RollupText.Of(rollup, tier, view))), $"{rollup.EdgeMinutes}",
        ];
    }

    [Fact]
    public void File_Written_ReadsBackTheSame()
    {
        var rollup = RollupBuilder.Build(Source(Spans(7)));
        using var file = RollupFile.Open(Write(rollup), Path, new ChunkCache(1 << 20));
        Assert.Equal([.. RollupText.Of(rollup, RollupTier.Minute), $"{rollup.EdgeMinutes}"], [.. RollupText.Of(file, RollupTier.Minute), $"{file.EdgeMinutes}"]);
    }

    [Fact]
    public void File_OneBitFlippedAnywhere_IsFound()
    {
        var disk = Write(RollupBuilder.Build(Source(Spans(8, count: 20))));
        var expected = Read(disk);
        for (var at = 0; at < disk.ReadAll(Path).Length; at++)
        {
            var bit = (byte)(1 << (at % 8));
            disk.Corrupt(Path, bytes => bytes[at] ^= bit);
            Assert.Throws<CorruptPartException>(() => Read(disk));
            disk.Corrupt(Path, bytes => bytes[at] ^= bit);
        }
        Assert.Equal(expected, Read(disk));
    }

    [Fact]
    public void File_OfANewerVersion_IsRefusedWithItsNumber()
    {
        var disk = Write(RollupBuilder.Build(Source(Spans(9, count: 20))));
        disk.Corrupt(Path, bytes =>
        {
            bytes[8] = 3;
            BitConverter.TryWriteBytes(bytes.AsSpan(12), Apm.Telemetry.Files.Crc32C.Compute(bytes.AsSpan(0, 12)));
        });
        Assert.Contains("version 3", Assert.Throws<NotSupportedException>(() => Read(disk)).Message, StringComparison.Ordinal);
    }
}
