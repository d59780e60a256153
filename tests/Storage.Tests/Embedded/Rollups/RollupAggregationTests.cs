using System.Text.RegularExpressions;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Rollups;
using Apm.Storage.Embedded.Search;
using Apm.Storage.Tests.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Embedded.Rollups;

public sealed class RollupAggregationTests
{
    private const long Minute = 60_000_000_000;

    private static readonly StoreSearch Search = new(TimeProvider.System);
    private static readonly QueryBudget Budget = new(TimeSpan.FromMinutes(5), long.MaxValue, long.MaxValue);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static readonly string[] Services = ["cart", "pay", "x"];
    private static readonly string[] Names = ["GET /", "GET /cart", "x", ""];

    private static TestRecord Span(Random random, int id, TestOwner[] resources) => new()
    {
        TraceId = new TraceId(7, (ulong)(id / 4) + 1),
        SpanId = new SpanId((ulong)id + 1),
        Parent = new SpanId((ulong)random.Next(3)),
        Time = random.NextInt64(-Minute, 5 * 60 * Minute),
        Duration = random.NextInt64(1L << random.Next(1, 40)),
        Name = Names[random.Next(Names.Length)],
        Kind = (SpanKind)random.Next(6),
        Status = (StatusCode)random.Next(3),
        Resource = resources[random.Next(resources.Length)],
        Attributes = random.Next(30) == 0 ? [("version", AttributeValue.FromString("record"))] : [],
    };

    private static TestOwner[] Resources(Random random) =>
    [
        .. Enumerable.Range(0, 6).Select(_ => TestOwner.Service(
            Services[random.Next(Services.Length)], ("version", AttributeValue.FromString($"{random.Next(3)}")), ("instance", AttributeValue.FromInt64(random.Next(3))))),
    ];

    /// <summary>Parts with and without rollups on disk, and batches in memory with and without one.</summary>
    private static List<RowSource> Sources(Random random, TemporaryFolder folder, bool withRollups)
    {
        var resources = Resources(random);
        var sources = new List<RowSource>();
        for (var (source, id) = (0, 0); source < 6; source++)
        {
            var spans = Enumerable.Range(0, random.Next(1, 900)).Select(_ => Span(random, id++, resources)).ToList();
            var batch = TestRecord.ToBatch(Signal.Traces, spans);
            if (source >= 3)
            {
                sources.Add(new HeadSource(batch, blockRows: 128));
                continue;
            }
            var part = folder.WritePart([batch]);
            if (withRollups && source > 0)
            {
                part.SetRollup(folder.WriteRollup(RollupBuilder.Build(part)));
            }
            sources.Add(part);
        }
        return sources;
    }

    private static Field Field(Random random) => random.Next(6) switch
    {
        0 => Telemetry.Filters.Field.ServiceName,
        1 => Telemetry.Filters.Field.Of(Intrinsic.Name),
        2 => Telemetry.Filters.Field.Of(Intrinsic.Kind),
        3 => Telemetry.Filters.Field.Of(Intrinsic.Status),
        4 => Telemetry.Filters.Field.Attribute(FieldScope.Resource, random.Next(2) == 0 ? "version" : "instance"),
        _ => Telemetry.Filters.Field.Attribute(FieldScope.Any, "version"),
    };

    private static Filter Condition(Random random) => random.Next(7) switch
    {
        0 => Filter.Equal(Telemetry.Filters.Field.ServiceName, AttributeValue.FromString(Services[random.Next(Services.Length)])),
        1 => Filter.Equal(Telemetry.Filters.Field.Of(Intrinsic.Kind), AttributeValue.FromInt64(random.Next(6))),
        2 => new RegexFilter(Telemetry.Filters.Field.Of(Intrinsic.Name), new Regex("^(?:GET.*)$", RegexOptions.NonBacktracking), random.Next(2) == 0),
        3 => Filter.Equal(Telemetry.Filters.Field.Of(Intrinsic.Status), AttributeValue.FromInt64((long)StatusCode.Error)),
        4 => new ComparisonFilter(Telemetry.Filters.Field.Of(Intrinsic.ParentSpanId), (ComparisonOperator)random.Next(2), AttributeValue.FromString("")),
        5 => new ExistsFilter(Telemetry.Filters.Field.Attribute(FieldScope.Resource, "version"), random.Next(2) == 0),
        _ => Filter.Equal(Telemetry.Filters.Field.Attribute(FieldScope.Any, "version"), AttributeValue.FromString(random.Next(3) == 0 ? "record" : "1")),
    };

