namespace Apm.Storage.Embedded.Parts;

/// <summary>The events or links of spans, and their attributes.</summary>
internal sealed class MergeChildScope : MergeScope
{
    private readonly PlainColumn _countColumn;
    private readonly PlainColumn _shapeColumn;
    private readonly MergeWindow<int> _starts;
    private readonly MergeWindow<int> _shapes;

    private MergeChildScope(
        ValueScope scope, PlainColumn countColumn, PlainColumn shapeColumn, Func<PartDirectory, AttributeShapes> shapes, MergeInput[] inputs, MergePlan plan, CancellationToken cancellation)
        : base(scope, inputs, shapes)
    {
        _countColumn = countColumn;
        _shapeColumn = shapeColumn;
        _starts = new MergeWindow<int>(inputs.Length, LoadStarts);
        _shapes = new MergeWindow<int>(inputs.Length, LoadShapes);
        BlockCounts = new int[plan.Blocks.Blocks];
        for (var block = 0; block < BlockCounts.Length; block++)
        {
            foreach (var segment in plan.SegmentsOf(block))
            {
                BlockCounts[block] = checked(BlockCounts[block] + OwnersOf(segment).Count);
            }
        }
        MakeColumns(plan, cancellation);
    }

    /// <summary>Events or links of each block of the output.</summary>
    public int[] BlockCounts { get; }

    public static MergeChildScope Events(MergeInput[] inputs, MergePlan plan, CancellationToken cancellation) =>
        new(ValueScope.Event, PlainColumn.EventCount, PlainColumn.EventShape, static directory => directory.Events, inputs, plan, cancellation);

    public static MergeChildScope Links(MergeInput[] inputs, MergePlan plan, CancellationToken cancellation) =>
        new(ValueScope.Link, PlainColumn.LinkCount, PlainColumn.LinkShape, static directory => directory.Links, inputs, plan, cancellation);

    public override (int First, int Count) OwnersOf(in MergeSegment segment)
    {
        if (Inputs[segment.Input].Directory.Plain(_countColumn, segment.Block).IsAbsent)
        {
            return (0, 0);
        }
        var starts = _starts.Get(segment.Input, segment.Block);
        return (starts[segment.Row], starts[segment.End] - starts[segment.Row]);
    }

    /// <summary>Events or links of an input's block.</summary>
    public int CountOf(int input, int block) => Inputs[input].Directory.Plain(_countColumn, block).IsAbsent ? 0 : _starts.Get(input, block)[^1];

    /// <summary>Fills in how many each row has.</summary>
    public void ReadCounts(ReadOnlySpan<MergeSegment> segments, Span<long> counts)
    {
        var at = 0;
        foreach (var segment in segments)
        {
            if (Inputs[segment.Input].Directory.Plain(_countColumn, segment.Block).IsAbsent)
            {
                counts.Slice(at, segment.Rows).Clear();
                at += segment.Rows;
                continue;
            }
            var starts = _starts.Get(segment.Input, segment.Block);
            for (var row = segment.Row; row < segment.End; row++)
            {
                counts[at++] = starts[row + 1] - starts[row];
            }
        }
    }

    public override int Sum(int input, int block, int first, int count, int[] numbers)
    {
        if (count == 0)
        {
            return 0;
        }
        var sum = 0;
        foreach (var shape in _shapes.Get(input, block).Slice(first, count))
        {
            sum += numbers[shape];
        }
        return sum;
    }

    protected override ReadOnlySpan<int> ShapesOf(in MergeSegment segment)
    {
        var (first, count) = OwnersOf(segment);
        return count == 0 ? default : _shapes.Get(segment.Input, segment.Block).Slice(first, count);
    }

    /// <summary>First child of each row, and the block's count of children.</summary>
    private int LoadStarts(int input, int block, ref int[] values)
    {
        var part = Inputs[input];
        var chunk = part.Directory.Plain(_countColumn, block);
        var starts = MergeInput.Room(ref values, part.RowsOf(block) + 1);
        part.ReadInts(chunk, starts[1..]);
        starts[0] = 0;
        for (var row = 1; row < starts.Length; row++)
        {
            var count = starts[row];
            var sum = starts[row - 1] + (long)count;
            starts[row] = count >= 0 && sum <= PartFormat.MaxChunkBytes ? (int)sum : throw part.Corrupt(chunk, $"a row has {count} children");
        }
        return starts.Length;
    }

    private int LoadShapes(int input, int block, ref int[] values)
    {
        var part = Inputs[input];
        var chunk = part.Directory.Plain(_shapeColumn, block);
        var shapes = MergeInput.Room(ref values, CountOf(input, block));
        part.ReadInts(chunk, shapes);
        MapShapes(input, chunk, shapes);
        return shapes.Length;
    }
}
