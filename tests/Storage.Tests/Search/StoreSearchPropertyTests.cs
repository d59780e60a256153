using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Search;
using Apm.Storage.Embedded.Tools;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

/// <summary>
/// Random stores, filters and pages: answers equal those of a plain walk over the records, whether the rows are in memory or in parts, and however many
/// threads share the work.
/// </summary>
public sealed class StoreSearchPropertyTests : IDisposable
{
    private const int Rounds = 60;

    private readonly ScanScheduler _scheduler = new(cores: 3);
    private readonly TemporaryFolder _folder = new();
    private static readonly QueryBudget Budget = new(TimeSpan.FromMinutes(5), long.MaxValue, long.MaxValue);

    /// <summary>Where the rows are.</summary>
    public enum Layout
    {
        Memory,
        Parts,

        /// <summary>Some in memory, some in a part of their own, some with others in one part, some in a part merged from others in any order.</summary>
        Mixed,
    }

    /// <summary>With a seed.</summary>
    public static TheoryData<int, Layout> Seeds => new() { { 1, Layout.Memory }, { 2, Layout.Parts }, { 3, Layout.Mixed }, { 4, Layout.Parts }, { 5, Layout.Mixed } };

    private StoreSearch Search => new(TimeProvider.System, scheduler: _scheduler);

    public void Dispose()
    {
        _scheduler.Dispose();
        _folder.Dispose();
    }

    private Sources SourcesOf(Signal signal, List<List<TestRecord>> batches, Layout layout) => new(layout switch
    {
        Layout.Memory => RandomTelemetry.Sources(signal, batches),
        Layout.Parts => batches.ConvertAll(RowSource (batch) => Part(signal, batch)),
        _ => Mixed(signal, batches),
    });

    private PartSource Part(Signal signal, params IEnumerable<List<TestRecord>> batches) => _folder.WritePart([.. batches.Select(batch => TestRecord.ToBatch(signal, batch))], blockRows: 8);

    private List<RowSource> Mixed(Signal signal, List<List<TestRecord>> batches)
    {
        var random = new Random(batches.Sum(batch => batch.Count));
        var sources = new List<RowSource>();
        var together = new List<List<TestRecord>>();
        var toMerge = new List<PartSource>();
        foreach (var batch in batches)
        {
            switch (random.Next(5))
            {
                case 0:
                    sources.AddRange(RandomTelemetry.Sources(signal, [batch]));
                    break;
                case 1:
                    sources.Add(Part(signal, batch));
                    break;
                case 2:
                    together.Add(batch);
                    break;
                default:
                    toMerge.Add(Part(signal, batch));
                    break;
            }
        }
        while (toMerge.Count > 0)
        {
            // One after another, or several at once; what was merged may be merged again.
            var merged = toMerge.Take(random.Next(1, 4)).ToArray();
            toMerge.RemoveRange(0, merged.Length);
            random.Shuffle(merged);
            var part = _folder.Merge(merged, blockRows: 8);
            Array.ForEach(merged, input => input.Dispose());
            Assert.Empty(PartVerifier.Verify(part, TestContext.Current.CancellationToken));
            if (toMerge.Count > 0 && random.Next(2) == 0)
            {
                toMerge.Add(part);
            }
            else
            {
                sources.Insert(random.Next(sources.Count + 1), part);
            }
        }
        if (together.Count > 0)
        {
            sources.Insert(random.Next(sources.Count + 1), Part(signal, together));
        }
        return sources;
    }

    private sealed class Sources(List<RowSource> sources) : List<RowSource>(sources), IDisposable
    {
        public void Dispose() => ForEach(source => (source as IDisposable)?.Dispose());
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task SearchTraces_RandomStoreAndFilter_FindsWhatAPlainWalkFinds(int seed, Layout layout)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var random = new RandomTelemetry((seed * 10_000) + round);
            var batches = random.Batches(Signal.Traces);
            using var sources = SourcesOf(Signal.Traces, batches, layout);
            var spans = batches.SelectMany(batch => batch).DistinctBy(span => (span.TraceId, span.SpanId)).ToList();
            var naive = new NaiveFilter(Signal.Traces, spans);
            var (filter, range) = (random.Filter(), random.Range());
            var order = (TraceOrder)random.Random.Next(2);
            long KeyOf(TestRecord span) => order == TraceOrder.Newest ? span.Time : span.Duration;
            var matching = spans.Where(span => range.Contains(span.Time) && naive.Matches(filter, span)).ToList();
            var expected = matching.GroupBy(span => span.TraceId)
                .Select(trace => (Id: trace.Key, Key: trace.Max(KeyOf), Count: trace.Count(), First: trace.OrderBy(span => span.Time).ThenBy(span => span.SpanId).First().SpanId))
                .OrderByDescending(trace => trace.Key).ThenBy(trace => trace.Id).ToList();
            var context = $"seed {seed} round {round}: {RandomTelemetry.Describe(filter)}";

