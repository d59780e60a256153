using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;

namespace Apm.Storage.Tests.Embedded;

/// <summary>What a head's batches become as a part, compared with the rows put in order one by one.</summary>
public sealed class BatchContentTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, Signal> Seeds
    {
        get
        {
            var data = new TheoryData<int, Signal>();
            for (var seed = 0; seed < 24; seed++)
            {
                data.Add(seed, seed % 3 == 2 ? Signal.Logs : Signal.Traces);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Write_AnyBatches_GivesTheirRowsInOrder(int seed, Signal signal)
    {
        var random = new Random(seed);
        var batches = new List<ColumnBatch>();
        for (var left = 1 + random.Next(6); left > 0; left--)
        {
            // Some share all their strings, some few; some have a value for nearly every row, so that columns are raw.
            var source = new RandomBatch(random.Next(4), keys: 1 + random.Next(20), distinct: random.Next(3) switch { 0 => 3, 1 => 60, _ => 100_000 });
            var rows = random.Next(3) switch { 0 => 1, 1 => random.Next(50), _ => random.Next(1_500) };
            batches.Add(signal == Signal.Traces ? source.Spans(rows, traces: 1 + random.Next(200)) : source.Logs(rows));
        }
        batches.Add(signal == Signal.Traces ? new RandomBatch(seed).Spans(1) : new RandomBatch(seed).Logs(1));
        using var part = _folder.WritePart(batches, blockRows: random.Next(2) == 0 ? 100 : PartFormat.BlockRows);
        Assert.Equal(RowText.Of(NaiveRowOrder.Sorted(batches)), Rows(part));
    }

    [Fact]
    public void Write_OneTraceOfManySpansAtTheSameTimes_KeepsTheirArrival()
    {
        var batches = new[] { new ColumnBatch(Signal.Traces), new ColumnBatch(Signal.Traces) };
        for (var i = 0; i < 300; i++)
        {
            AddSpan(batches[i % 2], new TraceId(1, 2), time: 1_000 - (i / 40), name: $"span {i}");
        }
        using var part = _folder.WritePart(batches);
        Assert.Equal(RowText.Of(NaiveRowOrder.Sorted(batches)), Rows(part));
    }

    [Fact]
    public void Write_TracesThatBeginTogether_AreOrderedById()
    {
        var batch = new ColumnBatch(Signal.Traces);
        foreach (var low in new ulong[] { 7, 3, 9, 1, 5, 3 })
        {
            AddSpan(batch, new TraceId(4, low), time: 1_000, name: "span");
        }
        using var part = _folder.WritePart([batch]);
        using var block = part.OpenBlock(0);
        Assert.Equal([1, 3, 5, 7, 9], block.TraceIds.ToArray().Distinct().Select(id => id.Low));
    }

    [Fact]
    public void Write_MoreTracesThanTheTableBeginsWith_KeepsEach()
    {
        var batch = new ColumnBatch(Signal.Traces);
        for (var i = 0; i < 20_000; i++)
        {
            AddSpan(batch, new TraceId((ulong)i % 7, (ulong)(i * 7919 % 19_001)), time: i, name: "span");
        }
        using var part = _folder.WritePart([batch]);
        Assert.Equal(RowText.Of(NaiveRowOrder.Sorted([batch])), Rows(part));
    }

    [Fact]
    public void Write_ColumnThatSoonHasManyValues_IsRawThoughTheyRecurLater()
    {
        var batch = new ColumnBatch(Signal.Traces);
        var key = batch.Strings.Intern("id");
        for (var i = 0; i < 20_000; i++)
        {
            batch.Attributes.Add(key, AttributeType.String, batch.Strings.Intern($"value {(i < 5_000 ? i : i % 10)}"));
            AddSpan(batch, new TraceId(1, (ulong)i), time: i, name: "span");
        }
        using var part = _folder.WritePart([batch]);
        Assert.False(part.Directory.Find(ValueScope.Record, "id")!.IsDictionary);
        Assert.True(part.Directory.Find(ValueScope.Intrinsic, IntrinsicKey.Name)!.IsDictionary);
        Assert.Equal(RowText.Of(batch), Rows(part));
    }

    [Fact]
    public void Write_OneStringInManyColumns_IsInEach()
    {
        var batches = new[] { new ColumnBatch(Signal.Traces), new ColumnBatch(Signal.Traces) };
        for (var i = 0; i < 200; i++)
        {
            var batch = batches[i % 2];
            var code = batch.Strings.Intern(i % 3 == 0 ? "" : "same");
            batch.Attributes.Add(batch.Strings.Intern(i % 2 == 0 ? "a" : "b"), AttributeType.String, code);
            batch.Attributes.Add(batch.Strings.Intern("c"), i % 5 == 0 ? AttributeType.Bytes : AttributeType.String, code);
            batch.Attributes.Add(batch.Strings.Intern("same"), AttributeType.String, code);
            AddSpan(batch, new TraceId(1, (ulong)i), time: i, name: "same");
        }
        using var part = _folder.WritePart(batches);
        Assert.Equal(RowText.Of(NaiveRowOrder.Sorted(batches)), Rows(part));
    }

    private static string[] Rows(PartSource part)
    {
        var target = new ColumnBatch(part.Signal);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), target);
        }
        return RowText.Of(target);
    }

    /// <summary>A span with the attributes that were added to the open owner.</summary>
    private static void AddSpan(ColumnBatch batch, TraceId trace, long time, string name)
    {
        if (batch.ResourceSchemaUrl.Count == 0)
        {
            batch.ResourceSchemaUrl.Add(0);
            batch.ResourceDroppedAttributesCount.Add(0);
            batch.ResourceAttributes.EndOwner();
            batch.ScopeName.Add(0);
            batch.ScopeVersion.Add(0);
            batch.ScopeSchemaUrl.Add(0);
            batch.ScopeDroppedAttributesCount.Add(0);
            batch.ScopeAttributes.EndOwner();
        }
        batch.TimeUnixNano.Add(time);
        batch.TraceId.Add(trace);
        batch.SpanId.Add(new SpanId((ulong)batch.Rows));
        batch.ParentSpanId.Add(default);
        batch.Resource.Add(0);
        batch.Scope.Add(0);
        batch.Name.Add(batch.Strings.Intern(name));
        batch.Flags.Add(0);
        batch.DroppedAttributesCount.Add(0);
        batch.Attributes.EndOwner();
        batch.DurationNano.Add(1);
        batch.Kind.Add(1);
        batch.Status.Add(0);
        batch.StatusMessage.Add(0);
        batch.TraceState.Add(0);
        batch.DroppedEventsCount.Add(0);
        batch.DroppedLinksCount.Add(0);
        batch.EventEnd.Add(0);
        batch.LinkEnd.Add(0);
    }
}
