using Apm.Storage.Columns;
using Apm.Storage.Embedded.Parts;
using Apm.Telemetry;
using Apm.Telemetry.Filters;
using Apm.TestKit;

namespace Apm.Storage.Tests.Embedded;

public sealed class PartMergerTests
{
    private readonly MergeRig _rig = new();

    /// <summary>How rows come to the parts that are merged.</summary>
    public enum Split
    {
        /// <summary>Each row to any part: every trace is split.</summary>
        Scattered,

        /// <summary>Stretches of the output, so that most blocks can be taken whole.</summary>
        InOrder,

        /// <summary>Stretches that overlap a little.</summary>
        NearlyInOrder,
    }

    public static TheoryData<int, Signal, int, int, Split> Merges => new()
    {
        { 1, Signal.Traces, 2, 40, Split.Scattered },
        { 2, Signal.Traces, 16, 3_000, Split.Scattered },
        { 3, Signal.Traces, 5, 4_000, Split.InOrder },
        { 4, Signal.Traces, 5, 4_000, Split.NearlyInOrder },
        { 5, Signal.Traces, 1, 500, Split.InOrder },
        { 6, Signal.Logs, 2, 40, Split.Scattered },
        { 7, Signal.Logs, 16, 3_000, Split.Scattered },
        { 8, Signal.Logs, 5, 4_000, Split.InOrder },
        { 9, Signal.Logs, 5, 4_000, Split.NearlyInOrder },
    };

    [Theory]
    [MemberData(nameof(Merges))]
    public void Merge_AnySplit_HoldsWhatTheInputsHold(int seed, Signal signal, int parts, int rows, Split split)
    {
        foreach (var distinct in new[] { 40, 4_000 })
        {
            var random = new RandomBatch(seed, distinct: distinct);
            var all = signal == Signal.Traces ? random.Spans(rows) : random.Logs(rows);
            var inputs = Cut(all, parts, split, seed).Select(batch => _rig.Write(batch)).ToArray();

            var result = _rig.Merge(inputs, out var merged);

            Assert.Equal((rows, 0L, 0L), (result.Rows, result.DuplicateRows, result.RejectedRows));
            Assert.Equal(RowText.Of(all).Order(StringComparer.Ordinal), RowText.Of(MergeRig.ReadAll(merged)).Order(StringComparer.Ordinal));
            MergeRig.AssertWellFormed(merged);
            Assert.Equal(
                inputs.SelectMany(input => input.AttributeNames).GroupBy(name => (name.Scope, name.Key), name => name.Records).Select(group => (group.Key.Scope, group.Key.Key, group.Sum())).Order(),
                merged.AttributeNames.Select(name => (name.Scope, name.Key, name.Records)).Order());
        }
    }

    [Theory]
    [InlineData(Signal.Traces)]
    [InlineData(Signal.Logs)]
    public void Merge_AnyOrderOfMerging_GivesTheSameRows(Signal signal)
    {
        var random = new RandomBatch(21);
        var inputs = Cut(signal == Signal.Traces ? random.Spans(2_000) : random.Logs(2_000), 4, Split.Scattered, 21).Select(batch => _rig.Write(batch)).ToArray();
        _rig.Merge(inputs, out var atOnce);
        _rig.Merge(inputs[..2], out var left);
        _rig.Merge(inputs[2..], out var right);
        _rig.Merge([right, left], out var pairs);
        _rig.Merge([inputs[3], inputs[1]], out var some);
        _rig.Merge([some, inputs[0]], out var more);
        _rig.Merge([inputs[2], more], out var oneByOne);

        var expected = RowText.Of(MergeRig.ReadAll(atOnce));
        if (signal == Signal.Logs)
        {
            // Resources are numbered as they are met, so only their order differs.
            Array.Sort(expected, StringComparer.Ordinal);
        }
        foreach (var other in new[] { pairs, oneByOne })
        {
            var rows = RowText.Of(MergeRig.ReadAll(other));
            Assert.Equal(expected, signal == Signal.Logs ? rows.Order(StringComparer.Ordinal) : rows);
            MergeRig.AssertWellFormed(other);
        }
    }

