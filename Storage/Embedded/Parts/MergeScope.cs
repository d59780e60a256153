namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// The attributes of the records, or events, or links of all inputs: the keys as columns, the shapes joined. What one of them holds of which column is told by
/// its shape alone, so that the counts of every block are known before a value is read.
/// </summary>
internal abstract class MergeScope
{
    private readonly List<byte[]> _keys = [];
    private readonly List<int[]> _shapes = [];
    private readonly List<int> _written = [];
    private int[] _writtenShape = [];
    private MergeValueColumn[] _columns = [];

    protected MergeScope(ValueScope scope, MergeInput[] inputs, Func<PartDirectory, AttributeShapes> shapes)
    {
        Scope = scope;
        Inputs = inputs;
        ShapeMaps = new int[inputs.Length][];
        var columns = new Dictionary<string, int>(StringComparer.Ordinal);
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var input = 0; input < inputs.Length; input++)
        {
            ShapeMaps[input] = Join(shapes(inputs[input].Directory), columns, known);
        }
    }

    public ValueScope Scope { get; }

    public IReadOnlyList<MergeValueColumn> Columns => _columns;

    protected MergeInput[] Inputs { get; }

    /// <summary>Per input, per shape of it: the joined shape.</summary>
    protected int[][] ShapeMaps { get; }

    /// <summary>Joined shapes, whether rows of the output have them or not.</summary>
    protected int ShapeCount => _shapes.Count;

    /// <summary>The shapes that rows of the output have, as numbers of <see cref="Columns"/>.</summary>
    public IReadOnlyList<int[]> WrittenShapes { get; private set; } = [];

    /// <summary>The owners of attributes (records, events or links) that the segment's rows have: numbers in the input's block.</summary>
    public abstract (int First, int Count) OwnersOf(in MergeSegment segment);

    /// <summary>Adds up a number of each joined shape over owners of an input's block that follow each other.</summary>
    public abstract int Sum(int input, int block, int first, int count, int[] numbers);

    /// <summary>The joined shapes of the segment's owners, valid until the next call.</summary>
    protected abstract ReadOnlySpan<int> ShapesOf(in MergeSegment segment);

    /// <summary>Fills in the shapes of a block's owners.</summary>
    public void ReadShapes(ReadOnlySpan<MergeSegment> segments, Span<long> shapes)
    {
        var at = 0;
        foreach (var segment in segments)
        {
            foreach (var shape in ShapesOf(segment))
            {
                shapes[at++] = _writtenShape[shape];
            }
        }
    }

    /// <summary>Counts what the plan's rows hold, and makes the columns that have any of it.</summary>
    protected void MakeColumns(MergePlan plan, CancellationToken cancellation)
    {
        var blocks = plan.Blocks.Blocks;
        var entries = new List<(int Block, int Entries)>[_keys.Count];
        foreach (ref var list in entries.AsSpan())
        {
            list = [];
        }
        var counts = new int[_shapes.Count];
        var used = new bool[_shapes.Count];
        for (var block = 0; block < blocks; block++)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (var segment in plan.SegmentsOf(block))
            {
                foreach (var shape in ShapesOf(segment))
                {
                    counts[shape]++;
                }
            }
            for (var shape = 0; shape < counts.Length; shape++)
            {
                if (counts[shape] > 0)
                {
                    used[shape] = true;
                    AddEntries(entries, block, _shapes[shape], counts[shape]);
                    counts[shape] = 0;
                }
            }
        }
        var numbers = new int[_keys.Count];
        var columns = new List<MergeValueColumn>();
        for (var key = 0; key < _keys.Count; key++)
        {
            numbers[key] = columns.Count;
            if (entries[key].Count > 0)
            {
                columns.Add(new MergeValueColumn(Scope, _keys[key], Inputs, plan, new AttributeEntries(this, Inputs.Length, Occurrences(key)), entries[key]));
            }
        }
        _columns = [.. columns];
        _writtenShape = new int[_shapes.Count];
        for (var shape = 0; shape < _shapes.Count; shape++)
        {
            if (used[shape])
            {
                _writtenShape[shape] = _written.Count;
                _written.Add(shape);
            }
        }
        WrittenShapes = [.. _written.Select(shape => _shapes[shape].Select(key => numbers[key]).ToArray())];
    }

    private static void AddEntries(List<(int Block, int Entries)>[] entries, int block, int[] keys, int owners)
    {
        foreach (var key in keys)
        {
            var list = entries[key];
            if (list.Count > 0 && list[^1].Block == block)
            {
                list[^1] = (block, checked(list[^1].Entries + owners));
            }
            else
            {
                list.Add((block, owners));
            }
        }
    }

    /// <summary>How often each joined shape has the key.</summary>
    private int[] Occurrences(int key) => [.. _shapes.Select(shape => shape.AsSpan().Count(key))];

    private int[] Join(AttributeShapes shapes, Dictionary<string, int> columns, Dictionary<string, int> known)
    {
        var keys = new int[shapes.Columns.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            var key = shapes.Columns[i].Key;
            // Latin-1: each byte is one character, whatever the bytes are.
            var text = System.Text.Encoding.Latin1.GetString(key);
            if (!columns.TryGetValue(text, out keys[i]))
            {
                keys[i] = _keys.Count;
                columns.Add(text, keys[i]);
                _keys.Add(key);
            }
        }
        var map = new int[shapes.Count];
        for (var shape = 0; shape < map.Length; shape++)
        {
            var joined = new int[shapes[shape].Length];
            for (var i = 0; i < joined.Length; i++)
            {
                joined[i] = keys[shapes[shape][i]];
            }
            var name = string.Join(',', joined);
            if (!known.TryGetValue(name, out map[shape]))
            {
                map[shape] = _shapes.Count;
                known.Add(name, map[shape]);
                _shapes.Add(joined);
            }
        }
        return map;
    }

    /// <summary>Maps a block's shapes to joined ones.</summary>
    protected void MapShapes(int input, ChunkRef chunk, Span<int> shapes)
    {
        var map = ShapeMaps[input];
        foreach (ref var shape in shapes)
        {
            shape = (uint)shape < (uint)map.Length ? map[shape] : throw Inputs[input].Corrupt(chunk, $"shape {shape} of {map.Length} is unknown");
        }
    }
}
