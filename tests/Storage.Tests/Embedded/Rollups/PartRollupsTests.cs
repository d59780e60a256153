using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Apm.Storage.Tests.Embedded.Rollups;

/// <summary>Rollups of parts of which some spans were sent twice, or late, as a store seals and merges them.</summary>
public sealed class PartRollupsTests
{
    private static readonly QueryBudget Budget = new(TimeSpan.FromMinutes(5), long.MaxValue, long.MaxValue);

    private readonly MergeRig _rig = new();
    private readonly PartRollups _rollups;
    private readonly List<PartSource> _parts = [];

    public PartRollupsTests()
    {
        _rig.Disk.CreateDirectory("store");
        _rollups = new PartRollups(_rig.Disk, "store", new ChunkCache(16 << 20), NullLogger.Instance);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task Merge_SpansInSeveralParts_CountsTheRowsThatAreLeft(int seed, bool copiesDiffer)
    {
        var random = new Random(seed);
        var arrivals = Arrivals(random);
        for (var part = 0; part < 3; part++)
        {
            // A copy may differ in what does not make it another span: then it was counted in another group. (Which copy's error an edge has is not said.)
            Seal(arrivals.Where(arrival => arrival.Part == part).Select(static arrival => arrival.Span)
                .Concat(arrivals.Where(arrival => arrival.Part < part && random.Next(3) == 0).Select(arrival => !copiesDiffer || random.Next(4) > 0 ? arrival.Span : arrival.Span with { Status = (StatusCode)random.Next(3) }))
                .ToList());
        }
        var merged = Merge(_parts, out var result);
        Assert.InRange(result.DuplicateRows, 300, 5_000);
        var expected = RollupBuilder.Build(merged);
        foreach (var tier in Enum.GetValues<RollupTier>())
        {
            Assert.Equal(Spans(expected, tier), Spans(merged.Rollup!, tier));
        }
        if (!copiesDiffer)
        {
            Assert.Equal(await EdgesAsync(new HeadSource(MergeRig.ReadAll(merged))), await EdgesAsync(merged));
        }
    }

    [Fact]
    public void Merge_NoSpanTwice_IsTheSumOfTheInputs()
    {
        var arrivals = Arrivals(new Random(5));
        for (var part = 0; part < 3; part++)
        {
            Seal(arrivals.Where(arrival => arrival.Part == part).Select(static arrival => arrival.Span).ToList());
        }
        var inputs = _parts.ToArray();
        var merged = Merge(inputs, out var result);
        Assert.Equal(0, result.DuplicateRows);
        Assert.Equal(RollupText.Of(Rollup.Sum([.. inputs.Select(part => part.Rollup!)]), RollupTier.Minute), RollupText.Of(merged.Rollup!, RollupTier.Minute));
        Assert.Equal(Spans(RollupBuilder.Build(merged), RollupTier.Minute), Spans(merged.Rollup!, RollupTier.Minute));
    }

    [Fact]
    public async Task RebuildOne_MergedPartThatLaterPartsCountOnTopOf_CountsBeforeThem()
    {
        var arrivals = Arrivals(new Random(6));
        for (var part = 0; part < 3; part++)
        {
            Seal(arrivals.Where(arrival => arrival.Part == part).Select(static arrival => arrival.Span).ToList());
        }
        var last = _parts[2];
        var merged = Merge(_parts[..2], out _);
        PartSource[] listed = [last, merged];
        var expected = await EdgesAsync(new HeadSource(MergeRig.ReadAll(last)), new HeadSource(MergeRig.ReadAll(merged)));
        Assert.Equal(expected, await EdgesAsync(listed));
        merged.RejectRollup(merged.Rollup!);
        Assert.Null(merged.Rollup);
        Assert.True(_rollups.RebuildOne(listed));
        Assert.Equal(expected, await EdgesAsync(listed));
        Assert.False(_rollups.RebuildOne(listed));
    }

    /// <summary>Spans of traces that lie in one part or are split over several.</summary>
    private static List<(TestRecord Span, int Part)> Arrivals(Random random) =>
        [.. Enumerable.Range(1, 90).SelectMany(trace => EdgeAnswerTests.Trace(random, (ulong)trace).Select(span => (span, random.Next(3) == 0 ? random.Next(3) : trace / 31)))];

    private void Seal(List<TestRecord> spans)
    {
        var part = _rig.Write(TestRecord.ToBatch(Signal.Traces, spans));
        part.Entry = new ManifestPart(_parts.Count + 1, Signal.Traces, 0, part.RowCount, part.File.SizeBytes, SealedUnixSeconds: 1_000 + _parts.Count);
        _rollups.Build(part, _parts);
        Assert.NotNull(part.Rollup);
        _parts.Add(part);
    }

    private PartSource Merge(IReadOnlyList<PartSource> inputs, out MergeResult result)
    {
        result = _rig.Merge(inputs, out var merged);
        merged.Entry = new ManifestPart(100, Signal.Traces, 1, merged.RowCount, merged.File.SizeBytes, inputs.Max(part => part.Entry!.SealedUnixSeconds));
        _rollups.Merge(merged, inputs, result.DuplicateRows > 0);
        Assert.NotNull(merged.Rollup);
        return merged;
    }

    private static string[] Spans(RollupSource rollup, RollupTier tier) => [.. RollupText.Of(rollup, tier).Where(static line => line.StartsWith("span", StringComparison.Ordinal))];

    private static async Task<string[]> EdgesAsync(params RowSource[] sources)
    {
        var result = await new StoreSearch(TimeProvider.System).GetEdgesAsync(sources, TimeRange.All, Budget, Cancellation);
        Assert.True(result.Scan.Complete);
        return [.. result.Edges.Select(EdgeAnswerTests.Line)];
    }
}
