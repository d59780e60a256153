namespace Apm.Storage.Embedded.Parts;

/// <summary>The attributes of spans or log records.</summary>
internal sealed class MergeRecordScope : MergeScope
{
    private readonly MergeRowShapes _shapes;
    private int[] _scratch = [];

    public MergeRecordScope(MergeInput[] inputs, MergePlan plan, CancellationToken cancellation)
        : base(ValueScope.Record, inputs, static directory => directory.Records)
    {
        _shapes = MergeRowShapes.Create(inputs, ShapeCount);
        for (var number = 0; number < inputs.Length; number++)
        {
            var input = inputs[number];
            for (var block = 0; block < input.Blocks; block++)
            {
                cancellation.ThrowIfCancellationRequested();
                var chunk = input.Directory.Plain(PlainColumn.RecordShape, block);
                var shapes = MergeInput.Room(ref _scratch, input.RowsOf(block));
                input.ReadInts(chunk, shapes);
                MapShapes(number, chunk, shapes);
                _shapes.Set(number, input.StartOf(block), shapes);
            }
        }
        MakeColumns(plan, cancellation);
    }

    public override (int First, int Count) OwnersOf(in MergeSegment segment) => (segment.Row, segment.Rows);

    public override int Sum(int input, int block, int first, int count, int[] numbers) =>
        _shapes.Sum(input, Inputs[input].StartOf(block) + first, count, numbers);

    protected override ReadOnlySpan<int> ShapesOf(in MergeSegment segment)
    {
        var shapes = MergeInput.Room(ref _scratch, segment.Rows);
        _shapes.Copy(segment.Input, Inputs[segment.Input].StartOf(segment.Block) + segment.Row, shapes);
        return shapes;
    }
}
