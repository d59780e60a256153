using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Attributes;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

/// <summary>Parts of small blocks on a disk in memory, and merges of them.</summary>
internal sealed class MergeRig
{
    public const int BlockRows = 256;

    private int _parts;

    public MemoryFileSystem Disk { get; } = new();

    /// <summary>Of the last merge.</summary>
    public long OutputBytes { get; private set; }

    public PartSource Write(ColumnBatch batch)
    {
        var path = $"{++_parts}.part";
        using (var file = Disk.Create(path))
        {
            using var content = new BatchContent([batch], BlockRows);
            PartWriter.Write(file, content);
        }
        return Reopen(path);
    }

    public PartSource Reopen(string path) => new(PartFile.Open(Disk, path), new ChunkCache(16 << 20));

    public MergeResult Merge(IReadOnlyList<PartSource> inputs, out PartSource merged, Func<PartSource, int, bool>? keepResource = null, CancellationToken cancellation = default)
    {
        var path = $"{++_parts}.part";
        MergeResult result;
        using (var file = Disk.Create(path))
        {
            result = PartMerger.Merge(inputs, keepResource, file, 1, cancellation, BlockRows);
            OutputBytes = file.Length;
        }
        merged = result.Rows > 0 ? Reopen(path) : inputs[0];
        return result;
    }

    public static ColumnBatch ReadAll(PartSource part)
    {
        var rows = new ColumnBatch(part.Signal);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), rows);
        }
        return rows;
    }

    /// <summary>Rows are in the order of a part, and every index finds what is there.</summary>
    public static void AssertWellFormed(PartSource part, bool tracesInOrder = true)
    {
        var seen = new HashSet<TraceId>();
        var (last, lastId, lastResource) = (long.MinValue, default(TraceId), 0);
        for (var number = 0; number < part.BlockCount; number++)
        {
            using var block = part.OpenBlock(number);
            var rows = new ColumnBatch(part.Signal);
            block.CopyRows(Enumerable.Range(0, block.Rows).ToArray(), rows);
            var bounds = part.GetBounds(number);
            Assert.InRange(block.Rows, 1, BlockRows);
            Assert.Equal(rows.TimeUnixNano.Values.ToArray().Min(), bounds.FirstTimeUnixNano);
            Assert.Equal(rows.TimeUnixNano.Values.ToArray().Max(), bounds.LastTimeUnixNano);
            if (part.Signal == Signal.Traces)
            {
                Assert.Equal(rows.DurationNano.Values.ToArray().Max(), bounds.MaxDurationNano);
                Assert.Equal(rows.DurationNano.Values.ToArray().Min(), bounds.MinDurationNano);
            }
            for (var row = 0; row < rows.Rows; row++)
            {
                var (id, time) = (rows.TraceId[row], rows.TimeUnixNano[row]);
                if (part.Signal == Signal.Logs)
                {
                    var resource = block.Resources[row];
                    Assert.True(resource > lastResource || (resource == lastResource && time >= last), $"row {row} of block {number} is out of order");
                    lastResource = resource;
                }
                else if (id != lastId || seen.Count == 0)
                {
                    Assert.True(seen.Add(id), $"trace {id} is in two places");
                }
                else
                {
                    Assert.True(time >= last, $"row {row} of block {number} is out of order");
                }
                (last, lastId) = (time, id);
                AssertFound(part, number, rows, row);
            }
            AssertChildrenFound(part, number, rows);
        }
        if (tracesInOrder)
        {
            AssertTracesInOrder(part);
        }
    }

    private static void AssertTracesInOrder(PartSource part)
    {
        if (part.Signal != Signal.Traces)
        {
            return;
        }
        var rows = ReadAll(part);
        var before = (First: long.MinValue, Id: default(TraceId));
        for (var row = 0; row < rows.Rows; row++)
        {
            if (row == 0 || rows.TraceId[row] != rows.TraceId[row - 1])
            {
                var trace = (First: rows.TimeUnixNano[row], Id: rows.TraceId[row]);
                Assert.True(trace.First > before.First || (trace.First == before.First && trace.Id.CompareTo(before.Id) > 0), $"trace {trace.Id} is out of order");
                before = trace;
            }
        }
    }

    private static void AssertFound(PartSource part, int block, ColumnBatch rows, int row)
    {
        if (!rows.TraceId[row].IsZero)
        {
            var blocks = new List<int>();
            part.FindTrace(rows.TraceId[row], blocks);
            Assert.Contains(block, blocks);
        }
        AssertMayEqual(part, block, FieldScope.Record, rows.Attributes, row, rows);
        AssertMayEqual(part, block, FieldScope.Resource, rows.ResourceAttributes, rows.Resource[row], rows);
        Assert.True(part.MayEqual(block, Field.Of(Intrinsic.Name), AttributeValue.FromString(rows.Strings.GetString(rows.Name[row]))));
        var (number, field) = part.Signal == Signal.Traces ? (rows.Kind[row], Intrinsic.Kind) : (rows.SeverityNumber[row], Intrinsic.Severity);
        Assert.True(part.MayEqual(block, Field.Of(field), AttributeValue.FromInt64(number)));
    }

    private static void AssertChildrenFound(PartSource part, int block, ColumnBatch rows)
    {
        for (var i = 0; i < rows.EventName.Count; i++)
        {
            AssertMayEqual(part, block, FieldScope.Event, rows.EventAttributes, i, rows);
        }
        for (var i = 0; i < rows.LinkSpanId.Count; i++)
        {
            AssertMayEqual(part, block, FieldScope.Link, rows.LinkAttributes, i, rows);
        }
    }

    private static void AssertMayEqual(PartSource part, int block, FieldScope scope, AttributeTable table, int owner, ColumnBatch rows)
    {
        for (var entry = table.Start(owner); entry < table.Start(owner + 1); entry++)
        {
            Assert.True(part.MayEqual(block, Field.Attribute(scope, rows.Strings.GetString(table.Keys[entry])), table.GetValue(entry, rows.Strings)));
        }
    }
}
