using System.Buffers;
using Apm.Storage.Columns;

namespace Apm.Storage.Embedded.Parts;

/// <summary>
/// The attributes of rows, events or links of a head being sealed, as columns: a shape for each owner (its keys, in order) and the values by key. Shapes are
/// numbered by a trie over the keys, which guesses that an owner is like the one before it. Holds pooled memory until it is disposed.
/// </summary>
internal sealed class AttributeColumns : IDisposable
{
    private const int Root = 0;

    private readonly ValueScope _scope;
    private readonly IReadOnlyList<BatchMap> _maps;
    private readonly int _firstId;
    private readonly StringTable _keys = new();
    private readonly List<int> _columnOfKey = [-1];
    private readonly Dictionary<long, int> _children = [];
    private readonly List<int> _shapeNodes = [];
    private readonly int[] _shapeOf;
    private readonly int _owners;
    private Node[] _nodes = new Node[64];
    private int _nodeCount = 1;

    private AttributeColumns(ValueScope scope, IReadOnlyList<BatchMap> maps, int owners, int firstId)
    {
        _scope = scope;
        _maps = maps;
        _firstId = firstId;
        _owners = owners;
        _shapeOf = ArrayPool<int>.Shared.Rent(owners);
        _nodes[Root] = new Node { LastChild = -1, Shape = -1 };
    }

    /// <summary>Per owner.</summary>
    public ReadOnlySpan<int> ShapeOf => _shapeOf.AsSpan(0, _owners);

    public List<ValueColumnBuilder> Columns { get; } = [];

    /// <param name="tables">Of each batch.</param>
    /// <param name="owners">Those of the part, in its order.</param>
    /// <param name="starts">First owner of each block, and the count of owners at the end.</param>
    /// <param name="firstId">The columns get ids from this one on.</param>
    public static AttributeColumns Build(
        ValueScope scope, IReadOnlyList<BatchMap> maps, AttributeTable[] tables, ReadOnlySpan<RowRef> owners, ReadOnlySpan<int> starts, int firstId)
    {
        var result = new AttributeColumns(scope, maps, owners.Length, firstId);
        for (var block = 0; block + 1 < starts.Length; block++)
        {
            for (var owner = starts[block]; owner < starts[block + 1]; owner++)
            {
                var (batch, row) = owners[owner];
                result._shapeOf[owner] = result.Add(block, maps[batch], tables[batch], row);
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
            for (var node = _shapeNodes[shape]; node != Root; node = _nodes[node].Parent)
            {
                columns.Add(_nodes[node].Column);
            }
            columns.Reverse();
            shapes[shape] = [.. columns];
        }
        return shapes;
    }

    public void Dispose()
    {
        ArrayPool<int>.Shared.Return(_shapeOf);
        Columns.ForEach(column => column.Dispose());
    }

    /// <returns>The owner's shape.</returns>
    private int Add(int block, BatchMap map, AttributeTable table, int owner)
    {
        var (start, end) = (table.Start(owner), table.Start(owner + 1));
        var keys = table.Keys[start..end];
        var types = table.Types[start..end];
        var bits = table.Bits[start..end];
        var node = Root;
        for (var i = 0; i < keys.Length; i++)
        {
            var known = map.Keys[keys[i]];
            var column = BatchMap.IsOf(known, (int)_scope) ? (int)known : FindColumn(map, keys[i]);
            Columns[column].Add(block, map, types[i], bits[i]);
            var last = _nodes[node].LastChild;
            node = last >= 0 && _nodes[last].Column == column ? last : Child(node, column);
        }
        return _nodes[node].Shape is var shape and >= 0 ? shape : NewShape(node);
    }

    private int FindColumn(BatchMap map, int key)
    {
        var code = _keys.Intern(map.Batch.Strings[key]);
        if (code == _columnOfKey.Count)
        {
            _columnOfKey.Add(-1);
        }
        if (_columnOfKey[code] < 0)
        {
            _columnOfKey[code] = Columns.Count;
            Columns.Add(new ValueColumnBuilder(_firstId + Columns.Count, _scope, map.Batch.Strings[key].ToArray(), _maps));
        }
        map.Keys[key] = BatchMap.Pack((int)_scope, _columnOfKey[code]);
        return _columnOfKey[code];
    }

    private int Child(int node, int column)
    {
        var edge = ((long)node << 32) | (uint)column;
        if (!_children.TryGetValue(edge, out var child))
        {
            child = _nodeCount++;
            if (child == _nodes.Length)
            {
                Array.Resize(ref _nodes, child * 2);
            }
            _nodes[child] = new Node { Column = column, Parent = node, LastChild = -1, Shape = -1 };
            _children.Add(edge, child);
        }
        _nodes[node].LastChild = child;
        return child;
    }

    private int NewShape(int node)
    {
        _nodes[node].Shape = _shapeNodes.Count;
        _shapeNodes.Add(node);
        return _nodes[node].Shape;
    }

    /// <summary>A list of keys: that of its parent and one more.</summary>
    private struct Node
    {
        public int Column;
        public int Parent;

        /// <summary>The child met last, or -1.</summary>
        public int LastChild;

        /// <summary>Its number, or -1 when no owner has exactly these keys.</summary>
        public int Shape;
    }
}