    private static AggregateQuery Query(Random random)
    {
        var filter = random.Next(4) switch
        {
            0 => Filter.All,
            1 => Condition(random),
            2 => Filter.And(Condition(random), Condition(random), new NotFilter(Condition(random))),
            _ => Filter.Or(Condition(random), Filter.And(Condition(random), Condition(random))),
        };
        var start = random.NextInt64(-2 * Minute, 200 * Minute);
        var range = random.Next(8) == 0 ? TimeRange.All : new TimeRange(start, start + random.NextInt64(1, 200 * Minute));
        if (random.Next(4) == 0 && range != TimeRange.All)
        {
            range = new TimeRange(range.StartUnixNano / Minute * Minute, range.EndUnixNano / Minute * Minute);
        }
        var step = range == TimeRange.All ? 0 : new[] { 0, 1, 2, 5, 10, 15, 30, 60, 120 }[random.Next(9)] * Minute;
        return new AggregateQuery(filter, range, step, [.. Enumerable.Range(0, random.Next(4)).Select(_ => Field(random))], random.Next(5) == 0 ? 2 : 10_000, random.Next(4) > 0);
    }

    private static string[] Lines(AggregateResult result)
    {
        return
        [
            $"{result.FirstStepUnixNano} {result.StepNano} {result.Steps} {result.Scan.Complete}",
            .. result.Groups.Where(group => group.Total.Count > 0).Select(group => $"{group.IsOverflow} {string.Join('|', group.Key)}: {Text(group.Total)}; {string.Join(' ', group.Buckets.Select(Text))}").Order(StringComparer.Ordinal),
        ];

        static string Text(AggregateBucket? bucket) => bucket is null or { Count: 0 } ? "-"
            : $"{bucket.Count}/{bucket.Errors}/{bucket.Durations?.Count}/{bucket.Durations?.SumNano}/{bucket.Durations?.MaxNano}/{(bucket.Durations is { } durations ? string.Join(',', durations.Counts.TrimEnd(0).ToArray()) : "")}";
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Aggregate_RandomSourcesAndQueries_AgreesWithTheRows(int seed)
    {
        var random = new Random(seed);
        using var folder = new TemporaryFolder();
        var sources = Sources(random, folder, withRollups: true);
        var fromRollups = 0;
        for (var round = 0; round < 150; round++)
        {
            var query = Query(random);
            if (query.MaxGroups == 2 && query.GroupBy.Length > 1)
            {
                // Which of several small groups of one size go to the overflow is not said.
                query = query with { MaxGroups = 10_000 };
            }
            var expected = await Search.AggregateRowsAsync(sources, Signal.Traces, query, Budget, Cancellation);
            var actual = await Search.AggregateAsync(sources, Signal.Traces, query, Budget, Cancellation);
            var context = $"seed {seed} round {round}: {RandomTelemetry.Describe(query.Filter)} by {string.Join(", ", query.GroupBy)} in {query.Range} step {query.StepNano / Minute}";
            Assert.True(Lines(expected).SequenceEqual(Lines(actual)), context);
            fromRollups += actual.Scan.RollupsRead > 0 ? 1 : 0;
        }
        Assert.InRange(fromRollups, 50, 150);
    }

    [Fact]
    public async Task Aggregate_WholeMinutes_ReadsNoRows()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(5);
        var resources = Resources(random);
        var part = folder.WritePart([TestRecord.ToBatch(Signal.Traces, Enumerable.Range(0, 500).Select(id => Span(random, id, resources)))]);
        part.SetRollup(folder.WriteRollup(RollupBuilder.Build(part)));
        var query = new AggregateQuery(Filter.All, new TimeRange(0, 240 * Minute), 10 * Minute, [Telemetry.Filters.Field.ServiceName]);
        var result = await Search.AggregateAsync([part], Signal.Traces, query, Budget, Cancellation);
        Assert.Equal((0, 0L, 1, 1), (result.Scan.BlocksRead, result.Scan.RowsScanned, result.Scan.PartsRead, result.Scan.RollupsRead));
        Assert.Equal(Lines(await Search.AggregateRowsAsync([part], Signal.Traces, query, Budget, Cancellation)), Lines(result));
    }