    [Fact]
    public void Merge_TraceLargerThanABlockOverSeveralInputs_IsOneRun()
    {
        var all = new RandomBatch(31).Spans(3_000, traces: 3);
        var inputs = Cut(all, 3, Split.Scattered, 31).Select(batch => _rig.Write(batch)).ToArray();
        _rig.Merge(inputs, out var merged);
        Assert.True(merged.BlockCount > 3_000 / MergeRig.BlockRows);
        Assert.Equal(RowText.Of(all).Order(StringComparer.Ordinal), RowText.Of(MergeRig.ReadAll(merged)).Order(StringComparer.Ordinal));
        MergeRig.AssertWellFormed(merged);
    }

    [Fact]
    public void Merge_InputsOneAfterAnother_CopiesBlocks()
    {
        var inputs = Cut(new RandomBatch(35, distinct: 4_000).Spans(6_000), 2, Split.InOrder, 35).Select(batch => _rig.Write(batch)).ToArray();
        _rig.Merge(inputs, out var packed);
        _rig.Merge([packed], out var again);
        HashSet<uint> Checksums(PartSource part) => [.. part.Directory.Columns.Where(column => !column.IsDictionary).SelectMany(column => column.Blocks).Select(block => block.Chunk.Crc)];
        HashSet<uint> Ids(PartSource part) => [.. Enumerable.Range(0, part.BlockCount).Select(block => part.Directory.Plain(PlainColumn.SpanId, block).Crc)];
        Assert.True(Ids(packed).Intersect(inputs.SelectMany(Ids)).Count() > packed.BlockCount / 2);
        Assert.Equal(Ids(packed), Ids(again));
        Assert.NotEmpty(Checksums(packed));
        Assert.Equal(Checksums(packed), Checksums(again));
        MergeRig.AssertWellFormed(again);
    }

    [Fact]
    public void Merge_SpansSentTwice_StayOnce()
    {
        var all = new RandomBatch(41).Spans(1_000);
        var twice = Rows(all, row => row % 3 == 0);
        var result = _rig.Merge([_rig.Write(all), _rig.Write(twice)], out var merged);
        Assert.Equal(twice.Rows, result.DuplicateRows);
        Assert.Equal(all.Rows, result.Rows);
        Assert.Equal(RowText.Of(all).Order(StringComparer.Ordinal), RowText.Of(MergeRig.ReadAll(merged)).Order(StringComparer.Ordinal));
        MergeRig.AssertWellFormed(merged);
    }

    [Fact]
    public void Merge_LogRecordsThatAreAlike_AllStay()
    {
        var all = new RandomBatch(42).Logs(300);
        var result = _rig.Merge([_rig.Write(all), _rig.Write(all)], out _);
        Assert.Equal((2L * all.Rows, 0L), (result.Rows, result.DuplicateRows));
    }

    [Theory]
    [InlineData(Signal.Traces, 1, Split.InOrder)]
    [InlineData(Signal.Traces, 4, Split.Scattered)]
    [InlineData(Signal.Logs, 1, Split.InOrder)]
    [InlineData(Signal.Logs, 4, Split.Scattered)]
    public void Merge_ResourceNotKept_LeavesNothingOfIt(Signal signal, int parts, Split split)
    {
        var random = new RandomBatch(53);
        var all = signal == Signal.Traces ? random.Spans(2_500) : random.Logs(2_500);
        var expected = Rows(all, row => ServiceOf(all, all.Resource[row]) != "service-1");
        var inputs = Cut(all, parts, split, 53).Select(batch => _rig.Write(batch)).ToArray();

        var result = _rig.Merge(inputs, out var merged, (part, resource) => ServiceOf(part.Owners, resource) != "service-1");

        Assert.InRange(result.RejectedRows, 1, all.Rows - 1);
        Assert.Equal((expected.Rows, all.Rows - expected.Rows), (result.Rows, result.RejectedRows));
        Assert.Equal(RowText.Of(expected).Order(StringComparer.Ordinal), RowText.Of(MergeRig.ReadAll(merged)).Order(StringComparer.Ordinal));
        MergeRig.AssertWellFormed(merged, tracesInOrder: false);
        _rig.Merge([merged, merged], out var again);
        MergeRig.AssertWellFormed(again, tracesInOrder: false);
        Assert.DoesNotContain("service-1", Enumerable.Range(0, merged.Owners.ResourceAttributes.OwnerCount).Select(resource => ServiceOf(merged.Owners, resource)));
    }