            var whole = await Search.SearchTracesAsync(sources, new TraceQuery(filter, range, order, 1000, CountAll: true), Budget, TestContext.Current.CancellationToken);
            Assert.True(expected.SequenceEqual(whole.Traces.Select(trace => (trace.TraceId, trace.SortKey, trace.MatchedSpanCount, trace.FirstMatch))), context);
            Assert.Equal((matching.Count, expected.Count), ((int)whole.MatchedSpans, (int)whole.MatchedTraces));
            Assert.True(whole.Scan.Complete);
            Assert.Null(whole.Next);

            var limit = random.Random.Next(1, 6);
            var paged = new List<TraceSummary>();
            TraceCursor? cursor = null;
            do
            {
                var page = await Search.SearchTracesAsync(sources, new TraceQuery(filter, range, order, limit, cursor), Budget, TestContext.Current.CancellationToken);
                Assert.True(page.Traces.Count == limit || page.Next is null, context);
                paged.AddRange(page.Traces);
                cursor = page.Next;
            }
            while (cursor is not null);
            Assert.True(whole.Traces.Select(trace => (trace.TraceId, trace.SortKey)).SequenceEqual(paged.Select(trace => (trace.TraceId, trace.SortKey))), context);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task SearchLogs_RandomStoreAndFilter_FindsWhatAPlainWalkFinds(int seed, Layout layout)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var random = new RandomTelemetry((seed * 20_000) + round);
            var batches = random.Batches(Signal.Logs);
            using var sources = SourcesOf(Signal.Logs, batches, layout);
            var records = batches.SelectMany(batch => batch).ToList();
            var naive = new NaiveFilter(Signal.Logs, records);
            var (filter, range) = (random.Filter(), random.Range());
            var ascending = random.Random.Next(2) == 0;
            TraceId? traceId = random.Random.Next(3) == 0 ? new TraceId(7, (ulong)random.Random.Next(25)) : null;
            var matching = records.Where(record => range.Contains(record.Time) && (traceId is null || record.TraceId == traceId) && naive.Matches(filter, record)).ToList();
            var context = $"seed {seed} round {round}: {RandomTelemetry.Describe(filter)}";

            var whole = await Search.SearchLogsAsync(sources, new LogQuery(filter, range, 1000, traceId, Ascending: ascending), Budget, TestContext.Current.CancellationToken);
            long[] times = [.. whole.Records.TimeUnixNano.Values];
            Assert.True(times.SequenceEqual(ascending ? times.Order() : times.OrderDescending()), context);
            Assert.True(whole.Records.SpanId.Values.ToArray().Order().SequenceEqual(matching.Select(record => record.SpanId).Order()), context);

            var limit = random.Random.Next(1, 9);
            var paged = new List<SpanId>();
            LogCursor? cursor = null;
            do
            {
                var page = await Search.SearchLogsAsync(sources, new LogQuery(filter, range, limit, traceId, Ascending: ascending, After: cursor), Budget, TestContext.Current.CancellationToken);
                paged.AddRange(page.Records.SpanId.Values);
                cursor = page.Next;
            }
            while (cursor is not null);
            Assert.True(paged.SequenceEqual(whole.Records.SpanId.Values.ToArray()), context);
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Aggregate_RandomStoreAndFilter_AddsUpWhatAPlainWalkAddsUp(int seed, Layout layout)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var random = new RandomTelemetry((seed * 30_000) + round);
            var signal = round % 2 == 0 ? Signal.Traces : Signal.Logs;
            var batches = random.Batches(signal, withRepeats: false);
            using var sources = SourcesOf(signal, batches, layout);
            var records = batches.SelectMany(batch => batch).ToList();
            var naive = new NaiveFilter(signal, records);
            var filter = random.Filter(2);
            var range = new TimeRange(random.Random.Next(50), random.Random.Next(51, 110));
            Field[] fields = [.. Enumerable.Range(0, random.Random.Next(4)).Select(_ => random.Field(traceFields: signal == Signal.Traces))];
            var step = random.Random.Next(3) == 0 ? 0 : random.Random.Next(1, 40);
            var matching = records.Where(record => range.Contains(record.Time) && naive.Matches(filter, record)).ToList();
            var context = $"seed {seed} round {round}: {RandomTelemetry.Describe(filter)} by {string.Join(", ", fields.AsEnumerable())}";

            var result = await Search.AggregateAsync(sources, signal, new AggregateQuery(filter, range, step, [.. fields], MaxGroups: 100_000), Budget, TestContext.Current.CancellationToken);