    [Theory]
    [InlineData("duration")]
    [InlineData("scope")]
    [InlineData("parent")]
    [InlineData("step")]
    public void Of_FieldsOrStepsThatGroupsDoNotDetermine_IsNull(string what)
    {
        var filter = what switch
        {
            "duration" => new ComparisonFilter(Telemetry.Filters.Field.Of(Intrinsic.Duration), ComparisonOperator.Greater, AttributeValue.FromInt64(5)),
            "scope" => Filter.Equal(Telemetry.Filters.Field.Of(Intrinsic.ScopeName), AttributeValue.FromString("lib")),
            "parent" => Filter.Equal(Telemetry.Filters.Field.Of(Intrinsic.ParentSpanId), AttributeValue.FromString("0000000000000001")),
            _ => Filter.All,
        };
        Assert.Null(RollupAggregation.Of(new AggregateQuery(filter, new TimeRange(0, 100 * Minute), what == "step" ? 15_000_000_000 : 0, [])));
    }

    [Fact]
    public async Task Aggregate_MoreGroupsThanARollupTellsApart_ShowsTheRestAsOverflow()
    {
        using var folder = new TemporaryFolder();
        var part = folder.WritePart([TestRecord.ToBatch(Signal.Traces, Enumerable.Range(0, 100).Select(i => TestRecord.Span(1, (ulong)i + 1, start: i, name: $"op{i}")))]);
        part.SetRollup(folder.WriteRollup(RollupBuilder.Build(part, maxGroups: 10)));
        var range = new TimeRange(0, Minute);
        var byName = await Search.AggregateAsync([part], Signal.Traces, new AggregateQuery(Filter.All, range, 0, [Telemetry.Filters.Field.Of(Intrinsic.Name)]), Budget, Cancellation);
        Assert.Equal((90L, 11), (byName.Groups.Single(group => group.IsOverflow).Total.Count, byName.Groups.Count));

        // A filter on the names that are not told apart is answered from rows.
        var filtered = await Search.AggregateAsync(
            [part], Signal.Traces, new AggregateQuery(Filter.Equal(Telemetry.Filters.Field.Of(Intrinsic.Name), AttributeValue.FromString("op77")), range, 0, []), Budget, Cancellation);
        Assert.Equal((1L, 0), (filtered.Groups[0].Total.Count, filtered.Scan.RollupsRead));
    }

    [Fact]
    public async Task Aggregate_DamagedRollup_ReadsTheRowsAndReports()
    {
        using var folder = new TemporaryFolder();
        var part = folder.WritePart([TestRecord.ToBatch(Signal.Traces, Enumerable.Range(0, 100).Select(i => TestRecord.Span(1, (ulong)i + 1, start: i)))]);
        var rollup = folder.WriteRollup(RollupBuilder.Build(part));
        part.SetRollup(rollup);
        using (var file = folder.Files.OpenWrite(rollup.Path))
        {
            file.Write([0xFF, 0xFF, 0xFF], 20);
        }
        var damages = new List<CorruptPartException>();
        var query = new AggregateQuery(Filter.All, new TimeRange(0, Minute), 0, []);
        var result = await new StoreSearch(TimeProvider.System, damages.Add).AggregateAsync([part], Signal.Traces, query, Budget, Cancellation);
        Assert.Equal((100L, 0, true), (result.Groups[0].Total.Count, result.Scan.RollupsRead, result.Scan.Complete));
        Assert.Equal(rollup.Path, Assert.Single(damages).Path);
        Assert.Null(part.Rollup);
    }
}
