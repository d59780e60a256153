using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// The attributes of rows, events or links turned into columns for a part: a shape for each owner (its keys, in order) and the values by key.
/// Shapes are numbered by a trie over the keys, which guesses that an owner is like the one before it.
/// </summary>
internal sealed class AttributeColumns
{
    private const int Root = 0;

    private readonly List<int> _nodeColumn = [-1];
    private readonly List<int> _nodeParent = [-1];
    private readonly List<int> _nodeLastChild = [-1];
    private readonly List<int> _nodeShape = [-1];
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _shapeNodes = [];

    private AttributeColumns(int owners) => ShapeOf = new int[owners];

    /// <summary>Per owner.</summary>
    public int[] ShapeOf { get; }

    public List<ValueColumnBuilder> Columns { get; } = [];

    /// <param name="ownerStarts">First owner of each block, and the count of owners at the end.</param>
    public static AttributeColumns Build(ValueScope scope, AttributeTable attributes, StringTable strings, ReadOnlySpan<int> ownerStarts)
    {
        var result = new AttributeColumns(attributes.OwnerCount);
        var columnOfKey = new int[strings.Count];
        var keys = attributes.Keys;
        var types = attributes.Types;
        var bits = attributes.Bits;
        var entry = 0;
        for (var block = 0; block + 1 < ownerStarts.Length; block++)
        {
            for (var owner = ownerStarts[block]; owner < ownerStarts[block + 1]; owner++)
            {
                var node = Root;
                for (var end = attributes.Start(owner + 1); entry < end; entry++)
                {
                    var column = columnOfKey[keys[entry]] - 1;
                    if (column < 0)
                    {
                        column = result.Columns.Count;
                        result.Columns.Add(new ValueColumnBuilder(scope, strings[keys[entry]].ToArray(), strings));
                        columnOfKey[keys[entry]] = column + 1;
                    }
                    result.Columns[column].Add(block, types[entry], bits[entry]);
                    node = result.Child(node, column);
                }
                result.ShapeOf[owner] = result.Shape(node);
            }
        }
        return result;
    }

    /// <summary>The columns of each shape in the order of its attributes; a key that an owner has twice is there twice.</summary>
    public int[][] Shapes()
    {
        var shapes = new int[_shapeNodes.Count][];
        var columns = new List<int>();
        for (var shape = 0; shape < shapes.Length; shape++)
        {
            columns.Clear();
            for (var node = _shapeNodes[shape]; node != Root; node = _nodeParent[node])
            {
                columns.Add(_nodeColumn[node]);
            }
            columns.Reverse();
            shapes[shape] = [.. columns];
        }
        return shapes;
    }

    private int Child(int node, int column)
    {
        var last = _nodeLastChild[node];
        if (last >= 0 && _nodeColumn[last] == column)
        {
            return last;
        }
        var edge = ((long)node << 32) | (uint)column;
        if (!_children.TryGetValue(edge, out var child))
        {
            child = _nodeColumn.Count;
            _nodeColumn.Add(column);
            _nodeParent.Add(node);
            _nodeLastChild.Add(-1);
            _nodeShape.Add(-1);
            _children.Add(edge, child);
        }
        _nodeLastChild[node] = child;
        return child;
    }

    private int Shape(int node)
    {
        if (_nodeShape[node] < 0)
        {
            _nodeShape[node] = _shapeNodes.Count;
            _shapeNodes.Add(node);
        }
        return _nodeShape[node];
    }
}