            Assert.True(matching.Count == result.Groups.Sum(group => group.Total.Count), context);
            var expected = matching.ToLookup(record => string.Join('|', fields.Select(field => KeyText(naive.Values(field, record)))));
            foreach (var group in result.Groups.Where(group => group.Total.Count > 0))
            {
                var members = expected[string.Join('|', group.Key.Select(value => KeyText(value is { } known ? [known] : [])))].ToList();
                Assert.True(members.Count == group.Total.Count, context);
                Assert.Equal(members.Count(record => IsError(signal, record)), group.Total.Errors);
                Assert.Equal(signal == Signal.Traces ? members.Sum(record => record.Duration) : 0, group.Total.Durations?.SumNano ?? 0);
                for (var i = 0; i < result.Steps; i++)
                {
                    var start = result.FirstStepUnixNano + (i * result.StepNano);
                    var count = step == 0 ? members.Count : members.Count(record => record.Time >= start && record.Time < start + step);
                    Assert.True(count == (group.Buckets[i]?.Count ?? 0), context);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task GetFacets_RandomStoreAndFilter_CountsWhatAPlainWalkCounts(int seed, Layout layout)
    {
        for (var round = 0; round < Rounds; round++)
        {
            var random = new RandomTelemetry((seed * 40_000) + round);
            var signal = round % 2 == 0 ? Signal.Traces : Signal.Logs;
            var batches = random.Batches(signal, withRepeats: false);
            var records = batches.SelectMany(batch => batch).ToList();
            var naive = new NaiveFilter(signal, records);
            var (filter, range) = (random.Filter(2), random.Range());
            var field = random.Field(traceFields: signal == Signal.Traces);
            var values = records.Where(record => range.Contains(record.Time) && naive.Matches(filter, record))
                .Select(record => (Record: record, Values: naive.Values(field, record).Take(1).ToList())).ToList();
            var context = $"seed {seed} round {round}: {RandomTelemetry.Describe(filter)} of {field}";

            using var sources = SourcesOf(signal, batches, layout);
            var result = await Search.GetFacetsAsync(sources, signal, new FacetQuery(filter, range, [field], 1000), Budget, TestContext.Current.CancellationToken);

            var facet = Assert.Single(result.Facets);
            Assert.True(values.Count == result.Matched, context);
            Assert.True(values.Count(value => value.Values.Count > 0) == facet.Present, context);
            var expected = values.Where(value => value.Values.Count > 0).GroupBy(value => KeyText(value.Values))
                .ToDictionary(group => group.Key, group => ((long)group.Count(), (long)group.Count(value => IsError(signal, value.Record))));
            Assert.True(expected.Count == facet.Distinct, context);
            Assert.All(facet.Values, value => Assert.Equal(expected[KeyText([value.Value])], (value.Count, value.Errors)));
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task GetTrace_RandomStore_HasEverySpanOnceByStart(int seed, Layout layout)
    {
        var random = new RandomTelemetry(seed * 50_000);
        var batches = random.Batches(Signal.Traces);
        using var sources = SourcesOf(Signal.Traces, batches, layout);
        foreach (var trace in batches.SelectMany(batch => batch).DistinctBy(span => (span.TraceId, span.SpanId)).GroupBy(span => span.TraceId))
        {
            var fetch = await Search.GetTraceAsync(sources, trace.Key, Budget, TestContext.Current.CancellationToken);
            var expected = TestRecord.ToBatch(Signal.Traces, trace.OrderBy(span => span.Time).ThenBy(span => span.SpanId));
            Assert.Equal(expected.Rows, fetch.Spans.Rows);
            for (var row = 0; row < expected.Rows; row++)
            {
                Assert.Equal(expected.SpanId[row], fetch.Spans.SpanId[row]);
                Assert.Equal(expected.ServiceName(row), fetch.Spans.ServiceName(row));
                Assert.Equal(expected.Strings.GetString(expected.Name[row]), fetch.Spans.Strings.GetString(fetch.Spans.Name[row]));
                Assert.Equal(expected.Attributes.Start(row + 1) - expected.Attributes.Start(row), fetch.Spans.Attributes.Start(row + 1) - fetch.Spans.Attributes.Start(row));
                Assert.Equal(expected.EventEnd[row], fetch.Spans.EventEnd[row]);
            }
        }
    }

    private static bool IsError(Signal signal, TestRecord record) => signal == Signal.Traces ? record.Status == StatusCode.Error : record.Severity >= SeverityNumber.Error;

    /// <summary>Type and content of the first value: "5" and 5 are different, 5 and 5.0 too.</summary>
    private static string KeyText(IEnumerable<AttributeValue> values) =>
        string.Concat(values.Take(1).Select(value => $"{value.Type}:{value.Bits}:{Convert.ToHexString(value.Content)}"));
}