    [Fact]
    public void Merge_NoRowKept_WritesNothing()
    {
        var result = _rig.Merge([_rig.Write(new RandomBatch(54).Spans(100))], out _, static (_, _) => false);
        Assert.Equal(new MergeResult(0, 0, 0, 100), result);
        Assert.Equal(0, _rig.OutputBytes);
    }

    [Fact]
    public void Merge_OneBitOfAnInputFlipped_NamesTheInputOrHarmsNothing()
    {
        var inputs = Cut(new RandomBatch(61, keys: 3, distinct: 5).Spans(60), 2, Split.Scattered, 61).Select(batch => _rig.Write(batch)).ToArray();
        _rig.Merge(inputs, out var expected);
        var rows = RowText.Of(MergeRig.ReadAll(expected));
        var path = inputs[1].File.Path;
        var found = 0;
        for (var at = PartFormat.HeaderBytes; at < inputs[1].File.SizeBytes; at++)
        {
            var bit = (byte)(1 << (at % 8));
            _rig.Disk.Corrupt(path, bytes => bytes[at] ^= bit);
            try
            {
                _rig.Merge([inputs[0], _rig.Reopen(path)], out var merged);
                // What a merge does not read (the trace index, blooms) it makes anew.
                Assert.Equal(rows, RowText.Of(MergeRig.ReadAll(merged)));
            }
            catch (CorruptPartException damage)
            {
                Assert.Equal(path, damage.Path);
                found++;
            }
            _rig.Disk.Corrupt(path, bytes => bytes[at] ^= bit);
        }
        Assert.True(found > inputs[1].File.SizeBytes / 2, $"{found} of {inputs[1].File.SizeBytes}");
    }

    [Fact]
    public void Merge_Cancelled_Stops()
    {
        var inputs = Cut(new RandomBatch(71).Spans(2_000), 2, Split.Scattered, 71).Select(batch => _rig.Write(batch)).ToArray();
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => _rig.Merge(inputs, out _, cancellation: source.Token));
    }

    [Fact]
    public void Merge_DiskFails_Throws()
    {
        var input = _rig.Write(new RandomBatch(72).Spans(2_000));
        _rig.Disk.CapacityBytes = _rig.Disk.UsedBytes + 1_000;
        Assert.ThrowsAny<IOException>(() => _rig.Merge([input], out _));
    }

    [Fact]
    public void Merge_PartsOfTwoSignals_IsRefused()
    {
        var random = new RandomBatch(73);
        Assert.Throws<ArgumentException>(() => _rig.Merge([_rig.Write(random.Spans(5)), _rig.Write(random.Logs(5))], out _));
    }

    private static string ServiceOf(ColumnBatch owners, int resource)
    {
        var entry = owners.ResourceAttributes.Find(resource, owners.Strings.Find("service.name"u8));
        return owners.Strings.GetString((int)owners.ResourceAttributes.Bits[entry]);
    }

    private static ColumnBatch Rows(ColumnBatch all, Func<int, bool> takes)
    {
        var batch = new ColumnBatch(all.Signal);
        var copier = new BatchCopier(all, batch, all.Rows);
        foreach (var row in Enumerable.Range(0, all.Rows).Where(takes))
        {
            copier.CopyRow(row);
        }
        return batch;
    }

    private static ColumnBatch[] Cut(ColumnBatch all, int parts, Split split, int seed)
    {
        var random = new Random(seed);
        var ordered = MergeRig.ReadAll(new MergeRig().Write(all));
        var length = (ordered.Rows / parts) + 1;
        var partOf = Enumerable.Range(0, ordered.Rows).Select(row => split switch
        {
            Split.Scattered => random.Next(parts),
            Split.InOrder => row / length,
            _ => Math.Clamp((row + random.Next(-length / 8, length / 8)) / length, 0, parts - 1),
        }).ToArray();
        return [.. Enumerable.Range(0, parts).Select(part => Rows(ordered, row => partOf[row] == part))];
    }
}
