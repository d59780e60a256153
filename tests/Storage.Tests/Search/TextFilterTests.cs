using System.Text;
using Apm.Storage.Embedded.Encodings;
using Apm.Storage.Embedded.Search;
using Apm.Storage.Tests.Embedded;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Search;

public sealed class TextFilterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void MayContain_AnyPartOfAText_IsNeverFalse()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            var texts = Enumerable.Range(0, random.Next(1, 400)).Select(_ => new string(random.GetItems<char>("aBc1é -_", random.Next(20)))).ToArray();
            var filter = FilterOf(texts);
            foreach (var text in texts.Where(text => text.Length > 0))
            {
                var start = random.Next(text.Length);
                Assert.True(TextFilter.MayContain(filter, GramsOf(text.Substring(start, random.Next(1, text.Length - start + 1)).ToUpperInvariant())));
            }
        }
    }

    [Fact]
    public void MayContain_AbsentWords_IsMostlyFalse()
    {
        var random = new Random(2);
        var filter = FilterOf([.. Enumerable.Range(0, 8_192).Select(i => $"order ord-{random.NextInt64(1L << 48):x12} accepted in {i} ms")]);
        Assert.True(filter.Length <= 16 << 10);
        Assert.False(TextFilter.MayContain(filter, GramsOf("disk quota")));
        var seen = Enumerable.Range(0, 1_000).Count(_ => TextFilter.MayContain(filter, GramsOf($"{random.NextInt64(1L << 48):x12}")));
        Assert.InRange(seen, 0, 300);
    }

    [Fact]
    public void WriteTo_FewTexts_IsSmall() => Assert.Equal(64, FilterOf(["GET /", "POST /orders"]).Length);

    [Fact]
    public void Hash_KnownTexts_NeverChanges() => Assert.Equal([88_261, 125_476], GramsOf("Order"));

    [Fact]
    public async Task SearchLogs_PartOfARareBody_ReadsTheBlocksThatHaveIt()
    {
        var random = new Random(3);
        var records = Enumerable.Range(0, 8_000).Select(i => Body(i, AttributeValue.FromString(i == 5_000 ? "a QUANTUM fluctuation" : $"order {random.Next()} accepted"))).ToList();
        using var part = _folder.WritePart([TestRecord.ToBatch(Signal.Logs, records)], blockRows: 500);

        var result = await SearchAsync(part, "antum fluc");

        Assert.Equal(5_000, Assert.Single(result.Records.TimeUnixNano.Values.ToArray()));
        Assert.InRange(result.Scan.BlocksRead, 1, 3); // one to find it, one to copy it, and one that the filter may confuse it with
    }

    [Fact]
    public async Task SearchLogs_BodiesThatAreNoStrings_AreFoundByTheirText()
    {
        var records = Enumerable.Range(0, 3_000).Select(i => Body(i, i == 700 ? AttributeValue.FromInt64(123_456_789) : AttributeValue.FromString($"text {i}"))).ToList();
        using var part = _folder.WritePart([TestRecord.ToBatch(Signal.Logs, records)], blockRows: 500);
        Assert.Equal(700, Assert.Single((await SearchAsync(part, "345678")).Records.TimeUnixNano.Values.ToArray()));
    }

    [Fact]
    public async Task Aggregate_RangeOfRawIntegers_ReadsTheBlocksThatReachIntoIt()
    {
        var records = Enumerable.Range(0, 8_000).Select(i => new TestRecord { Time = i, Attributes = [("offset", AttributeValue.FromInt64(1_000_000 + i))] }).ToList();
        using var part = _folder.WritePart([TestRecord.ToBatch(Signal.Logs, records)], blockRows: 500);
        foreach (var (filter, count, blocks) in new[] { ("{ log.offset >= 1007990 }", 10, 1), ("{ log.offset = 1000600.0 }", 1, 1), ("{ log.offset < 1000010 }", 10, 1), ("{ log.offset = 1.5 }", 0, 0) })
        {
            var result = await new StoreSearch(TimeProvider.System).AggregateAsync(
                [part], Signal.Logs, new AggregateQuery(FilterParser.Parse(filter, Signal.Logs), TimeRange.All, 0, []), QueryBudget.Default, TestContext.Current.CancellationToken);
            Assert.Equal((filter, count, blocks), (filter, (int)result.Groups[0].Total.Count, result.Scan.BlocksRead));
        }
    }

    private static Task<LogSearchResult> SearchAsync(Apm.Storage.Embedded.RowSource part, string text) => new StoreSearch(TimeProvider.System).SearchLogsAsync(
        [part], new LogQuery(new ContainsFilter(Field.Of(Intrinsic.Body), text), TimeRange.All, 50), QueryBudget.Default, TestContext.Current.CancellationToken);

    private static TestRecord Body(int time, AttributeValue body) => new() { Time = time, Body = body };

    private static byte[] FilterOf(string[] texts)
    {
        var builder = new TextFilter.Builder();
        foreach (var text in texts)
        {
            builder.Add(Encoding.UTF8.GetBytes(text));
        }
        var writer = new ByteWriter();
        builder.WriteTo(writer);
        return writer.Written.ToArray();
    }

    private static int[] GramsOf(string text)
    {
        var grams = new List<int>();
        TextFilter.AddHashes(Encoding.UTF8.GetBytes(text), grams);
        return [.. grams];
    }
}
