using Apm.Storage.Columns;
using Apm.Storage.Embedded;
using Apm.Storage.Embedded.Parts;
using Apm.Storage.Embedded.Search;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;

namespace Apm.Storage.Tests.Embedded;

public sealed class PartRoundTripTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<int, Signal, int, int> Shapes => new()
    {
        { 1, Signal.Traces, 1, 1 },
        { 2, Signal.Traces, 1, 57 },
        { 3, Signal.Traces, 7, 900 },
        { 4, Signal.Traces, 2, 12_000 },
        { 5, Signal.Logs, 1, 1 },
        { 6, Signal.Logs, 5, 700 },
        { 7, Signal.Logs, 2, 9_000 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void CopyRows_RandomBatches_EqualsWhatWasWritten(int seed, Signal signal, int batches, int rows)
    {
        var random = new RandomBatch(seed, distinct: rows > 5_000 ? 4_000 : 40);
        var written = Enumerable.Range(0, batches).Select(_ => signal == Signal.Traces ? random.Spans(rows) : random.Logs(rows)).ToList();
        using var part = _folder.WritePart(written);

        var read = ReadAll(part);

        Assert.Equal(written.SelectMany(batch => RowText.Of(batch)).Order(StringComparer.Ordinal), RowText.Of(read).Order(StringComparer.Ordinal));
        Assert.Equal(batches * rows, part.RowCount);
    }

    [Fact]
    public void CopyRows_TraceLargerThanABlock_KeepsEveryRow()
    {
        var batch = new RandomBatch(11).Spans(20_000, traces: 2);
        using var part = _folder.WritePart([batch]);
        Assert.True(part.BlockCount >= 3);
        Assert.Equal(RowText.Of(batch).Order(StringComparer.Ordinal), RowText.Of(ReadAll(part)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void CopyRows_SomeRows_AreThoseRows()
    {
        var batch = new RandomBatch(12).Spans(3_000);
        using var part = _folder.WritePart([batch]);
        var all = RowText.Of(ReadAll(part));
        int[] rows = [0, 3, 4, 100, 2_000, 2_999];
        using var block = part.OpenBlock(0);
        var target = new ColumnBatch(Signal.Traces);
        block.CopyRows(rows, target);
        Assert.Equal(rows.Select(row => all[row]), RowText.Of(target));
    }

    [Theory]
    [InlineData(Signal.Traces)]
    [InlineData(Signal.Logs)]
    public void Columns_EveryBlock_AgreeWithCopiedRows(Signal signal)
    {
        var random = new RandomBatch(21, distinct: 3_000);
        using var part = _folder.WritePart([signal == Signal.Traces ? random.Spans(10_000) : random.Logs(10_000)]);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            var rows = new ColumnBatch(signal);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), rows);
            Assert.Equal(rows.TimeUnixNano.Values, block.TimeUnixNano);
            Assert.Equal(rows.TraceId.Values, block.TraceIds);
            Assert.Equal(rows.SpanId.Values, block.SpanIds);
            foreach (var name in part.AttributeNames.Where(name => name.Scope == FieldScope.Record))
            {
                AssertColumn(rows, block.GetColumn(Field.Attribute(FieldScope.Record, name.Key)), name.Key);
            }
            Assert.Null(block.GetColumn(Field.Attribute(FieldScope.Record, "no such key")));
            Assert.Equal(rows.Rows, block.GetColumn(Field.Of(Intrinsic.Name))!.Codes.Length);
            var bounds = part.GetBounds(number);
            Assert.Equal((block.Rows, rows.TimeUnixNano.Values.ToArray().Min(), rows.TimeUnixNano.Values.ToArray().Max()), (bounds.Rows, bounds.FirstTimeUnixNano, bounds.LastTimeUnixNano));
            if (signal == Signal.Traces)
            {
                Assert.Equal(rows.ParentSpanId.Values, block.ParentSpanIds);
                Assert.Equal(rows.DurationNano.Values, block.DurationNano);
                Assert.Equal(rows.Kind.Values, block.Kinds);
                Assert.Equal(rows.Status.Values, block.Statuses);
                Assert.Equal(rows.EventEnd.Values, block.Events!.Ends.Span);
                Assert.Equal(rows.EventAttributes.EntryCount, block.Events.Attributes.EntryCount);
                Assert.Equal(rows.LinkEnd.Values, block.Links!.Ends.Span);
                Assert.Throws<InvalidOperationException>(() => block.SeverityNumbers.Length);
            }
            else
            {
                Assert.Equal(rows.SeverityNumber.Values, block.SeverityNumbers);
                Assert.Throws<InvalidOperationException>(() => block.DurationNano.Length);
            }
        }
    }

    [Fact]
    public void MayMatch_ValuesThatARowHas_IsNeverFalse()
    {
        var random = new RandomBatch(31, distinct: 3_000);
        using var part = _folder.WritePart([random.Spans(10_000)]);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            var rows = new ColumnBatch(Signal.Traces);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), rows);
            for (var row = 0; row < rows.Rows; row += 5)
            {
                AssertMayEqual(part, number, FieldScope.Record, rows.Attributes, row, rows);
                AssertMayEqual(part, number, FieldScope.Any, rows.Attributes, row, rows);
                AssertMayEqual(part, number, FieldScope.Resource, rows.ResourceAttributes, rows.Resource[row], rows);
                AssertMayEqual(part, number, FieldScope.Any, rows.ResourceAttributes, rows.Resource[row], rows);
                Assert.True(MayEqual(part, number, Field.Of(Intrinsic.Name), AttributeValue.FromString(rows.Strings.GetString(rows.Name[row]))));
                Assert.True(MayEqual(part, number, Field.Of(Intrinsic.Kind), AttributeValue.FromInt64(rows.Kind[row])));
                Assert.True(MayEqual(part, number, Field.Of(Intrinsic.Status), AttributeValue.FromInt64(rows.Status[row])));
            }
            for (var i = 0; i < rows.EventName.Count; i++)
            {
                AssertMayEqual(part, number, FieldScope.Event, rows.EventAttributes, i, rows);
            }
            for (var i = 0; i < rows.LinkSpanId.Count; i++)
            {
                AssertMayEqual(part, number, FieldScope.Link, rows.LinkAttributes, i, rows);
            }
        }
    }

    [Fact]
    public void MayMatch_AbsentValues_IsMostlyFalse()
    {
        using var part = _folder.WritePart([new RandomBatch(32, distinct: 5_000).Spans(8_000)]);
        var seen = 0;
        for (var i = 0; i < 1_000; i++)
        {
            seen += MayEqual(part, 0, Field.Attribute(FieldScope.Record, "key.1"), AttributeValue.FromString("absent " + i)) ? 1 : 0;
        }
        Assert.InRange(seen, 0, 50);
        Assert.False(MayEqual(part, 0, Field.Attribute(FieldScope.Record, "no.such.key"), AttributeValue.FromInt64(1)));
        Assert.False(MayEqual(part, 0, Field.ServiceName, AttributeValue.FromString("no such service")));
    }

    [Fact]
    public void MayMatch_IntegerAndDoubleOfOneValue_AreOneNumber()
    {
        var batch = new RandomBatch(33).Spans(1);
        var key = batch.Strings.Intern("number");
        batch.Attributes.RemoveLastOwner();
        batch.Attributes.Add(key, AttributeType.Double, BitConverter.DoubleToInt64Bits(7.0));
        batch.Attributes.EndOwner();
        using var part = _folder.WritePart([batch]);
        Assert.True(MayEqual(part, 0, Field.Attribute(FieldScope.Record, "number"), AttributeValue.FromInt64(7)));
        Assert.False(MayEqual(part, 0, Field.Attribute(FieldScope.Record, "number"), AttributeValue.FromInt64(8)));
    }

    [Fact]
    public void FindTrace_EveryTrace_NamesTheBlocksThatHoldIt()
    {
        var batch = new RandomBatch(41).Spans(20_000, traces: 2_000);
        using var part = _folder.WritePart([batch]);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            foreach (var id in block.TraceIds.ToArray().Distinct())
            {
                var blocks = new List<int>();
                part.FindTrace(id, blocks);
                Assert.Contains(number, blocks);
            }
        }
        var none = new List<int>();
        part.FindTrace(new TraceId(1, 2), none);
        Assert.Empty(none);
    }

    [Fact]
    public void AttributeNames_AllScopes_CountEntries()
    {
        var batch = new RandomBatch(51).Spans(500);
        using var part = _folder.WritePart([batch]);
        Assert.Equal(batch.Attributes.EntryCount, part.AttributeNames.Where(name => name.Scope == FieldScope.Record).Sum(name => name.Records));
        Assert.Equal(batch.EventAttributes.EntryCount, part.AttributeNames.Where(name => name.Scope == FieldScope.Event).Sum(name => name.Records));
        Assert.Equal(batch.LinkAttributes.EntryCount, part.AttributeNames.Where(name => name.Scope == FieldScope.Link).Sum(name => name.Records));
    }

    private static ColumnBatch ReadAll(PartSource part)
    {
        var target = new ColumnBatch(part.Signal);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), target);
        }
        return target;
    }

    private static void AssertColumn(ColumnBatch rows, CodedColumn? column, string keyText)
    {
        var key = rows.Strings.Find(System.Text.Encoding.UTF8.GetBytes(keyText));
        for (var row = 0; row < rows.Rows; row++)
        {
            var entry = key < 0 ? -1 : rows.Attributes.Find(row, key);
            if (entry < 0)
            {
                Assert.True(column is null || column.Codes.Span[row] == -1);
                continue;
            }
            var code = column!.Codes.Span[row];
            var expected = rows.Attributes.GetValue(entry, rows.Strings);
            Assert.Equal(expected.Type, column.Values.GetType(code));
            Assert.Equal(expected.Bits, column.Values.GetBits(code));
            Assert.Equal(expected.Content, column.Values.GetContent(code));
        }
    }

    /// <summary>Whether the indexes let a row of the block equal the value.</summary>
    private static bool MayEqual(PartSource part, int block, Field field, AttributeValue value)
    {
        var scan = new Scan([part], QueryBudget.Default, TimeProvider.System, null, CancellationToken.None);
        var evaluator = new FilterEvaluator(Filter.Equal(field, value), TimeRange.All, part.Signal, new TraceFacts(scan, new TraceLoader(scan)));
        return evaluator.MayMatch(part) && evaluator.MayMatch(part, block);
    }

    /// <summary>Equal to nothing.</summary>
    private static bool IsNaN(AttributeValue value) => value.Type == AttributeType.Double && double.IsNaN(value.AsDouble());

    private static void AssertMayEqual(PartSource part, int block, FieldScope scope, AttributeTable table, int owner, ColumnBatch rows)
    {
        for (var entry = table.Start(owner); entry < table.Start(owner + 1); entry++)
        {
            if (scope != FieldScope.Resource || table.Find(owner, table.Keys[entry]) == entry)
            {
                var field = Field.Attribute(scope, rows.Strings.GetString(table.Keys[entry]));
                Assert.True(scope == FieldScope.Any && table.Find(owner, table.Keys[entry]) != entry || IsNaN(table.GetValue(entry, rows.Strings)) || MayEqual(part, block, field, table.GetValue(entry, rows.Strings)));
            }
        }
    }
}
